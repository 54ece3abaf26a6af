// scan(): walks the tokens of an HTML text and knows for each element which of its attributes, or which
// part of its content, names an image.
//
// Conditional comments are read as Outlook reads them, by a tokenizer of their own over the comment's
// content; everything else follows the one pass over the text.
#include <algorithm>
#include <string>
#include <vector>

#include "base/ascii.h"
#include "html/conditional.h"
#include "html/css.h"
#include "html/entities.h"
#include "html/known_attributes.h"
#include "html/length.h"
#include "html/opted_out.h"
#include "html/reference.h"
#include "html/srcset.h"
#include "html/tokenizer.h"

namespace pixmilter::html {
namespace {

// Elements that show something inside an <svg>, and those whose content is shown only where it is used.
bool draws(std::string_view name) {
  for (const std::string_view shape :
       {"path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "text", "image", "use"})
    if (ascii::iequals(name, shape)) return true;
  return false;
}
bool defines(std::string_view name) {
  for (const std::string_view container : {"defs", "symbol", "clippath", "mask", "marker", "pattern",
                                           "lineargradient", "radialgradient", "filter"})
    if (ascii::iequals(name, container)) return true;
  return false;
}

// Whether value[0, offset) may end in a character reference without its semicolon. One of many zeros may be
// longer than is looked for.
bool ends_in_reference(std::string_view value, std::size_t offset) {
  constexpr std::size_t kLookedAt = 40;
  for (std::size_t back = 0; offset > 0; ++back) {
    if (back == kLookedAt) return true;
    const char c = value[--offset];
    if (c == '&') return back > 0;
    if (c != '#' && !ascii::is_alnum(c)) return false;
  }
  return false;
}

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  // Reads one stretch of the text: all of it, or the content of a conditional comment.
  void read(std::string_view stretch, bool in_condition);
  Scan take() { return std::move(out_); }

 private:
  struct OpenSvg {
    std::size_t begin = 0;
    Reference reference;
    bool wanted = true;  // not hidden
    bool skipped = false;
    bool draws = false;
    std::size_t definitions = 0;  // depth at which a <defs> or the like opened, 0: outside
    // How much had been found where it began.
    std::size_t references_before = 0;
    std::size_t removals_before = 0;
    std::size_t skipped_before = 0;
  };

  std::size_t offset(const char* at) const { return static_cast<std::size_t>(at - text_.data()); }
  Range range_of(std::string_view view) const {
    return {offset(view.data()), offset(view.data()) + view.size()};
  }
  std::string_view value_of(const Attribute* attribute, std::string& scratch) const;
  bool value_is(const Attribute* attribute, std::string_view wanted) const;

  void read_condition(std::string_view content);
  void read_element(const Token& token);
  void open_svg(const Token& token);
  void read_inside_svg(const Token& token, std::size_t depth);
  void close_svg(std::size_t end);

  bool take_opt_out(const Token& token, const KnownAttributes& attributes);
  void add_url(Place place, const Attribute* attribute, const DisplayedSize& size);
  void add_srcset(const Attribute* attribute, const DisplayedSize& size);
  void add_style_attribute(const Attribute* attribute);
  void add_style_block(const Token& token);
  void add_css(const css::Image& image, Reference reference, std::string_view css);
  DisplayedSize size_of(const KnownAttributes& attributes, bool is_svg, bool& hidden) const;

  std::string_view text_;
  Scan out_;
  std::vector<Reference> found_;  // of the element at hand, in the order of its attributes
  Decoded decoded_;
  std::vector<css::Image> images_;
  bool in_svg_ = false;
  OpenSvg svg_;
  bool in_style_ = false;  // the next text is a style sheet
  bool style_skipped_ = false;
  OptedOut opted_out_;
};

std::string_view Scanner::value_of(const Attribute* attribute, std::string& scratch) const {
  if (attribute == nullptr) return {};
  if (find_byte(attribute->value, '&', 0) == attribute->value.size()) return attribute->value;
  scratch.clear();
  decode_references(attribute->value, ReferenceContext::attribute, scratch);
  return scratch;
}

bool Scanner::value_is(const Attribute* attribute, std::string_view wanted) const {
  std::string scratch;
  return attribute != nullptr && ascii::iequals(ascii::trim(value_of(attribute, scratch)), wanted);
}

void Scanner::read(std::string_view stretch, bool in_condition) {
  TokenizerOptions options;
  options.open_conditions = in_condition;
  Tokenizer tokenizer(stretch, options);
  Token token;
  in_svg_ = in_style_ = false;
  for (std::size_t depth = 0; tokenizer.next(token); depth = tokenizer.foreign_depth()) {
    if (token.kind == TokenKind::start_tag || token.kind == TokenKind::end_tag) opted_out_.pass(token);
    if (in_svg_ && tokenizer.foreign_depth() > 0) {
      read_inside_svg(token, tokenizer.foreign_depth());
    } else if (in_svg_) {
      const bool own_end = token.kind == TokenKind::end_tag && token.tag == Tag::svg;
      close_svg(own_end ? range_of(token.raw).end : range_of(token.raw).begin);
      if (own_end) continue;
    }
    switch (token.kind) {
      case TokenKind::start_tag:
        if (!token.foreign)
          read_element(token);
        else if (depth == 0 && token.tag == Tag::svg)
          open_svg(token);
        break;
      case TokenKind::text:
        if (in_style_) add_style_block(token);
        break;
      case TokenKind::comment:
        if (in_condition || in_svg_) break;
        if (const std::string_view content = conditional_content(token.data); !content.empty())
          read_condition(content);
        break;
      default:
        break;
    }
    if (token.kind != TokenKind::start_tag) in_style_ = false;
  }
  // A picture that never ends may have swallowed text: it stays, and what is HTML in it counts.
  in_svg_ = false;
  out_.work += tokenizer.work();
}

// An element that begins in a conditional comment need not end there: its content does.
void Scanner::read_condition(std::string_view content) {
  const OptedOut outside = opted_out_;
  read(content, true);
  opted_out_ = outside;
}

// What the sender says of this element and of those round it; the attribute that is addressed to us goes.
bool Scanner::take_opt_out(const Token& token, const KnownAttributes& attributes) {
  const bool keep = opted_out_.holds() || value_is(attributes.keep, "true");
  if (attributes.skip == nullptr) return keep;
  // Unquoted, the slash of "/>" belongs to the value.
  Attribute skip = *attributes.skip;
  if (skip.quote == 0 && skip.value.ends_with('/')) skip.value.remove_suffix(1);
  if (!value_is(&skip, "skip")) return keep;
  Range range{offset(skip.name.data()), offset(skip.end())};
  // The white space before it goes too, unless it is needed to hold apart what stands on both sides.
  const char next = text_[range.end];
  if (next == '>' || ascii::is_space(next))
    while (ascii::is_space(text_[range.begin - 1])) --range.begin;
  out_.removals.push_back(range);
  opted_out_.begin(token);
  return true;
}

DisplayedSize Scanner::size_of(const KnownAttributes& attributes, bool is_svg, bool& hidden) const {
  std::string scratch;
  DisplayedSize size;
  const auto length = is_svg ? svg_length : attribute_length;
  size.width = length(value_of(attributes.width, scratch));
  size.height = length(value_of(attributes.height, scratch));
  const StyledSize styled = styled_size(value_of(attributes.style, scratch), size);
  hidden =
      styled.hidden || attributes.hidden != nullptr || styled.size.width == 0.0 || styled.size.height == 0.0;
  return styled.size;
}

void Scanner::read_element(const Token& token) {
  if (token.tag == Tag::style) {
    const Attribute* type = token.find("type");
    in_style_ = type == nullptr || type->value.empty() || value_is(type, "text/css");
    style_skipped_ = opted_out_.holds();
  }
  if (token.attributes.empty()) return;
  const KnownAttributes attributes(token);
  const bool skip = take_opt_out(token, attributes);
  style_skipped_ = skip;
  found_.clear();
  bool hidden = false;
  switch (token.tag) {
    case Tag::image:  // the standard reads <image> as <img>
    case Tag::img: {
      const DisplayedSize size = size_of(attributes, token.tag == Tag::svg, hidden);
      add_url(Place::img_src, attributes.src, size);
      add_srcset(attributes.srcset, size);
      break;
    }
    case Tag::source:
      add_srcset(attributes.srcset, size_of(attributes, token.tag == Tag::svg, hidden));
      break;
    case Tag::input:
      if (value_is(attributes.type, "image"))
        add_url(Place::input_src, attributes.src, size_of(attributes, token.tag == Tag::svg, hidden));
      break;
    case Tag::body:
    case Tag::table:
    case Tag::thead:
    case Tag::tbody:
    case Tag::tr:
    case Tag::th:
    case Tag::td:
      add_url(Place::background, attributes.background, {});
      break;
    case Tag::v_fill:
    case Tag::v_image:
    case Tag::v_imagedata:
      add_url(Place::vml_src, attributes.src, {});
      break;
    default:
      break;
  }
  add_style_attribute(attributes.style);
  if (skip) {
    out_.skipped += found_.size();
    return;
  }
  std::sort(found_.begin(), found_.end(),
            [](const Reference& a, const Reference& b) { return a.range.begin < b.range.begin; });
  out_.references.insert(out_.references.end(), found_.begin(), found_.end());
}

void Scanner::add_url(Place place, const Attribute* attribute, const DisplayedSize& size) {
  if (attribute == nullptr) return;
  const std::string_view raw = ascii::trim(attribute->value);
  if (raw.empty()) return;
  Reference reference;
  reference.place = place;
  reference.range = range_of(raw);
  reference.raw = raw;
  reference.verbatim = find_byte(raw, '&', 0) == raw.size();
  reference.quoting = {attribute->quote, true, false, false, false};
  reference.css_width = size.width;
  reference.css_height = size.height;
  found_.push_back(reference);
}

void Scanner::add_srcset(const Attribute* attribute, const DisplayedSize& size) {
  if (attribute == nullptr) return;
  const std::string_view value = attribute->value;
  const bool verbatim = find_byte(value, '&', 0) == value.size();
  if (!verbatim) decoded_.assign(value, ReferenceContext::attribute);
  SrcsetReader reader(verbatim ? value : decoded_.text());
  for (Range range; reader.next(range);) {
    if (range.size() == 0) continue;
    if (!verbatim) range = {decoded_.source_offset(range.begin), decoded_.source_offset(range.end)};
    Reference reference;
    reference.place = Place::srcset;
    reference.raw = value.substr(range.begin, range.size());
    reference.range = range_of(reference.raw);
    const bool after_reference = !verbatim && ends_in_reference(value, range.begin);
    reference.verbatim = find_byte(reference.raw, '&', 0) == reference.raw.size();
    reference.quoting = {attribute->quote, true, false, false, after_reference};
    reference.css_width = size.width;
    reference.css_height = size.height;
    found_.push_back(reference);
  }
}

// reference carries place and quoting; image is given in offsets of css, a stretch of the text.
void Scanner::add_css(const css::Image& image, Reference reference, std::string_view css) {
  reference.raw = css.substr(image.url.begin, image.url.size());
  reference.range = range_of(css.substr(image.range.begin, image.range.size()));
  reference.verbatim = reference.raw.find('\\') == std::string_view::npos &&
                       (!reference.quoting.in_attribute || reference.raw.find('&') == std::string_view::npos);
  reference.quoting.in_css = true;
  reference.quoting.css_string = image.is_string;
  found_.push_back(reference);
}

void Scanner::add_style_attribute(const Attribute* attribute) {
  if (attribute == nullptr) return;
  const std::string_view value = attribute->value;
  const bool verbatim = find_byte(value, '&', 0) == value.size();
  if (!verbatim) decoded_.assign(value, ReferenceContext::attribute);
  images_.clear();
  out_.work += css::find_images(verbatim ? value : decoded_.text(), images_);
  Reference reference;
  reference.place = Place::style_attr;
  reference.quoting = {attribute->quote, true, true, false, false};
  for (css::Image image : images_) {
    if (!verbatim)
      for (Range* range : {&image.range, &image.url})
        *range = {decoded_.source_offset(range->begin), decoded_.source_offset(range->end)};
    reference.quoting.after_reference = !verbatim && ends_in_reference(value, image.range.begin);
    add_css(image, reference, value);
  }
}

void Scanner::add_style_block(const Token& token) {
  images_.clear();
  out_.work += css::find_images(token.raw, images_);
  out_.sheets_say_auto = out_.sheets_say_auto || ascii::ifind(token.raw, "auto") != std::string_view::npos;
  found_.clear();
  Reference reference;
  reference.place = Place::style_block;
  for (const css::Image& image : images_) add_css(image, reference, token.raw);
  if (style_skipped_)
    out_.skipped += found_.size();
  else
    out_.references.insert(out_.references.end(), found_.begin(), found_.end());
}

void Scanner::open_svg(const Token& token) {
  const KnownAttributes attributes(token);
  svg_ = OpenSvg();
  svg_.skipped = take_opt_out(token, attributes);
  if (token.self_closing) return;
  bool hidden = false;
  const DisplayedSize size = size_of(attributes, token.tag == Tag::svg, hidden);
  in_svg_ = true;
  svg_.references_before = out_.references.size();
  svg_.removals_before = out_.removals.size();
  svg_.skipped_before = out_.skipped;
  svg_.begin = offset(token.raw.data());
  svg_.wanted = !hidden && !value_is(token.find("display"), "none");
  svg_.reference.place = Place::inline_svg;
  svg_.reference.css_width = size.width;
  svg_.reference.css_height = size.height;
}

// depth: after the token.
void Scanner::read_inside_svg(const Token& token, std::size_t depth) {
  if (svg_.definitions != 0 && depth < svg_.definitions) svg_.definitions = 0;
  if (token.kind != TokenKind::start_tag || svg_.definitions != 0 || svg_.draws) return;
  if (defines(token.name)) {
    if (!token.self_closing) svg_.definitions = depth;
  } else {
    svg_.draws = draws(token.name);
  }
}

void Scanner::close_svg(std::size_t end) {
  in_svg_ = false;
  if (!svg_.wanted || !svg_.draws) return;
  // What was found in HTML within the picture goes or stays with it.
  out_.references.resize(svg_.references_before);
  out_.removals.resize(svg_.removals_before);
  out_.skipped = svg_.skipped_before;
  if (svg_.skipped) {
    ++out_.skipped;
    return;
  }
  svg_.reference.range = {svg_.begin, end};
  svg_.reference.raw = text_.substr(svg_.begin, end - svg_.begin);
  svg_.reference.verbatim = true;
  out_.references.push_back(svg_.reference);
}

}  // namespace

Scan scan(std::string_view html) {
  Scanner scanner(html);
  scanner.read(html, false);
  return scanner.take();
}

}  // namespace pixmilter::html
