#include "html/reference.h"

#include "base/ascii.h"
#include "html/css.h"
#include "html/entities.h"

namespace pixmilter::html {
namespace {

// What stands between the quotes of an attribute, or in its place without quotes.
void append_attribute_text(std::string_view text, std::string& out) {
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      default:
        out.push_back(c);
    }
  }
}

}  // namespace

std::string_view name(Place place) {
  switch (place) {
    case Place::img_src:
      return "img src";
    case Place::input_src:
      return "input src";
    case Place::srcset:
      return "srcset";
    case Place::background:
      return "background";
    case Place::vml_src:
      return "VML src";
    case Place::style_attr:
      return "style attribute";
    case Place::style_block:
      return "style block";
    case Place::inline_svg:
      return "inline svg";
  }
  return "unknown place";
}

std::string_view url(const Reference& reference, std::string& scratch) {
  if (reference.verbatim || reference.place == Place::inline_svg) return reference.raw;
  scratch.clear();
  std::string_view text = reference.raw;
  std::string resolved;
  if (reference.quoting.in_attribute) {
    decode_references(text, ReferenceContext::attribute, reference.quoting.in_css ? resolved : scratch);
    text = reference.quoting.in_css ? resolved : scratch;
  }
  if (reference.quoting.in_css) {
    css::unescape(text, scratch);
    text = scratch;
  }
  return ascii::trim(text);
}

std::string replacement(const Reference& reference, std::string_view new_url) {
  const Quoting& quoting = reference.quoting;
  if (!quoting.in_attribute && !quoting.in_css) return std::string(new_url);
  std::string out;
  // Some mail clients know only url('...'), quoted; where the attribute's own quote forbids the apostrophe,
  // it is written as a reference.
  const bool plain = !quoting.in_attribute || quoting.attribute_quote == '"';
  const std::string_view quote = !quoting.in_css ? "" : plain ? "'" : "&#39;";
  const bool is_function = quoting.in_css && !quoting.css_string;
  if (is_function) out += "url(";
  out += quote;
  if (quoting.in_attribute)
    append_attribute_text(new_url, out);
  else
    out += new_url;
  out += quote;
  if (is_function) out += ')';
  if (quoting.after_reference && !out.empty() && out.front() != '&')
    out.replace(0, 1, "&#" + std::to_string(static_cast<int>(out.front())) + ';');
  return out;
}

}  // namespace pixmilter::html
