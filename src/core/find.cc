#include "core/find.h"

#include <set>

#include "base/ascii.h"
#include "source/data_uri.h"

namespace pixmilter::core {
namespace {

constexpr std::size_t kLabelLength = 60;

// Some letters of a URL for people; a data: URI only up to its comma.
std::string label_of(std::string_view url) {
  if (source::is_data_uri(url)) url = url.substr(0, std::min(url.find(','), url.size()));
  std::string label(url.substr(0, kLabelLength));
  for (char& c : label)
    if (c < ' ' || c > '~') c = '?';
  return label;
}

// The text of an HTML part without its transfer encoding. False: an encoding that nobody knows.
bool decode(const mail::Message& message, const mail::Part& part, HtmlText& out) {
  const std::string_view body = std::string_view(message.bytes()).substr(part.body.begin, part.body.size());
  switch (part.encoding) {
    case mail::Encoding::seven_bit:
    case mail::Encoding::eight_bit:
    case mail::Encoding::binary:
      out.text = body;
      return true;
    case mail::Encoding::quoted_printable:
      out.mapped = std::make_unique<quoted_printable::Mapped>(body);
      out.text = out.mapped->decoded();
      return true;
    case mail::Encoding::base64:
      out.storage = mail::decoded_body(message, part);
      out.text = out.storage;
      return true;
    case mail::Encoding::unknown:
      return false;
  }
  return false;
}

// Content-IDs compare as they are written, without brackets; cid: URLs may escape characters (RFC 2392).
std::string cid_of(std::string_view url) {
  std::string out;
  url.remove_prefix(4);
  for (std::size_t i = 0; i < url.size(); ++i) {
    if (url[i] == '%' && i + 2 < url.size() && ascii::hex_value(url[i + 1]) >= 0 &&
        ascii::hex_value(url[i + 2]) >= 0) {
      out.push_back(static_cast<char>(ascii::hex_value(url[i + 1]) * 16 + ascii::hex_value(url[i + 2])));
      i += 2;
    } else {
      out.push_back(url[i]);
    }
  }
  return out;
}

void find_in_html(Work& work, std::size_t index, std::set<std::string>& named) {
  const mail::Part& part = work.tree[index];
  HtmlText& text = work.texts.emplace_back();
  text.part = index;
  if (!decode(work.message, part, text)) {
    work.texts.pop_back();
    return;
  }
  text.scan = html::scan(text.text);
  for (std::size_t i = 0; i < text.scan.references.size(); ++i) {
    const html::Reference& reference = text.scan.references[i];
    Finding finding;
    finding.part = index;
    finding.part_number = work.tree.number(index);
    finding.html = work.texts.size() - 1;
    finding.reference = i;
    finding.place = reference.place;
    if (reference.place == html::Place::inline_svg) {
      finding.source = Source::svg;
      finding.label = "<svg>";
    } else {
      std::string scratch;
      const std::string_view url = html::url(reference, scratch);
      if (ascii::istarts_with(url, "cid:")) {
        named.insert(cid_of(url));
        continue;  // the part itself is the finding
      }
      if (!source::is_data_uri(url)) continue;  // an ordinary link to somewhere: none of our business
      finding.source = Source::data;
      finding.label = label_of(url);
    }
    work.findings.push_back(std::move(finding));
  }
}

// Types whose parts are pictures that mail clients do not show.
bool convertible_type(std::string_view type) {
  return type.starts_with("image/x-portable-") || type == "image/bmp" || type == "image/x-bmp" ||
         type == "image/x-ms-bmp" || type == "image/tiff" || type == "image/webp" || type == "image/heic" ||
         type == "image/heif" || type == "image/avif" || type == "image/svg+xml";
}

// An inline part is part of the text: it says so, or it says nothing and has no name that would make it a
// file.
bool inline_part(const mail::Part& part) { return !part.is_attachment(); }

}  // namespace

void find(Work& work, const std::vector<std::string>& protection, const config::Settings&) {
  std::set<std::string> named;  // Content-IDs that some HTML shows
  for (std::size_t i = 0; i < work.tree.size(); ++i) {
    const mail::Part& part = work.tree[i];
    // The root of a message is its text whatever its disposition says of a name.
    const bool attachment =
        part.is_attachment() && !(part.parent == mail::Part::kNone && part.disposition.empty());
    if (part.type == "text/html" && protection[i].empty() && !attachment) find_in_html(work, i, named);
  }
  for (std::size_t i = 0; i < work.tree.size(); ++i) {
    const mail::Part& part = work.tree[i];
    if (part.is_multipart() || part.type.starts_with("text/") || !protection[i].empty()) continue;
    const bool by_cid = !part.content_id.empty() && named.contains(part.content_id);
    const bool raw = part.type == "image/x-raw-pixels" || part.type == "application/x-npy";
    const bool shown = convertible_type(part.type) && (by_cid || inline_part(part));
    const bool unlabelled = part.type == "application/octet-stream" && by_cid;
    if (!raw && !shown && !unlabelled) continue;
    Finding finding;
    finding.source = Source::part;
    finding.part = i;
    finding.part_number = work.tree.number(i);
    finding.label = !part.filename.empty()     ? part.filename
                    : !part.content_id.empty() ? part.content_id
                                               : part.type;
    work.findings.push_back(std::move(finding));
  }
}

}  // namespace pixmilter::core
