// The tokenizer and scan(): tokens tile the text, references and removals lie in it in order, replacing each
// reference gives a text in which the same places name the new URL, and no text makes them look at bytes
// again and again.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "check.h"
#include "html/charset.h"
#include "html/doctype.h"
#include "html/reference.h"
#include "html/tokenizer.h"

namespace pixmilter::html {
namespace {

constexpr std::size_t kWorkPerByte = 10;

bool inside(std::string_view part, std::string_view whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void check_tokens(std::string_view text, const TokenizerOptions& options) {
  Tokenizer tokenizer(text, options);
  std::size_t end = 0;
  for (Token token; tokenizer.next(token);) {
    FUZZ_CHECK(token.raw.data() == text.data() + end && !token.raw.empty());
    end += token.raw.size();
    FUZZ_CHECK(inside(token.name, token.raw) && inside(token.data, token.raw));
    const char* at = token.raw.data();
    for (const Attribute& attribute : token.attributes) {
      FUZZ_CHECK(!attribute.name.empty() && attribute.name.data() >= at);
      FUZZ_CHECK(inside(attribute.name, token.raw) && inside(attribute.value, token.raw));
      at = attribute.end();
      FUZZ_CHECK(at < token.raw.data() + token.raw.size());
    }
    if (token.kind == TokenKind::doctype) read_doctype(token.raw);
  }
  FUZZ_CHECK(end == text.size());
  FUZZ_CHECK(tokenizer.work() <= kWorkPerByte * text.size() + 1024);
}

void check_scan(std::string_view text) {
  const Scan found = scan(text);
  FUZZ_CHECK(found.work <= kWorkPerByte * text.size() + 1024);
  std::string scratch;
  std::vector<Place> places;
  std::size_t end = 0;
  for (const Reference& reference : found.references) {
    FUZZ_CHECK(reference.range.begin >= end && reference.range.begin < reference.range.end);
    end = reference.range.end;
    FUZZ_CHECK(end <= text.size());
    FUZZ_CHECK(inside(reference.raw, text.substr(reference.range.begin, reference.range.size())));
    const std::string_view named = url(reference, scratch);
    FUZZ_CHECK(!reference.verbatim || named.data() == reference.raw.data());
    if (reference.place != Place::inline_svg) places.push_back(reference.place);
  }
  end = 0;
  for (const Range& removal : found.removals) {
    FUZZ_CHECK(removal.begin >= end && removal.begin < removal.end && removal.end <= text.size());
    end = removal.end;
    for (const Reference& reference : found.references)
      FUZZ_CHECK(removal.end <= reference.range.begin || removal.begin >= reference.range.end);
  }

  const std::string after = fuzz::replaced(text, found);
  const Scan again = scan(after);
  std::size_t i = 0;
  for (const Reference& reference : again.references) {
    if (reference.place == Place::inline_svg) continue;
    FUZZ_CHECK(i < places.size() && reference.place == places[i]);
    FUZZ_CHECK(url(reference, scratch) == fuzz::kUrl);
    ++i;
  }
  FUZZ_CHECK(i == places.size());
  FUZZ_CHECK(again.removals.size() == found.removals.size() && again.skipped == found.skipped);
  FUZZ_CHECK(fuzz::replaced(after, again) == after);
}

}  // namespace
}  // namespace pixmilter::html

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace pixmilter::html;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  TokenizerOptions options;
  check_tokens(text, options);
  options.open_conditions = options.in_svg = true;
  check_tokens(text, options);
  check_scan(text);
  if (size > 0) {
    constexpr std::string_view kLabels[] = {"utf-8",  "gb18030", "shift_jis",   "big5",
                                            "euc-kr", "utf-16",  "iso-2022-jp", "hz"};
    const std::string_view label = kLabels[data[size - 1] % std::size(kLabels)];
    const Charset charset = charset_of(text, label);
    FUZZ_CHECK(masked(text, charset).size() == size);
    const auto converted = to_utf8(text, charset, OnInvalid::replace);
    if (converted) with_utf8_meta(*converted);
  }
  return 0;
}
