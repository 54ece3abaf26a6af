#include "html/svg_xml.h"

#include <unordered_set>
#include <utility>

#include "base/ascii.h"
#include "html/entities.h"
#include "html/svg_css.h"
#include "html/svg_names.h"
#include "html/tokenizer.h"

namespace pixmilter::html {
namespace {

bool is_dropped_element(std::string_view lower) {
  for (const std::string_view name : {"script", "foreignobject", "style", "metadata", "desc", "iframe",
                                      "audio", "video", "canvas", "handler", "listener"})
    if (lower == name) return true;
  return false;
}

bool is_xml_name(std::string_view name) {
  if (name.empty() || !(ascii::is_alpha(name.front()) || name.front() == '_')) return false;
  for (const char c : name)
    if (!ascii::is_alnum(c) && c != '-' && c != '_' && c != '.') return false;
  return true;
}

std::string decoded(std::string_view text, ReferenceContext context) {
  std::string out;
  decode_references(text, context, out);
  return out;
}

void append_escaped(std::string_view text, bool in_attribute, std::string& out) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += in_attribute ? "&quot;" : "\"";
        break;
      case '\t':
        out += in_attribute ? "&#9;" : "\t";
        break;
      case '\n':
        out += in_attribute ? "&#10;" : "\n";
        break;
      case '\r':
        out += "&#13;";
        break;
      case '\xEF':
        // U+FFFE and U+FFFF are no characters of XML.
        if (text.substr(i, 3) == "\xEF\xBF\xBE" || text.substr(i, 3) == "\xEF\xBF\xBF") {
          i += 2;
          break;
        }
        [[fallthrough]];
      default:
        if (static_cast<unsigned char>(c) >= ' ') out.push_back(c);
    }
  }
}

class Writer {
 public:
  Writer(std::string_view html, const std::string* root_attributes, SvgXml& out)
      : html_(html), root_attributes_(root_attributes), out_(out) {}

  Status run();

 private:
  struct Element {
    std::string name;  // as an HTML parser compares it: lower case
    std::string written;
    bool dropped;
  };

  Status open(const Token& token);
  void close(std::string_view name);
  void close_to(std::size_t size);
  void write_attributes(const Token& token, std::string_view element, bool is_root);
  void write_attribute(const std::string& lower, std::string_view raw, std::string_view element);
  bool dropped() const { return !open_.empty() && open_.back().dropped; }

  std::string_view html_;
  const std::string* root_attributes_;
  SvgXml& out_;
  std::vector<Element> open_;
  bool seen_root_ = false;
};

Status Writer::run() {
  TokenizerOptions options;
  options.in_svg = true;
  Tokenizer tokenizer(html_, options);
  for (Token token; tokenizer.next(token);) {
    switch (token.kind) {
      case TokenKind::start_tag:
        if (token.foreign)
          if (Status status = open(token); !status) return status;
        break;
      case TokenKind::end_tag:
        close(ascii::to_lower(token.name));
        break;
      case TokenKind::text:
        if (!open_.empty() && !dropped())
          append_xml_text(decoded(token.raw, ReferenceContext::text), out_.text);
        break;
      case TokenKind::cdata:
        if (!open_.empty() && !dropped()) append_xml_text(token.data, out_.text);
        break;
      default:
        break;
    }
    if (seen_root_ && open_.empty()) break;
  }
  close_to(0);
  return Done{};
}

Status Writer::open(const Token& token) {
  std::string lower = ascii::to_lower(token.name);
  std::string_view local = lower;
  if (local.starts_with("svg:")) local.remove_prefix(4);
  const bool drop = dropped() || is_dropped_element(local) || !is_xml_name(local);
  std::string written = drop ? std::string() : svg_element_name(local);
  const bool is_root = !std::exchange(seen_root_, true);
  if (!drop) {
    out_.text += '<' + written;
    write_attributes(token, local, is_root);
    out_.text += token.self_closing ? "/>" : ">";
  }
  if (token.self_closing) return Done{};
  if (open_.size() >= kMaxSvgDepth)
    return Error{"inline svg nested deeper than " + std::to_string(kMaxSvgDepth) + " elements"};
  open_.push_back({std::move(lower), std::move(written), drop});
  return Done{};
}

void Writer::close(std::string_view name) {
  for (std::size_t i = open_.size(); i-- > 0;)
    if (open_[i].name == name) return close_to(i);
}

void Writer::close_to(std::size_t size) {
  for (; open_.size() > size; open_.pop_back())
    if (!open_.back().dropped) out_.text += "</" + open_.back().written + '>';
}

void Writer::write_attributes(const Token& token, std::string_view element, bool is_root) {
  std::unordered_set<std::string> seen;
  for (const Attribute& attribute : token.attributes) {
    std::string lower = ascii::to_lower(attribute.name);
    if (!seen.insert(lower).second) continue;
    const bool replaced =
        lower == "width" || lower == "height" || lower == "x" || lower == "y" || lower == "style";
    if (is_root && root_attributes_ != nullptr && replaced) continue;
    write_attribute(lower, attribute.value, element);
  }
  if (is_root && root_attributes_ != nullptr) out_.text += *root_attributes_;
}

void Writer::write_attribute(const std::string& lower, std::string_view raw, std::string_view element) {
  std::string name;
  if (lower == "xlink:href" || lower == "xml:space" || lower == "xml:lang")
    name = lower;
  else if (!is_xml_name(lower) || lower.starts_with("xmlns") || lower.starts_with("on"))
    return;
  else
    name = svg_attribute_name(lower);
  std::string value = decoded(raw, ReferenceContext::attribute);
  if (lower == "href" || lower == "xlink:href") {
    const std::string_view target = ascii::trim(value);
    const bool image = element == "image" || element == "feimage";
    if (target.starts_with('#'))
      out_.wanted.emplace_back(target.substr(1));
    else if (!image || !ascii::istarts_with(target, "data:"))
      return;
  } else {
    value = sealed_value(value, out_.wanted);
    if (lower == "id") out_.ids.push_back(value);
  }
  out_.text += ' ' + name + "=\"";
  append_xml_value(value, out_.text);
  out_.text += '"';
}

}  // namespace

Status append_svg_xml(std::string_view html, const std::string* root_attributes, SvgXml& out) {
  return Writer(html, root_attributes, out).run();
}

void append_xml_text(std::string_view text, std::string& out) { append_escaped(text, false, out); }
void append_xml_value(std::string_view text, std::string& out) { append_escaped(text, true, out); }

}  // namespace pixmilter::html
