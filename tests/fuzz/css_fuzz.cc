// The CSS scanner: images lie in the text in order, replacing them gives a text with the same images, a
// sealed style sheet refers to nothing outside.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/ascii.h"
#include "check.h"
#include "html/css.h"
#include "html/css_lexer.h"
#include "html/length.h"
#include "html/svg_css.h"
#include "html/svg_rules.h"

namespace pixmilter::html {
namespace {

constexpr std::size_t kWorkPerByte = 8;

std::vector<css::Image> images_of(std::string_view text) {
  std::vector<css::Image> images;
  const std::size_t work = css::find_images(text, images);
  FUZZ_CHECK(work <= kWorkPerByte * text.size() + 64);
  std::size_t end = 0;
  for (const css::Image& image : images) {
    FUZZ_CHECK(image.range.begin >= end && image.range.begin <= image.url.begin);
    FUZZ_CHECK(image.url.begin < image.url.end && image.url.end <= image.range.end);
    end = image.range.end;
    FUZZ_CHECK(end <= text.size());
  }
  return images;
}

void check_lexer(std::string_view text) {
  css::CssLexer lexer(text);
  std::size_t end = 0;
  for (css::CssToken token; lexer.next(token);) {
    FUZZ_CHECK(token.range.begin == end && token.range.end > end);
    end = token.range.end;
  }
  FUZZ_CHECK(end == text.size());
}

void check(std::string_view text) {
  check_lexer(text);
  const std::vector<css::Image> images = images_of(text);
  std::string after;
  std::size_t at = 0;
  for (const css::Image& image : images) {
    std::string url;
    css::unescape(text.substr(image.url.begin, image.url.size()), url);
    after += text.substr(at, image.range.begin - at);
    after += image.is_string ? "'cid:a@b'" : "url('cid:a@b')";
    at = image.range.end;
  }
  after += text.substr(at);
  const std::vector<css::Image> again = images_of(after);
  FUZZ_CHECK(again.size() == images.size());
  for (std::size_t i = 0; i < again.size(); ++i) {
    FUZZ_CHECK(again[i].is_string == images[i].is_string);
    FUZZ_CHECK(std::string_view(after).substr(again[i].url.begin, again[i].url.size()) == fuzz::kUrl);
  }

  std::vector<css::Declaration> declarations;
  css::read_declarations(text, declarations);
  styled_size(text, {});
  std::string sealed;
  std::vector<std::string> ids;
  append_sealed_stylesheet(text, sealed, ids);
  for (const std::string& value : {sealed, sealed_value(text, ids)}) {
    css::CssLexer lexer(value);
    for (css::CssToken token; lexer.next(token);) {
      if (token.kind != css::Kind::url) continue;
      std::string url;
      css::unescape(std::string_view(value).substr(token.content.begin, token.content.size()), url);
      const std::string_view trimmed = ascii::trim(url);
      FUZZ_CHECK(trimmed.starts_with('#') || ascii::istarts_with(trimmed, "data:"));
    }
  }
  SvgRules(sealed).style_for({{"td", "a", {"b", "pixmilter-td"}}, {"svg", "c", {"d"}}});
}

}  // namespace
}  // namespace pixmilter::html

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  pixmilter::html::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
