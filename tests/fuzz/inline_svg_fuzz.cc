// Inline pictures: whatever the HTML, the document made of one is well-formed XML, and the <img> in its place
// is one image and no picture any more.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "../lib/xml_check.h"
#include "check.h"
#include "html/inline_svg.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace pixmilter;
  using namespace pixmilter::html;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Scan found = scan(text);
  const InlineSvgs reader(text);
  for (const Reference& reference : found.references) {
    if (reference.place != Place::inline_svg) continue;
    const auto svg = reader.read(reference);
    if (!svg) continue;
    if (svg->hidden) {  // is left where it is: nothing was made of it
      FUZZ_CHECK(svg->document.empty());
      continue;
    }
    FUZZ_CHECK(svg->width >= 1 && svg->height >= 1);
    const std::string error = tests::xml_error(svg->document);
    if (!error.empty()) {
      std::fprintf(stderr, "%s\n%s\n", error.c_str(), svg->document.c_str());
      std::abort();
    }
    const std::string img = img_element(reference, fuzz::kUrl, *svg);
    const Scan again = scan(img);
    FUZZ_CHECK(!again.references.empty() && again.references[0].place == Place::img_src);
    FUZZ_CHECK(again.references[0].raw == fuzz::kUrl && again.references.size() == 1);
    Tokenizer tokenizer(img);
    Token token;
    FUZZ_CHECK(tokenizer.next(token) && token.raw.size() == img.size() && token.tag == Tag::img);
  }
  return 0;
}
