#include "core/conclude.h"

#include <algorithm>
#include <string>

#include "core/external_part.h"
#include "image/filename.h"

namespace pixmilter::core {
namespace {

config::Failure failure_of(image::Status status) {
  switch (status) {
    case image::Status::limit:
      return config::Failure::limit;
    case image::Status::timeout:
      return config::Failure::timeout;
    case image::Status::ok:
    case image::Status::refused:
      return config::Failure::unreadable;
    case image::Status::crashed:
    case image::Status::violated:
      return config::Failure::internal;
  }
  return config::Failure::internal;
}

// One of several pages of a part that all become pictures.
bool paged(const Work& work, const Finding& finding) {
  if (finding.page > 0) return true;
  return std::any_of(work.findings.begin(), work.findings.end(), [&](const Finding& other) {
    return other.page > 0 && other.part == finding.part && other.html == Finding::kNone;
  });
}

// "scan.tif" becomes "scan-2.tif".
std::string paged_name(const std::string& name, std::uint32_t page) {
  const std::string number = "-" + std::to_string(page + 1);
  if (name.empty()) return "page" + number;
  const std::size_t dot = name.rfind('.');
  if (dot == std::string::npos || dot == 0) return name + number;
  return name.substr(0, dot) + number + name.substr(dot);
}

void note_failure(Finding& finding, const Picture& picture) {
  finding.decision = Decision::keep;
  finding.failed = true;
  finding.failure = failure_of(picture.result.status);
  finding.reason =
      picture.result.reason.empty() ? std::string(image::name(picture.result.status)) : picture.result.reason;
}

// All pages of a part become pictures, or none does. The pages of one follow each other.
void keep_pages_together(Work& work) {
  std::vector<Finding>& findings = work.findings;
  const auto failed = [&](Finding& page) {
    if (page.picture == Finding::kNone || work.pictures[page.picture].ok()) return false;
    note_failure(page, work.pictures[page.picture]);
    return true;
  };
  for (auto first = findings.begin(); first != findings.end(); ++first) {
    const auto end = std::find_if(first + 1, findings.end(), [](const Finding& f) { return f.page == 0; });
    if (end == first + 1) continue;
    const auto page = std::find_if(first, end, failed);
    if (page == end) continue;
    leave_whole(*first, *page);
    findings.erase(first + 1, end);
  }
}

}  // namespace

void conclude(Work& work) {
  keep_pages_together(work);
  std::size_t number = 0;
  for (Finding& finding : work.findings) {
    if (finding.picture == Finding::kNone) continue;
    Picture& picture = work.pictures[finding.picture];
    if (finding.may_shrink && !picture.needs_worker) continue;
    finding.silent = false;
    if (!picture.ok()) {
      note_failure(finding, picture);
      // It goes out as it came, and only if the message fits all the same.
      if (finding.may_shrink) finding.failed = false;
      continue;
    }
    finding.failed = false;
    if (finding.decision != Decision::placeholder) {
      finding.reason.clear();
      finding.decision = picture.needs_worker ? Decision::convert : Decision::embed;
    }
    finding.new_format = picture.result.format;
    finding.bytes_after = picture.size();
    finding.width = picture.result.width;
    finding.height = picture.result.height;
    finding.hurried = picture.result.hurried;
    if (picture.name.empty())
      picture.name = image::picture_name({finding.file_name, {}, {}}, picture.result.format, ++number);
    finding.new_name = picture.name;
    if (finding.html != Finding::kNone) continue;
    const mail::Part& outer = work.tree[finding.part];
    const mail::Part& part = finding.external ? work.externals.at(finding.part).inner : outer;
    const std::string said =
        finding.external ? file_name_of(work.externals.at(finding.part), outer) : part.filename;
    const std::string& own = said.empty() ? finding.file_name : said;
    const std::string hint = paged(work, finding) ? paged_name(own, finding.page) : own;
    finding.new_name =
        image::picture_name({hint, part.description, part.content_id}, picture.result.format, number);
  }
}

}  // namespace pixmilter::core
