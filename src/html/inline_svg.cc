#include "html/inline_svg.h"

#include <algorithm>
#include <cmath>
#include <unordered_set>
#include <utility>

#include "base/ascii.h"
#include "html/css.h"
#include "html/entities.h"
#include "html/img_layout.h"
#include "html/svg_css.h"
#include "html/svg_size.h"
#include "html/svg_xml.h"
#include "html/tokenizer.h"

namespace pixmilter::html {
namespace {

// What the <img> has from the same style attribute and class and would do twice, as it is without them.
constexpr std::pair<std::string_view, std::string_view> kOnceOnly[] = {
    {"opacity", "1"}, {"filter", "none"}, {"transform", "none"}, {"mask", "none"}, {"clip-path", "none"}};

// Properties that an element inherits and that show in a picture.
bool is_inherited(std::string_view property) {
  for (const std::string_view prefix : {"fill", "stroke", "font"})
    if (ascii::istarts_with(property, prefix)) return true;
  for (const std::string_view name : {"color", "letter-spacing", "word-spacing", "text-anchor", "direction",
                                      "shape-rendering", "text-rendering", "paint-order"})
    if (ascii::iequals(property, name)) return true;
  return false;
}

bool is_size(std::string_view property) {
  for (const std::string_view name :
       {"width", "height", "min-width", "min-height", "max-width", "max-height"})
    if (ascii::iequals(property, name)) return true;
  return false;
}

Token first_tag(Tokenizer& tokenizer) {
  Token token;
  tokenizer.next(token);
  return token;
}

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> out;
  while (!(text = ascii::trim(text)).empty()) {
    std::size_t end = 0;
    while (end < text.size() && !ascii::is_space(text[end])) ++end;
    out.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return out;
}

// Views into style, which therefore must not be a temporary.
std::vector<css::Declaration> declarations_of(std::string&& style) = delete;
std::vector<css::Declaration> declarations_of(const std::string& style) {
  std::vector<css::Declaration> out;
  css::read_declarations(style, out);
  return out;
}

std::string written(const css::Declaration& declaration, std::vector<std::string>& ids) {
  return std::string(declaration.property) + ':' + sealed_value(declaration.value, ids) +
         (declaration.important ? "!important;" : ";");
}

// The attributes that the outermost element gets in place of its own size and style.
std::string root_attributes(const Token& root, double width, double height,
                            std::vector<std::string>& wanted) {
  const std::string own_style = attribute_value(root, "style");
  std::string style;
  for (const css::Declaration& declaration : declarations_of(own_style))
    if (!is_size(declaration.property) && !ascii::iequals(declaration.property, "display"))
      style += written(declaration, wanted);
  for (const auto& [property, initial] : kOnceOnly) {
    const std::string own = sealed_value(attribute_value(root, property), wanted);
    style += std::string(property) + ':' + (own.empty() ? std::string(initial) : own) + "!important;";
  }
  style += "display:inline!important;width:" + css_number(width) +
           "px!important;height:" + css_number(height) + "px!important";
  std::string out = " width=\"" + css_number(width) + "\" height=\"" + css_number(height) + "\" style=\"";
  append_xml_value(style, out);
  out += '"';
  return out;
}

}  // namespace

InlineSvgs::InlineSvgs(std::string_view html, Charset charset)
    : html_(html), charset_(std::move(charset)), index_(html) {
  std::string anywhere;
  for (const SvgIndex::Sheet& sheet : index_.sheets()) {
    std::string text = utf8(sheet.text);
    if (sheet.in_svg) {
      std::string markup;
      Tokenizer tokenizer(text, {ContentMode::data, {}, true, true, false});
      for (Token token; tokenizer.next(token);) {
        if (token.kind == TokenKind::text) decode_references(token.raw, ReferenceContext::text, markup);
        if (token.kind == TokenKind::cdata) markup += token.data;
      }
      text = std::move(markup);
    }
    if (style_.size() + text.size() > kMaxSvgStyleBytes) continue;
    append_sealed_stylesheet(text, style_, style_wanted_);
    std::vector<std::string> ignored;
    append_sealed_stylesheet(text, anywhere, ignored, true);
  }
  if (!style_.empty()) {
    style_element_ = "<style>";
    append_xml_text(style_, style_element_);
    style_element_ += "</style>";
  }
  rules_ = SvgRules(style_);
  anywhere_ = SvgRules(anywhere);
}

std::string InlineSvgs::utf8(std::string_view text) const {
  Result<std::string> out = to_utf8(text, charset_, OnInvalid::replace);
  if (!out) out = to_utf8(text, {CharsetKind::ascii_superset, ""}, OnInvalid::replace);
  return out ? std::move(out).value() : std::string();
}

std::string InlineSvgs::decoded(std::string_view raw) const {
  std::string out;
  decode_references(utf8(raw), ReferenceContext::attribute, out);
  return out;
}

// For each element round the picture a <g> with its classes, its id and what its style lets it inherit; for
// none that no rule can name and that styles nothing.
void InlineSvgs::add_wrappers(const std::vector<SvgIndex::Ancestor>& ancestors, std::string& open,
                              std::string& close) const {
  for (const SvgIndex::Ancestor& ancestor : ancestors) {
    const std::string stand_in = stand_in_class(ascii::to_lower(ancestor.name));
    const std::string classes = decoded(ancestor.classes), own_style = decoded(ancestor.style);
    std::string style;
    std::vector<std::string> ignored;
    for (const css::Declaration& declaration : declarations_of(own_style))
      if (is_inherited(declaration.property)) style += written(declaration, ignored);
    const bool named = style_.find('.' + stand_in) != std::string::npos ||
                       (ascii::iequals(ancestor.name, "a") && !style_.empty());
    if (classes.empty() && ancestor.id.empty() && style.empty() && !named) continue;
    for (const auto& [property, initial] : kOnceOnly)
      style += std::string(property) + ':' + std::string(initial) + "!important;";
    style += "display:inline!important";
    // The one HTML element that SVG has as well, so that rules name it by its name in both.
    const std::string_view element = ascii::iequals(ancestor.name, "a") ? "a" : "g";
    open.append("<").append(element).append(" class=\"");
    append_xml_value(classes.empty() ? stand_in : classes + ' ' + stand_in, open);
    if (!ancestor.id.empty()) {
      open += "\" id=\"";
      append_xml_value(decoded(ancestor.id), open);
    }
    open += "\" style=\"";
    append_xml_value(style, open);
    open += "\">";
    close = "</" + std::string(element) + ">" + close;
  }
}

// The picture, by one name or the other, and the elements round it, as rules see them.
std::vector<SvgRules::Element> InlineSvgs::chain(const std::vector<SvgIndex::Ancestor>& ancestors,
                                                 const Token& root, std::string_view root_name) const {
  std::vector<SvgRules::Element> out;
  for (const SvgIndex::Ancestor& ancestor : ancestors) {
    const std::string name = ascii::to_lower(ancestor.name);
    out.push_back({name, decoded(ancestor.id), words(decoded(ancestor.classes))});
    out.back().classes.push_back(stand_in_class(name));
  }
  out.push_back({std::string(root_name), attribute_value(root, "id"), words(attribute_value(root, "class"))});
  return out;
}

Result<InlineSvg> InlineSvgs::read(const Reference& reference) const {
  const Error too_large{"inline svg makes a document of more than " + std::to_string(kMaxSvgBytes) +
                        " bytes"};
  const std::string_view raw = html_.substr(reference.range.begin, reference.range.size());
  if (raw.size() > kMaxSvgBytes) return too_large;
  const std::string text = utf8(raw);
  const std::vector<SvgIndex::Ancestor> ancestors = index_.ancestors(reference.range.begin);
  InlineSvg out;
  SvgXml picture;
  {
    Tokenizer tokenizer(text);
    const Token root = first_tag(tokenizer);
    const auto as_svg = chain(ancestors, root, "svg"), as_img = chain(ancestors, root, "img");
    const std::string rules = rules_.style_for(as_svg);
    const std::string svg_anywhere = anywhere_.style_for(as_svg), img_anywhere = anywhere_.style_for(as_img);
    SvgBox box = svg_box(root, rules, !overrides_size(svg_anywhere) && overrides_size(img_anywhere));
    if (box.hidden) {
      out.hidden = true;
      return out;
    }
    out.width = box.width;
    out.height = box.height;
    out.style = box.style + img_layout({rules, svg_anywhere, img_anywhere}, attribute_value(root, "style"));
    const std::string attributes = root_attributes(root, out.width, out.height, picture.wanted);
    if (Status status = append_svg_xml(text, &attributes, picture); !status) return status.error();
  }

  // Definitions that other pictures hold, and what these need in turn.
  SvgXml definitions;
  std::unordered_set<std::string> have(picture.ids.begin(), picture.ids.end());
  std::vector<std::string> wanted = picture.wanted;
  wanted.insert(wanted.end(), style_wanted_.begin(), style_wanted_.end());
  std::size_t fetched = 0;
  while (!wanted.empty()) {
    const std::string id = std::move(wanted.back());
    wanted.pop_back();
    if (!have.insert(id).second) continue;
    const std::string_view element = index_.definition(id);
    if (element.empty()) continue;
    if (++fetched > kMaxSvgDefinitions || element.size() > kMaxSvgBytes)
      return Error{"inline svg uses too many definitions of others"};
    const std::size_t ids = definitions.ids.size();
    definitions.wanted.clear();
    if (Status status = append_svg_xml(utf8(element), nullptr, definitions); !status) return status.error();
    have.insert(definitions.ids.begin() + static_cast<std::ptrdiff_t>(ids), definitions.ids.end());
    wanted.insert(wanted.end(), definitions.wanted.begin(), definitions.wanted.end());
    if (definitions.text.size() > kMaxSvgBytes) return too_large;
  }

  std::string open, close;
  add_wrappers(ancestors, open, close);
  const std::string size =
      " width=\"" + css_number(out.width) + "\" height=\"" + css_number(out.height) + "\"";
  out.document =
      "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\"" + size;
  out.document += " style=\"display:inline!important;width:" + css_number(out.width) +
                  "px!important;height:" + css_number(out.height) + "px!important";
  for (const auto& [property, initial] : kOnceOnly)
    out.document += ';' + std::string(property) + ':' + std::string(initial) + "!important";
  out.document += "\">";
  out.document += style_element_;
  if (!definitions.text.empty()) out.document += "<defs>" + definitions.text + "</defs>";
  out.document += open + picture.text + close + "</svg>\n";
  if (out.document.size() > kMaxSvgBytes) return too_large;
  return out;
}

namespace {

// An attribute of the element as it is written, in quotes of its own or in double ones.
void append_attribute(std::string_view name, const Attribute* attribute, std::string& out) {
  if (attribute == nullptr || attribute->value.empty()) return;
  out += ' ' + std::string(name) + '=';
  const char quote = attribute->quote != 0 ? attribute->quote : '"';
  out += quote;
  for (const char c : attribute->value) {
    if (c == quote)
      out += "&quot;";
    else
      out += c;
  }
  out += quote;
}

// Character data as the value of an attribute: what is a reference stays one, runs of white space shrink.
void append_alt(std::string_view text, bool has_references, std::string& out) {
  bool space = false;
  for (const char c : ascii::trim(text)) {
    if (ascii::is_space(c)) {
      space = true;
      continue;
    }
    if (std::exchange(space, false)) out += ' ';
    switch (c) {
      case '"':
        out += "&quot;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += has_references ? "&" : "&amp;";
        break;
      default:
        out += c;
    }
  }
}

bool is_decoration(const Token& root) {
  const std::string role = ascii::to_lower(ascii::trim(attribute_value(root, "role")));
  return role == "presentation" || role == "none" ||
         ascii::iequals(ascii::trim(attribute_value(root, "aria-hidden")), "true");
}

// The text of the first <title> that is a child of the outermost element.
void append_title(Tokenizer& tokenizer, std::string& out) {
  bool in_title = false;
  for (Token token; tokenizer.next(token);) {
    if (in_title && (token.kind == TokenKind::text || token.kind == TokenKind::cdata))
      append_alt(token.kind == TokenKind::text ? token.raw : token.data, token.kind == TokenKind::text, out);
    if (in_title && token.kind == TokenKind::end_tag && token.tag == Tag::title) return;
    if (token.kind == TokenKind::start_tag && token.tag == Tag::title && token.foreign && !token.self_closing)
      in_title = tokenizer.foreign_depth() == 2;
  }
}

// The element's own style, without pictures that would have to be found once more.
void append_own_style(const Token& root, std::string& out) {
  const Attribute* style = root.find("style");
  if (style == nullptr) return;
  const std::string text = attribute_value(root, "style");
  std::vector<css::Image> images;
  css::find_images(text, images);
  if (images.empty()) {
    for (const char c : style->value) {
      if (c == '"')
        out += "&quot;";
      else
        out += c;
    }
    return;
  }
  for (const css::Declaration& declaration : declarations_of(text)) {
    if (declaration.value.find('(') != std::string_view::npos) continue;
    std::vector<std::string> ignored;
    append_alt(written(declaration, ignored), false, out);
  }
}

}  // namespace

std::string img_element(const Reference& reference, std::string_view new_url, const InlineSvg& svg) {
  Tokenizer tokenizer(reference.raw);
  const Token root = first_tag(tokenizer);
  const std::vector<Attribute> attributes(root.attributes.begin(), root.attributes.end());
  Token kept = root;
  kept.attributes = attributes;

  std::string out = "<img src=\"";
  out += new_url;
  out += "\" width=\"" + std::to_string(std::lround(svg.width)) + "\" height=\"" +
         std::to_string(std::lround(svg.height)) + "\" alt=\"";
  if (!is_decoration(kept)) {
    if (const Attribute* label = kept.find("aria-label");
        label != nullptr && !ascii::trim(label->value).empty())
      append_alt(label->value, true, out);
    else
      append_title(tokenizer, out);
  }
  out += '"';
  append_attribute("class", kept.find("class"), out);
  append_attribute("id", kept.find("id"), out);
  out += " style=\"";
  append_alt(svg.style, false, out);
  append_own_style(kept, out);
  out += "\">";
  return out;
}

}  // namespace pixmilter::html
