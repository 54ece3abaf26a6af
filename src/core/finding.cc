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

}  // namespace pixmilter::core
