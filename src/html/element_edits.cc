#include "html/element_edits.h"

#include <algorithm>
#include <cstdint>

#include "base/ascii.h"
#include "html/conditional.h"
#include "html/tokenizer.h"

namespace pixmilter::html {
namespace {

// One character of UTF-8 from the front of text; what is none gives U+FFFD for its first byte.
std::uint32_t take_character(std::string_view& text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t size = lead < 0x80       ? 1
                           : lead >> 5 == 6  ? 2
                           : lead >> 4 == 14 ? 3
                           : lead >> 3 == 30 ? 4
                                             : 0;
  std::uint32_t code = size < 2 ? lead : lead & (0xFF >> (size + 1));
  bool valid = size != 0 && size <= text.size();
  for (std::size_t i = 1; valid && i < size; ++i) {
    const auto next = static_cast<unsigned char>(text[i]);
    valid = next >> 6 == 2;
    code = code << 6 | (next & 0x3F);
  }
  text.remove_prefix(valid ? size : 1);
  return valid ? code : 0xFFFD;
}

// For any attribute quote, in any charset that is a superset of ASCII.
std::string attribute_text(std::string_view utf8) {
  std::string out;
  while (!utf8.empty()) {
    const std::uint32_t code = take_character(utf8);
    if (code >= 0x7F || code < ' ' || code == '&' || code == '<' || code == '>' || code == '"' ||
        code == '\'')
      out += "&#" + std::to_string(code) + ";";
    else
      out.push_back(static_cast<char>(code));
  }
  return out;
}

// Between what the sender says of the picture and why it is not there.
constexpr std::string_view kBetween = " - ";

class Editor {
 public:
  Editor(std::string_view html, const std::vector<Reference>& references, const std::vector<Fate>& fates)
      : html_(html), references_(references), fates_(fates) {}

  std::vector<ElementEdit> run() {
    for (std::size_t i = 0; i < references_.size(); ++i)
      if (goes(i)) edit_without_tag(references_[i]);
    read(html_, false);
    return outermost();
  }

  // The alt of one tag.
  void say(const Token& token, std::string_view reason) {
    const std::string text = attribute_text(reason);
    const Attribute* alt = token.find("alt");
    if (alt == nullptr) {
      const std::size_t at = end_of(token.name);
      return edit({at, at}, " alt=\"" + text + "\"");
    }
    const std::string_view old = ascii::trim(alt->value);
    const std::size_t begin = offset(alt->value.data()), end = end_of(alt->value);
    if (alt->quote == 0) {
      const char quote = old.find('"') == std::string_view::npos ? '"' : '\'';
      if (old.empty() || old.find(quote) != std::string_view::npos)
        return edit({offset(alt->name.data()), offset(alt->end())}, "alt=\"" + text + "\"");
      edit({begin, begin}, std::string(1, quote));
      return edit({end, end}, std::string(kBetween) + text + quote);
    }
    edit({old.empty() ? begin : end, end}, (old.empty() ? "" : std::string(kBetween)) + text);
  }
  const std::vector<ElementEdit>& edits() const { return edits_; }

 private:
  std::size_t offset(const char* at) const { return static_cast<std::size_t>(at - html_.data()); }
  std::size_t end_of(std::string_view view) const { return offset(view.data()) + view.size(); }
  bool goes(std::size_t reference) const { return fates_[reference].kind == Fate::Kind::goes; }
  void edit(Range range, std::string replacement) { edits_.push_back({range, std::move(replacement)}); }

  // Where no tag has to be known.
  void edit_without_tag(const Reference& reference) {
    if (reference.place == Place::inline_svg)
      edit(reference.range, {});
    else if (reference.place == Place::style_attr || reference.place == Place::style_block)
      edit(reference.range, reference.quoting.after_reference ? "&#110;one" : "none");
  }

  // The stretches that scan() reads: the text, and what Outlook sees in its conditional comments.
  void read(std::string_view stretch, bool in_condition) {
    TokenizerOptions options;
    options.open_conditions = in_condition;
    Tokenizer tokenizer(stretch, options);
    for (Token token; tokenizer.next(token);) {
      if (token.kind == TokenKind::start_tag) {
        edit_tag(token);
      } else if (token.kind == TokenKind::comment && !in_condition) {
        if (const std::string_view content = conditional_content(token.data); !content.empty())
          read(content, true);
      }
    }
  }

  void edit_tag(const Token& token) {
    const std::size_t begin = offset(token.raw.data()), end = end_of(token.raw);
    const auto first =
        std::lower_bound(references_.begin(), references_.end(), begin,
                         [](const Reference& r, std::size_t at) { return r.range.begin < at; });
    std::vector<std::size_t> here;
    for (auto at = first; at != references_.end() && at->range.begin < end; ++at)
      here.push_back(static_cast<std::size_t>(at - references_.begin()));
    if (here.empty()) return;

    const bool has_src = token.find("src") != nullptr;
    std::vector<std::size_t> candidates;
    bool element_goes = false;
    std::string_view reason;
    for (const std::size_t i : here) {
      const Place place = references_[i].place;
      const bool whole = place == Place::img_src || place == Place::input_src || place == Place::vml_src;
      if (place == Place::srcset) candidates.push_back(i);
      element_goes = element_goes || (whole && goes(i));
      if (fates_[i].kind == Fate::Kind::told && (whole || (place == Place::srcset && !has_src)))
        reason = fates_[i].reason;
    }
    const bool all_candidates = !candidates.empty() && std::all_of(candidates.begin(), candidates.end(),
                                                                   [&](auto i) { return goes(i); });
    if (element_goes || (all_candidates && (token.tag == Tag::source || !has_src)))
      return edit({begin, end_of_element(token)}, {});

    for (const std::size_t i : here)
      if (goes(i) && references_[i].place == Place::background) remove_attribute(token, references_[i]);
    if (all_candidates)
      remove_attribute(token, references_[candidates.front()]);
    else
      remove_candidates(token, candidates);
    if (!reason.empty() && (token.tag == Tag::img || token.tag == Tag::image || token.tag == Tag::input))
      say(token, reason);
  }

  // VML is XML: an element that is not closed in its tag ends in a tag of its own.
  std::size_t end_of_element(const Token& token) const {
    const std::size_t end = end_of(token.raw);
    if (token.self_closing || token.name.find(':') == std::string_view::npos) return end;
    const std::size_t next = html_.find_first_not_of(" \t\r\n", end);
    if (next == std::string_view::npos) return end;
    const std::string_view rest = html_.substr(next);
    if (!ascii::istarts_with(rest, "</") || !ascii::istarts_with(rest.substr(2), token.name)) return end;
    const std::size_t close = html_.find('>', next);
    return close == std::string_view::npos || close != next + 2 + token.name.size() ? end : close + 1;
  }

  const Attribute* attribute_of(const Token& token, const Reference& reference) const {
    for (const Attribute& attribute : token.attributes)
      if (attribute.has_value && reference.range.begin >= offset(attribute.value.data()) &&
          reference.range.end <= end_of(attribute.value))
        return &attribute;
    return nullptr;
  }

  // With the white space before it, where that does not hold two others apart.
  void remove_attribute(const Token& token, const Reference& reference) {
    const Attribute* attribute = attribute_of(token, reference);
    if (attribute == nullptr) return;
    Range range{offset(attribute->name.data()), offset(attribute->end())};
    const char next = range.end < html_.size() ? html_[range.end] : '>';
    if (next == '>' || ascii::is_space(next))
      while (range.begin > 0 && ascii::is_space(html_[range.begin - 1])) --range.begin;
    edit(range, {});
  }

  // Each up to the next candidate; those at the end with the comma before them.
  void remove_candidates(const Token& token, const std::vector<std::size_t>& candidates) {
    std::size_t last_kept = 0;
    for (std::size_t i = 0; i < candidates.size(); ++i)
      if (!goes(candidates[i])) last_kept = i;
    for (std::size_t i = 0; i < last_kept; ++i)
      if (goes(candidates[i]))
        edit({references_[candidates[i]].range.begin, references_[candidates[i + 1]].range.begin}, {});
    if (last_kept + 1 >= candidates.size()) return;
    const Attribute* srcset = attribute_of(token, references_[candidates[last_kept]]);
    if (srcset == nullptr) return;
    const std::size_t kept = references_[candidates[last_kept]].range.end;
    const std::size_t next = references_[candidates[last_kept + 1]].range.begin;
    const std::size_t comma = html_.substr(0, next).rfind(',');
    edit({comma == std::string_view::npos || comma < kept ? next : comma, end_of(srcset->value)}, {});
  }

  // Sorted, without those that lie within another.
  std::vector<ElementEdit> outermost() {
    std::stable_sort(edits_.begin(), edits_.end(), [](const ElementEdit& a, const ElementEdit& b) {
      return a.range.begin != b.range.begin ? a.range.begin < b.range.begin : a.range.end > b.range.end;
    });
    std::vector<ElementEdit> out;
    std::size_t covered = 0;
    for (ElementEdit& one : edits_) {
      if (!out.empty() && one.range.begin < covered) continue;
      covered = std::max(covered, one.range.end);
      out.push_back(std::move(one));
    }
    return out;
  }

  std::string_view html_;
  const std::vector<Reference>& references_;
  const std::vector<Fate>& fates_;
  std::vector<ElementEdit> edits_;
};

}  // namespace

std::vector<ElementEdit> element_edits(std::string_view html, const std::vector<Reference>& references,
                                       const std::vector<Fate>& fates) {
  if (std::all_of(fates.begin(), fates.end(), [](const Fate& f) { return f.kind == Fate::Kind::stays; }))
    return {};
  return Editor(html, references, fates).run();
}

std::string with_alt(std::string_view element, std::string_view reason) {
  Tokenizer tokenizer(element);
  Token token;
  const std::vector<Reference> no_references;
  const std::vector<Fate> no_fates;
  Editor editor(element, no_references, no_fates);
  if (!tokenizer.next(token) || token.kind != TokenKind::start_tag) return std::string(element);
  editor.say(token, reason);
  const ElementEdit& edit = editor.edits().front();
  return std::string(element.substr(0, edit.range.begin)) + edit.replacement +
         std::string(element.substr(edit.range.end));
}

}  // namespace pixmilter::html
