// The srcset splitter, alone and within an attribute: candidates lie in the value in order and hold no white
// space, and replacing them leaves as many.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/ascii.h"
#include "check.h"
#include "html/entities.h"
#include "html/reference.h"
#include "html/srcset.h"

namespace pixmilter::html {
namespace {

std::vector<Range> candidates(std::string_view value) {
  std::vector<Range> out;
  SrcsetReader reader(value);
  std::size_t end = 0;
  for (Range range; reader.next(range);) {
    FUZZ_CHECK(range.begin >= end && range.begin < range.end && range.end <= value.size());
    end = range.end;
    FUZZ_CHECK(value[range.begin] != ',' && value[range.end - 1] != ',');
    for (const char c : value.substr(range.begin, range.size())) FUZZ_CHECK(!ascii::is_space(c));
    out.push_back(range);
  }
  return out;
}

void check(std::string_view value) {
  const std::vector<Range> found = candidates(value);
  Decoded decoded;
  decoded.assign(value, ReferenceContext::attribute);
  std::size_t last = 0;
  for (std::size_t i = 0; i <= decoded.text().size(); ++i) {
    FUZZ_CHECK(decoded.source_offset(i) >= last && decoded.source_offset(i) <= value.size());
    last = decoded.source_offset(i);
  }
  FUZZ_CHECK(last == value.size());
  std::string plain;
  decode_references(value, ReferenceContext::attribute, plain);
  FUZZ_CHECK(plain == decoded.text());

  if (value.find('"') != std::string_view::npos) return;
  const std::string html = "<img srcset=\"" + std::string(value) + "\">";
  const Scan scanned = scan(html);
  FUZZ_CHECK(scanned.references.size() == candidates(plain).size());
  const std::string after = fuzz::replaced(html, scanned);
  const Scan again = scan(after);
  FUZZ_CHECK(again.references.size() == scanned.references.size());
  std::string scratch;
  for (const Reference& reference : again.references) FUZZ_CHECK(url(reference, scratch) == fuzz::kUrl);
}

}  // namespace
}  // namespace pixmilter::html

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  pixmilter::html::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
