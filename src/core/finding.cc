#include "core/finding.h"

namespace pixmilter::core {

std::string_view name(Source source) {
  switch (source) {
    case Source::data:
      return "data";
    case Source::part:
      return "part";
    case Source::svg:
      return "svg";
    case Source::asset:
      return "asset";
    case Source::file:
      return "file";
    case Source::http:
      return "http";
  }
  return "?";
}

bool allowed(Source source, const config::Sources& sources) {
  switch (source) {
    case Source::data:
      return sources.data;
    case Source::part:
      return sources.part;
    case Source::svg:
      return sources.svg;
    case Source::asset:
      return sources.asset;
    case Source::file:
      return sources.file;
    case Source::http:
      return sources.http;
  }
  return false;
}

std::string_view name(Decision decision) {
  switch (decision) {
    case Decision::keep:
      return "keep";
    case Decision::embed:
      return "embed";
    case Decision::convert:
      return "convert";
    case Decision::placeholder:
      return "placeholder";
    case Decision::drop:
      return "drop";
  }
  return "?";
}

void leave_whole(Finding& first, const Finding& page) {
  first.decision = Decision::keep;
  first.picture = Finding::kNone;
  first.failed = page.failed;
  first.failure = page.failure;
  first.reason = "page " + std::to_string(page.page + 1) + ": " + page.reason;
}

std::string label_for_log(const Finding& finding) {
  if (finding.label_query >= finding.label.size()) return finding.label;
  std::string label = finding.label.substr(0, finding.label_query);
  if (finding.page > 0) label += " page " + std::to_string(finding.page + 1);
  return label;
}

}  // namespace pixmilter::core
