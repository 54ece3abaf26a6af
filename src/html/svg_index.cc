#include "html/svg_index.h"

#include <algorithm>
#include <utility>

#include "base/ascii.h"
#include "html/entities.h"

namespace pixmilter::html {
namespace {

std::string_view value_of(const Token& token, std::string_view name) {
  const Attribute* attribute = token.find(name);
  return attribute != nullptr ? attribute->value : std::string_view();
}

// A style sheet for the screen, as far as its attributes say.
bool applies(const Token& token) {
  const std::string_view type = ascii::trim(value_of(token, "type"));
  const std::string_view media = ascii::trim(value_of(token, "media"));
  return (type.empty() || ascii::iequals(type, "text/css")) &&
         (media.empty() || ascii::iequals(media, "all") || ascii::iequals(media, "screen"));
}

}  // namespace

SvgIndex::SvgIndex(std::string_view html) : html_(html) {
  Tokenizer tokenizer(html);
  bool in_style = false;
  std::size_t svg_style = kNone;  // where the content of an open <style> in SVG began
  std::size_t depth = 0;
  for (Token token; tokenizer.next(token); depth = tokenizer.foreign_depth()) {
    const std::size_t begin = static_cast<std::size_t>(token.raw.data() - html.data());
    if (in_style && token.kind == TokenKind::text) sheets_.push_back({token.raw, false});
    in_style = false;
    if (tokenizer.foreign_depth() == 0 && depth > 0) {
      const bool own_end = token.kind == TokenKind::end_tag && token.tag == Tag::svg;
      close_svg({}, own_end ? begin + token.raw.size() : begin);
      svg_style = kNone;
    }
    if (token.kind == TokenKind::start_tag && token.foreign) {
      if (depth == 0) parents_.emplace(begin, open_html_.empty() ? kNone : open_html_.back());
      open_svg(token);
      if (token.tag == Tag::style && !token.self_closing && applies(token))
        svg_style = begin + token.raw.size();
    } else if (token.kind == TokenKind::start_tag && tokenizer.foreign_depth() == 0) {
      open_html(token);
      in_style = token.tag == Tag::style && applies(token);
    } else if (token.kind == TokenKind::end_tag) {
      if (token.tag == Tag::style && svg_style != kNone) {
        sheets_.push_back({html.substr(svg_style, begin - svg_style), true});
        svg_style = kNone;
      }
      if (tokenizer.foreign_depth() > 0)
        close_svg(token.name, begin + token.raw.size());
      else if (depth == 0)
        close_html(token.name);
    }
  }
  close_svg({}, html.size());
}

void SvgIndex::open_html(const Token& token) {
  if (is_void(token.name) || open_html_.size() >= kMaxDepth) return;
  nodes_.push_back({{token.name, value_of(token, "id"), value_of(token, "class"), value_of(token, "style")},
                    open_html_.empty() ? kNone : open_html_.back()});
  open_html_.push_back(nodes_.size() - 1);
}

void SvgIndex::close_html(std::string_view name) {
  for (std::size_t i = open_html_.size(); i-- > 0;) {
    if (!ascii::iequals(nodes_[open_html_[i]].element.name, name)) continue;
    open_html_.resize(i);
    return;
  }
}

void SvgIndex::open_svg(const Token& token) {
  const std::size_t begin = static_cast<std::size_t>(token.raw.data() - html_.data());
  std::size_t definition = kNone;
  std::string id;
  decode_references(value_of(token, "id"), ReferenceContext::attribute, id);
  if (!id.empty() && by_id_.emplace(std::move(id), definitions_.size()).second) {
    definition = definitions_.size();
    definitions_.push_back({begin, begin + token.raw.size()});
  }
  if (!token.self_closing && open_svg_.size() < kMaxDepth) open_svg_.push_back({token.name, definition});
}

// An empty name closes all.
void SvgIndex::close_svg(std::string_view name, std::size_t end) {
  std::size_t to = open_svg_.size();
  if (name.empty()) {
    to = 0;
  } else {
    while (to > 0 && !ascii::iequals(open_svg_[to - 1].name, name)) --to;
    if (to == 0) return;
    --to;
  }
  // What is closed by another element's end tag ends where that tag begins; the difference is only the tag.
  for (; open_svg_.size() > to; open_svg_.pop_back())
    if (open_svg_.back().definition != kNone) definitions_[open_svg_.back().definition].end = end;
}

std::string_view SvgIndex::definition(std::string_view id) const {
  const auto found = by_id_.find(std::string(id));
  if (found == by_id_.end()) return {};
  const Range& range = definitions_[found->second];
  return html_.substr(range.begin, range.size());
}

std::vector<SvgIndex::Ancestor> SvgIndex::ancestors(std::size_t offset) const {
  std::vector<Ancestor> out;
  const auto found = parents_.find(offset);
  for (std::size_t at = found != parents_.end() ? found->second : kNone; at != kNone; at = nodes_[at].parent)
    out.push_back(nodes_[at].element);
  std::reverse(out.begin(), out.end());
  return out;
}

}  // namespace pixmilter::html
