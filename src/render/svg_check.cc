#include "render/svg_check.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/ascii.h"

namespace pixmilter::render {
namespace {

constexpr std::size_t kNone = std::string_view::npos;
constexpr std::uint64_t kFar = std::uint64_t{1} << 60;  // sums stop growing here

std::uint64_t add(std::uint64_t a, std::uint64_t b) { return std::min(kFar, a + b); }

// UTF-16 as the ASCII in it: names and references of SVG are ASCII.
std::string narrowed(std::string_view bytes) {
  const bool big = bytes.starts_with("\xFE\xFF") || bytes[0] == '\0';
  std::string out;
  out.reserve(bytes.size() / 2);
  for (std::size_t at = 0; at + 1 < bytes.size(); at += 2)
    out += bytes[at + (big ? 0 : 1)] == '\0' ? bytes[at + (big ? 1 : 0)] : '?';
  return out;
}

// Whether a declaration refers to another entity; single characters (&#160;) are no entities.
bool names_entity(std::string_view declaration) {
  if (declaration.find('%') != kNone) return true;
  for (std::size_t at = 0; (at = declaration.find('&', at)) != kNone; ++at)
    if (at + 1 >= declaration.size() || declaration[at + 1] != '#') return true;
  return false;
}

struct Element {
  std::vector<std::size_t> children;
  std::vector<std::string_view> references;  // ids
  bool drawn_in_place = true;                // else only where it is referred to
  std::uint64_t filter_steps = 0;            // of a filter primitive
  enum class Visit : char { none, open, done } visit = Visit::none;
  std::uint64_t elements = 0;
  std::uint64_t steps = 0;
};

// Elements that show only where others refer to them.
bool is_definition(std::string_view name) {
  for (std::string_view known : {"defs", "symbol", "pattern", "mask", "clipPath", "marker", "filter",
                                 "linearGradient", "radialGradient"})
    if (name == known) return true;
  return false;
}

class SvgReader {
 public:
  explicit SvgReader(std::string_view text) : text_(text) { elements_.emplace_back(); }

  Attempt<SvgCost> judge() {
    if (auto read = read_tags(); !read) return read.failure();
    weigh(0);
    if (elements_[0].elements > kMaxSvgElements)
      return over_limit("svg: draws more than " + std::to_string(kMaxSvgElements) + " elements");
    return SvgCost{elements_[0].steps};
  }

 private:
  Attempt<Done> read_tags() {
    std::vector<std::size_t> open{0};
    for (std::size_t at = 0; (at = text_.find('<', at)) != kNone;) {
      const std::string_view rest = text_.substr(at);
      if (rest.starts_with("<!--")) {
        at = past("-->", at);
      } else if (rest.starts_with("<![CDATA[")) {
        at = past("]]>", at);
      } else if (rest.starts_with("<?")) {
        at = past("?>", at);
      } else if (rest.starts_with("<!ENTITY")) {
        // Editors declare name spaces so; one entity within another multiplies.
        const std::size_t end = text_.find('>', at);
        const std::string_view declaration = text_.substr(at, end - at);
        if (names_entity(declaration)) return refused("svg: entities within entities");
        at = end;
      } else if (rest.starts_with("<!")) {
        at += 2;  // a document type: what it declares is met next
      } else if (rest.starts_with("</")) {
        if (open.size() > 1) open.pop_back();
        at = past(">", at);
      } else {
        bool empty = false;
        const std::size_t element = read_start_tag(at, empty);
        elements_[open.back()].children.push_back(element);
        if (empty) continue;
        open.push_back(element);
        if (open.size() > kMaxSvgNesting + 1)
          return over_limit("svg: nested deeper than " + std::to_string(kMaxSvgNesting));
      }
      if (at == kNone) break;
    }
    return Done{};
  }

  std::size_t past(std::string_view what, std::size_t at) const {
    const std::size_t found = text_.find(what, at);
    return found == kNone ? text_.size() : found + what.size();
  }

  // at: of "<", then behind ">". The element's number.
  std::size_t read_start_tag(std::size_t& at, bool& empty) {
    const std::size_t number = elements_.size();
    Element& element = elements_.emplace_back();
    std::size_t end = at + 1;
    const auto is_name = [&](std::size_t i) {
      return i < text_.size() && !ascii::is_space(text_[i]) && text_[i] != '>' && text_[i] != '/' &&
             text_[i] != '=';
    };
    while (is_name(end)) ++end;
    std::string_view name = text_.substr(at + 1, end - at - 1);
    name.remove_prefix(name.rfind(':') + 1);
    element.drawn_in_place = !is_definition(name);
    if (name.starts_with("fe")) element.filter_steps = 1;
    for (at = end; at < text_.size();) {
      const char c = text_[at];
      if (c == '>') {
        ++at;
        return number;
      }
      if (!is_name(at)) {
        empty = c == '/';
        ++at;
        continue;
      }
      const std::size_t begin = at;
      while (is_name(at)) ++at;
      const std::string_view attribute = text_.substr(begin, at - begin);
      while (at < text_.size() && ascii::is_space(text_[at])) ++at;
      if (at >= text_.size() || text_[at] != '=') continue;
      ++at;
      while (at < text_.size() && ascii::is_space(text_[at])) ++at;
      if (at >= text_.size() || (text_[at] != '"' && text_[at] != '\'')) continue;
      const std::size_t quote = std::min(text_.find(text_[at], at + 1), text_.size());
      read_attribute(attribute, text_.substr(at + 1, quote - at - 1), number);
      at = std::min(quote + 1, text_.size());
    }
    return number;
  }

  void read_attribute(std::string_view name, std::string_view value, std::size_t number) {
    Element& element = elements_[number];
    if (name == "id" || name == "xml:id") {
      ids_.try_emplace(value, number);
    } else if (name == "href" || name.ends_with(":href")) {
      value = ascii::trim(value);
      if (value.starts_with('#')) element.references.push_back(value.substr(1));
    } else if (name == "numOctaves" && element.filter_steps > 0) {
      std::uint64_t octaves = 0;
      std::from_chars(value.data(), value.data() + value.size(), octaves);
      element.filter_steps = std::clamp<std::uint64_t>(octaves, 1, 1'000'000);
    }
    // fill, stroke, mask, clip-path, marker-*, filter, and style with any of them.
    for (std::size_t at = 0; (at = value.find("url(", at)) != kNone;) {
      at += 4;
      std::string_view id = ascii::trim(value.substr(at, value.find(')', at) - at));
      if (!id.empty() && (id.front() == '\'' || id.front() == '"'))
        id = id.substr(1, id.find(id.front(), 1) - 1);
      if (id.starts_with('#')) element.references.push_back(id.substr(1));
    }
  }

  // What drawing an element comes to, its children and all that it refers to included. Each element is
  // weighed once; a cycle, which librsvg does not follow, weighs nothing. Depth is bounded for children, not
  // for references: hence no recursion.
  void weigh(std::size_t root) {
    std::vector<std::size_t> stack{root};
    while (!stack.empty()) {
      const std::size_t number = stack.back();
      Element& element = elements_[number];
      if (element.visit == Element::Visit::done) {
        stack.pop_back();
        continue;
      }
      if (element.visit == Element::Visit::none) {
        element.visit = Element::Visit::open;
        const auto visit = [&](std::size_t other) {
          if (elements_[other].visit == Element::Visit::none) stack.push_back(other);
        };
        for (const std::size_t child : element.children) visit(child);
        for (const std::string_view id : element.references)
          if (const auto found = ids_.find(id); found != ids_.end()) visit(found->second);
        continue;
      }
      element.elements = 1;
      element.steps = element.filter_steps;
      const auto count = [&](const Element& other) {
        if (other.visit != Element::Visit::done) return;
        element.elements = add(element.elements, other.elements);
        element.steps = add(element.steps, other.steps);
      };
      for (const std::size_t child : element.children)
        if (elements_[child].drawn_in_place) count(elements_[child]);
      for (const std::string_view id : element.references)
        if (const auto found = ids_.find(id); found != ids_.end()) count(elements_[found->second]);
      element.visit = Element::Visit::done;
      stack.pop_back();
    }
  }

  std::string_view text_;
  std::vector<Element> elements_;  // the first is the document
  std::unordered_map<std::string_view, std::size_t> ids_;
};

}  // namespace

Attempt<SvgCost> check_svg(std::string_view bytes) {
  if (bytes.size() > kMaxSvgBytes)
    return over_limit("svg: more than " + std::to_string(kMaxSvgBytes) + " bytes");
  if (bytes.size() >= 2 && (bytes.starts_with("\xFE\xFF") || bytes.starts_with("\xFF\xFE") ||
                            bytes[0] == '\0' || bytes[1] == '\0')) {
    const std::string text = narrowed(bytes);
    return SvgReader(text).judge();
  }
  return SvgReader(bytes).judge();
}

}  // namespace pixmilter::render
