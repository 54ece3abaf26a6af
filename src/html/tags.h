// The element names that mean something to us, as numbers: those whose content is no markup, those that
// bear images, and those that the HTML standard lets end an <svg> or <math> (section 13.2.6.5).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/ascii.h"

namespace pixmilter::html {

// clang-format off
#define PIXMILTER_HTML_TAGS(X)                                                                        \
  X(a, "a") X(annotation_xml, "annotation-xml") X(b, "b") X(big, "big") X(blockquote, "blockquote")   \
  X(body, "body") X(br, "br") X(center, "center") X(code, "code") X(dd, "dd") X(desc, "desc")         \
  X(div, "div") X(dl, "dl") X(dt, "dt") X(em, "em") X(embed, "embed") X(font, "font")                 \
  X(foreign_object, "foreignobject") X(h1, "h1") X(h2, "h2") X(h3, "h3") X(h4, "h4") X(h5, "h5")      \
  X(h6, "h6") X(head, "head") X(hr, "hr") X(html, "html") X(i, "i") X(iframe, "iframe")               \
  X(image, "image") X(img, "img") X(input, "input") X(li, "li") X(listing, "listing")                 \
  X(math, "math") X(menu, "menu") X(meta, "meta") X(mi, "mi") X(mn, "mn") X(mo, "mo") X(ms, "ms")     \
  X(mtext, "mtext") X(nobr, "nobr") X(noembed, "noembed") X(noframes, "noframes") X(ol, "ol")         \
  X(p, "p") X(plaintext, "plaintext") X(pre, "pre") X(ruby, "ruby") X(s, "s") X(script, "script")     \
  X(small, "small") X(source, "source") X(span, "span") X(strike, "strike") X(strong, "strong")       \
  X(style, "style") X(sub, "sub") X(sup, "sup") X(svg, "svg") X(table, "table") X(tbody, "tbody")     \
  X(td, "td") X(textarea, "textarea") X(tfoot, "tfoot") X(th, "th") X(thead, "thead")                 \
  X(title, "title") X(tr, "tr") X(tt, "tt") X(u, "u") X(ul, "ul") X(var, "var") X(v_fill, "v:fill")   \
  X(v_image, "v:image") X(v_imagedata, "v:imagedata") X(xmp, "xmp")
// clang-format on

enum class Tag : std::uint8_t {
  other,
#define X(id, text) id,
  PIXMILTER_HTML_TAGS(X)
#undef X
      count_
};
inline constexpr std::size_t kTagCount = static_cast<std::size_t>(Tag::count_);

namespace tags_detail {

inline constexpr std::string_view kNames[kTagCount] = {"",
#define X(id, text) text,
                                                       PIXMILTER_HTML_TAGS(X)
#undef X
};
inline constexpr std::size_t kLongest = 14;
inline constexpr std::size_t kSlots = 512;

constexpr std::size_t slot(std::string_view name) {
  const auto first = static_cast<unsigned char>(ascii::lower(name.front()));
  const auto last = static_cast<unsigned char>(ascii::lower(name.back()));
  return (first * 37U + last * 5U + name.size() * 131U) % kSlots;
}

// Open addressing; 0 (Tag::other) is an empty slot.
constexpr std::array<std::uint8_t, kSlots> make_table() {
  std::array<std::uint8_t, kSlots> table{};
  for (std::size_t i = 1; i < kTagCount; ++i) {
    std::size_t at = slot(kNames[i]);
    while (table[at] != 0) at = (at + 1) % kSlots;
    table[at] = static_cast<std::uint8_t>(i);
  }
  return table;
}
inline constexpr auto kTable = make_table();

}  // namespace tags_detail

// The tag of an element name in any case.
inline Tag tag_of(std::string_view name) {
  using namespace tags_detail;
  if (name.empty() || name.size() > kLongest) return Tag::other;
  for (std::size_t at = slot(name); kTable[at] != 0; at = (at + 1) % kSlots)
    if (ascii::iequals(name, kNames[kTable[at]])) return static_cast<Tag>(kTable[at]);
  return Tag::other;
}

// Elements that have no content in HTML, whatever follows their start tag: the void elements
// (section 13.1.2), and those of older HTML that the tree builder takes off at once (section 13.2.6.4).
// "image" is read as "img".
inline bool is_void(std::string_view name) {
  for (const std::string_view one :
       {"area", "base", "basefont", "bgsound", "br", "col", "embed", "frame", "hr", "image", "img", "input",
        "keygen", "link", "meta", "param", "source", "track", "wbr"})
    if (ascii::iequals(name, one)) return true;
  return false;
}

}  // namespace pixmilter::html
