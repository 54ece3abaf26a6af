// Holds the tokenizer's tags against Gumbo's tree of the same text: an independent reader of the same
// standard. Every element that Gumbo made from a tag must be a start tag at the same place with the same
// attributes, and in what Gumbo took for a script, a style sheet or a comment there must be none.
#pragma once

#include <gumbo.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/ascii.h"
#include "html/entities.h"
#include "html/tokenizer.h"

namespace pixmilter::tests {

struct TagCopy {
  std::string_view raw;
  std::vector<html::Attribute> attributes;
};

class GumboComparison {
 public:
  // text: valid UTF-8 without NUL and CR (Gumbo replaces these while it reads).
  explicit GumboComparison(std::string_view text) : text_(text) {
    html::Tokenizer tokenizer(text);
    for (html::Token token; tokenizer.next(token);)
      if (token.kind == html::TokenKind::start_tag)
        tags_[offset(token.raw.data())] = {token.raw, {token.attributes.begin(), token.attributes.end()}};
    GumboOptions options = kGumboDefaultOptions;
    options.max_errors = 0;
    GumboOutput* output = gumbo_parse_with_options(&options, text.data(), text.size());
    visit(*output->document);
    gumbo_destroy_output(&options, output);
  }

  // What differs, or an empty string.
  const std::string& difference() const { return difference_; }
  std::size_t elements() const { return elements_; }

 private:
  std::size_t offset(const char* at) const { return static_cast<std::size_t>(at - text_.data()); }
  void fail(const std::string& what, std::size_t at) {
    if (difference_.empty()) difference_ = what + " at byte " + std::to_string(at);
  }

  void visit(const GumboNode& root) {
    std::vector<const GumboNode*> open = {&root};
    while (!open.empty()) {
      const GumboNode& node = *open.back();
      open.pop_back();
      const GumboVector* children = nullptr;
      if (node.type == GUMBO_NODE_DOCUMENT) {
        children = &node.v.document.children;
      } else if (node.type == GUMBO_NODE_ELEMENT || node.type == GUMBO_NODE_TEMPLATE) {
        children = &node.v.element.children;
        compare(node.v.element);
      } else if (node.type == GUMBO_NODE_COMMENT) {
        expect_no_tags(node.v.text.original_text);
      }
      for (unsigned i = 0; children != nullptr && i < children->length; ++i)
        open.push_back(static_cast<const GumboNode*>(children->data[i]));
    }
  }

  void expect_no_tags(const GumboStringPiece& piece) {
    if (piece.data == nullptr || piece.length == 0) return;
    const auto tag = tags_.lower_bound(offset(piece.data));
    if (tag != tags_.end() && tag->first < offset(piece.data) + piece.length)
      fail("a tag where Gumbo has none", tag->first);
  }

  void compare(const GumboElement& element) {
    if (element.original_tag.data == nullptr || element.original_tag.length == 0) return;
    std::string_view original(element.original_tag.data, element.original_tag.length);
    while (original.starts_with("</>")) original.remove_prefix(3);  // which Gumbo counts to the next token
    const std::size_t at = offset(original.data());
    const auto found = tags_.find(at);
    if (found == tags_.end()) return fail("no tag", at);
    ++elements_;
    const TagCopy& tag = found->second;
    if (tag.raw != original) return fail("another tag", at);
    for (unsigned i = 0; i < element.attributes.length; ++i)
      compare(*static_cast<const GumboAttribute*>(element.attributes.data[i]), tag, at);
    if (element.tag == GUMBO_TAG_SCRIPT || element.tag == GUMBO_TAG_STYLE ||
        element.tag == GUMBO_TAG_TEXTAREA)
      if (element.tag_namespace == GUMBO_NAMESPACE_HTML && element.end_pos.offset > element.start_pos.offset)
        expect_no_tags({element.original_tag.data + element.original_tag.length,
                        element.end_pos.offset - element.start_pos.offset - element.original_tag.length});
  }

  void compare(const GumboAttribute& theirs, const TagCopy& tag, std::size_t at) {
    if (theirs.original_name.data < tag.raw.data() ||
        theirs.original_name.data >= tag.raw.data() + tag.raw.size())
      return;  // <html> and <body> collect the attributes of later tags
    const std::string_view name = theirs.name;
    for (const html::Attribute& ours : tag.attributes) {
      if (!ascii::iequals(ours.name, name)) continue;
      std::string value;
      html::decode_references(ours.value, html::ReferenceContext::attribute, value);
      if (value != theirs.value)
        fail("value of " + std::string(name) + " is \"" + value + "\", Gumbo has \"" + theirs.value + '"',
             at);
      return;
    }
    // Gumbo glues the name after a duplicate to that one.
    if (!has_duplicates(tag)) fail("no attribute " + std::string(name), at);
  }

  static bool has_duplicates(const TagCopy& tag) {
    for (const html::Attribute& one : tag.attributes)
      for (const html::Attribute& other : tag.attributes)
        if (&one != &other && ascii::iequals(one.name, other.name)) return true;
    return false;
  }

  std::string_view text_;
  std::map<std::size_t, TagCopy> tags_;
  std::string difference_;
  std::size_t elements_ = 0;
};

}  // namespace pixmilter::tests
