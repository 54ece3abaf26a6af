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

bool is_integration_point(const ForeignContent::StartTag& tag) {
  switch (tag.tag) {
    case Tag::foreign_object:
    case Tag::desc:
    case Tag::title:
    case Tag::mi:
    case Tag::mn:
    case Tag::mo:
    case Tag::ms:
    case Tag::mtext:
      return true;
    case Tag::annotation_xml:
      return tag.html_annotation;
    default:
      return false;
  }
}

}  // namespace

void ForeignContent::push(const StartTag& tag) {
  if (tag.self_closing) return;
  if (stack_.size() < kMaxDepth)
    stack_.push_back({tag.name, is_integration_point(tag)});
  else
    ++overflow_;
}

void ForeignContent::break_out() {
  overflow_ = 0;
  while (foreign()) stack_.pop_back();
}

bool ForeignContent::start(const StartTag& tag) {
  if (foreign()) {
    const bool breaks =
        kBreakouts[static_cast<std::size_t>(tag.tag)] || (tag.tag == Tag::font && tag.font_attributes);
    if (!breaks) {
      push(tag);
      return true;
    }
    break_out();
  }
  if (tag.tag == Tag::svg || tag.tag == Tag::math) {
    push(tag);
    return true;
  }
  if (stack_.empty()) ++html_open_[static_cast<std::size_t>(tag.tag)];
  return false;
}

void ForeignContent::end(std::string_view name, Tag tag) {
  std::uint32_t& open = html_open_[static_cast<std::size_t>(tag)];
  if (stack_.empty()) {
    if (open > 0) --open;
    return;
  }
  if (foreign() && (tag == Tag::p || tag == Tag::br)) {
    break_out();
    if (stack_.empty() && open > 0) --open;
    return;
  }
  if (overflow_ > 0) {
    --overflow_;
    return;
  }
  bool behind_integration_point = false;
  for (std::size_t i = stack_.size(); i-- > 0;) {
    if (ascii::iequals(stack_[i].name, name)) {
      stack_.resize(i);
      return;
    }
    behind_integration_point |= stack_[i].integration_point;
  }
  // The end of an HTML element that is open round the foreign content closes that content too, unless an
  // integration point keeps it in.
  if (behind_integration_point || tag == Tag::other || open == 0) return;
  --open;
  stack_.clear();
}

}  // namespace pixmilter::html
