#include "core/report.h"

#include "core/policy.h"
#include "core/work.h"

namespace pixmilter::core {
namespace {

std::string_view name(mail::Encoding encoding) {
  switch (encoding) {
    case mail::Encoding::seven_bit:
      return "7bit";
    case mail::Encoding::eight_bit:
      return "8bit";
    case mail::Encoding::binary:
      return "binary";
    case mail::Encoding::quoted_printable:
      return "quoted-printable";
    case mail::Encoding::base64:
      return "base64";
    case mail::Encoding::unknown:
      return "unknown";
  }
  return "?";
}

}  // namespace

std::vector<PartLine> part_lines(const mail::MimeTree& tree) {
  const std::vector<std::string> notes = protected_parts(tree);
  std::vector<PartLine> out;
  for (std::size_t i = 0; i < tree.size(); ++i) {
    const mail::Part& part = tree[i];
    PartLine line;
    line.number = tree.number(i);
    line.depth = part.depth;
    line.type = part.type;
    line.encoding = name(part.encoding);
    line.disposition = part.disposition;
    line.name = part.filename;
    line.content_id = part.content_id;
    line.bytes = part.body.end - part.header.begin;
    line.note = notes[i];
    if (line.note.empty() && part.type == "text/html" && part.is_attachment()) line.note = "an attached file";
    out.push_back(std::move(line));
  }
  return out;
}

std::vector<ReportPicture> report_pictures(const Work& work) {
  std::vector<ReportPicture> out;
  for (const Picture& picture : work.pictures) {
    ReportPicture& copy = out.emplace_back();
    copy.format = picture.job.format;
    if (copy.format != image::Format::raw && copy.format != image::Format::npy)
      copy.before = picture.job.bytes;
    if (picture.ok()) copy.after = picture.bytes();
  }
  return out;
}

}  // namespace pixmilter::core
