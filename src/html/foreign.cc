#include "html/foreign.h"

#include "base/ascii.h"

namespace pixmilter::html {
namespace {

// Start tags that end foreign content wherever they stand in it.
constexpr std::array<bool, kTagCount> make_breakouts() {
  std::array<bool, kTagCount> out{};
  for (const Tag tag :
       {Tag::b,      Tag::big,    Tag::blockquote, Tag::body,    Tag::br,    Tag::center, Tag::code,
        Tag::dd,     Tag::div,    Tag::dl,         Tag::dt,      Tag::em,    Tag::embed,  Tag::h1,
        Tag::h2,     Tag::h3,     Tag::h4,         Tag::h5,      Tag::h6,    Tag::head,   Tag::hr,
        Tag::i,      Tag::img,    Tag::li,         Tag::listing, Tag::menu,  Tag::meta,   Tag::nobr,
        Tag::ol,     Tag::p,      Tag::pre,        Tag::ruby,    Tag::s,     Tag::small,  Tag::span,
        Tag::strong, Tag::strike, Tag::sub,        Tag::sup,     Tag::table, Tag::tt,     Tag::u,
        Tag::ul,     Tag::var})
    out[static_cast<std::size_t>(tag)] = true;
  return out;
}
constexpr auto kBreakouts = make_breakouts();

// HTML elements that are never open: they have no content, or no place outside a table.
bool stays_closed(const ForeignContent::StartTag& tag) {
  switch (tag.tag) {
    case Tag::br:
    case Tag::embed:
    case Tag::hr:
    case Tag::image:
    case Tag::img:
    case Tag::input:
    case Tag::meta:
    case Tag::source:
    case Tag::html:
    case Tag::head:
    case Tag::body:
    case Tag::tbody:
    case Tag::td:
    case Tag::tfoot:
    case Tag::th:
    case Tag::thead:
    case Tag::tr:
      return true;
    case Tag::other:
      for (const std::string_view name : {"area", "base", "basefont", "bgsound", "caption", "col", "colgroup",
                                          "frame", "frameset", "keygen", "link", "param", "track", "wbr"})
        if (ascii::iequals(tag.name, name)) return true;
      return false;
    default:
      return false;
  }
}

// Elements whose start tag ends an open one of the same name.
bool ends_its_like(Tag tag) {
  return tag == Tag::p || tag == Tag::li || tag == Tag::dd || tag == Tag::dt || tag == Tag::a ||
         tag == Tag::nobr;
}

}  // namespace

void ForeignContent::push(const StartTag& tag, Kind kind) {
  if (tag.self_closing && kind != Kind::html) return;
  if (stack_.size() >= kMaxDepth) {
    ++overflow_;
    overflow_svg_ += tag.tag == Tag::svg ? 1 : 0;
    return;
  }
  bool integration_point = false;
  switch (tag.tag) {
    case Tag::foreign_object:
    case Tag::desc:
    case Tag::title:
      integration_point = kind == Kind::svg;
      break;
    case Tag::mi:
    case Tag::mn:
    case Tag::mo:
    case Tag::ms:
    case Tag::mtext:
      integration_point = kind == Kind::math;
      break;
    case Tag::annotation_xml:
      integration_point = kind == Kind::math && tag.html_annotation;
      break;
    default:
      break;
  }
  stack_.push_back({tag.name, kind, integration_point});
}

void ForeignContent::break_out() {
  overflow_ = overflow_svg_ = 0;
  while (foreign()) stack_.pop_back();
}

// HTML within an integration point.
void ForeignContent::start_inner_html(const StartTag& tag) {
  if (stays_closed(tag)) return;
  if (ends_its_like(tag.tag) && stack_.back().kind == Kind::html &&
      ascii::iequals(stack_.back().name, tag.name))
    stack_.pop_back();
  push(tag, Kind::html);
}

bool ForeignContent::start(const StartTag& tag) {
  if (foreign()) {
    const bool breaks =
        kBreakouts[static_cast<std::size_t>(tag.tag)] || (tag.tag == Tag::font && tag.font_attributes);
    if (!breaks) {
      const bool svg_in_annotation =
          tag.tag == Tag::svg && ascii::iequals(stack_.back().name, "annotation-xml");
      push(tag, svg_in_annotation ? Kind::svg : stack_.back().kind);
      return true;
    }
    break_out();
  }
  if (tag.tag == Tag::svg || tag.tag == Tag::math) {
    push(tag, tag.tag == Tag::math ? Kind::math : Kind::svg);
    return true;
  }
  if (stack_.empty())
    ++html_open_[static_cast<std::size_t>(tag.tag)];
  else
    start_inner_html(tag);
  return false;
}

void ForeignContent::end(std::string_view name, Tag tag) {
  std::uint32_t& open = html_open_[static_cast<std::size_t>(tag)];
  if (foreign() && (tag == Tag::p || tag == Tag::br)) break_out();
  if (stack_.empty()) {
    if (open > 0) --open;
    return;
  }
  // Beyond the limit names are forgotten, but not so that a picture would miss its end.
  if (overflow_ > 0 && (tag != Tag::svg || overflow_svg_ > 0)) {
    --overflow_;
    overflow_svg_ -= tag == Tag::svg ? 1 : 0;
    return;
  }
  overflow_ = overflow_svg_ = 0;
  // First the SVG or MathML elements that are open innermost may be meant.
  for (std::size_t i = stack_.size(); i > 0 && stack_[i - 1].kind != Kind::html; --i) {
    if (!ascii::iequals(stack_[i - 1].name, name)) continue;
    stack_.resize(i - 1);
    return;
  }
  // Then an HTML element round them, up to the next integration point.
  for (std::size_t i = stack_.size(); i > 0; --i) {
    const Element& element = stack_[i - 1];
    if (element.kind == Kind::html && ascii::iequals(element.name, name)) {
      stack_.resize(i - 1);
      return;
    }
    if (element.integration_point) return;
  }
  // At last one round all foreign content: its end tag closes that content too.
  if (tag == Tag::other || open == 0) return;
  --open;
  stack_.clear();
}

}  // namespace pixmilter::html
