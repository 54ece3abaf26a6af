#include "mail/mime_tree.h"

#include <algorithm>
#include <cstring>

#include "base/ascii.h"
#include "base/base64.h"
#include "base/byte_search.h"
#include "base/quoted_printable.h"
#include "mail/content_type.h"
#include "mail/gmime_door.h"
#include "mail/plain_fields.h"

namespace pixmilter::mail {
namespace {

Error ambiguous(std::string_view why) { return Error{"ambiguous: " + std::string(why)}; }

const HeaderField* find(const std::vector<HeaderField>& fields, std::string_view name) {
  for (const HeaderField& field : fields)
    if (ascii::iequals(field.name, name)) return &field;
  return nullptr;
}

Encoding encoding_named(std::string_view word) {
  if (ascii::iequals(word, "7bit")) return Encoding::seven_bit;
  if (ascii::iequals(word, "8bit")) return Encoding::eight_bit;
  if (ascii::iequals(word, "binary")) return Encoding::binary;
  if (ascii::iequals(word, "quoted-printable")) return Encoding::quoted_printable;
  if (ascii::iequals(word, "base64")) return Encoding::base64;
  return Encoding::unknown;
}

// What every reader must find the same way in one part's header.
Status check_fields(const std::vector<HeaderField>& fields) {
  for (const char* name :
       {"Content-Type", "Content-Transfer-Encoding", "Content-Disposition", "Content-ID", "MIME-Version"}) {
    std::size_t count = 0;
    for (const HeaderField& field : fields) {
      if (!ascii::iequals(field.name, name)) continue;
      ++count;
      if (field.begin + field.name.size() != field.colon)
        return ambiguous("white space before the colon of " + std::string(name));
    }
    if (count > 1) return ambiguous("repeated " + std::string(name));
  }
  return Done{};
}

// NUL anywhere, or line ends that are not all of one kind.
Status check_lines(std::string_view bytes, bool crlf) {
  if (crlf && has_only_crlf_lines(bytes)) return Done{};
  if (std::memchr(bytes.data(), 0, bytes.size()) != nullptr) return ambiguous("NUL byte");
  const char* const end = bytes.data() + bytes.size();
  if (!crlf) {
    if (std::memchr(bytes.data(), '\r', bytes.size()) != nullptr)
      return ambiguous("carriage return among LF lines");
    return Done{};
  }
  // Each LF has a CR before it, and there are as many of one as of the other.
  std::size_t lines = 0;
  for (const char* at = bytes.data(); at < end; ++at, ++lines) {
    at = static_cast<const char*>(std::memchr(at, '\n', static_cast<std::size_t>(end - at)));
    if (at == nullptr) break;
    if (at == bytes.data() || at[-1] != '\r') return ambiguous("bare LF");
  }
  if (static_cast<std::size_t>(std::count(bytes.begin(), bytes.end(), '\r')) != lines)
    return ambiguous("bare CR");
  return Done{};
}

}  // namespace

bool Part::is_attachment() const {
  if (disposition.empty()) return !filename.empty();
  return disposition != "inline";
}

const std::string* Part::parameter(std::string_view name) const {
  for (const auto& [key, value] : parameters)
    if (key == name) return &value;
  return nullptr;
}

// Walks GMime's tree and the bytes side by side; or the bytes alone, where no node is given.
class TreeBuilder {
 public:
  explicit TreeBuilder(const Message& message) : message_(message), bytes_(message.bytes()) {}

  Result<MimeTree> build() {
    if (Status readable = check_message(); !readable) return readable.error();
    if (is_one_plain_text()) return build(nullptr);
    Result<GMimeNode> root = parse_with_gmime(bytes_.substr(message_.header_begin()));
    if (!root) return ambiguous(root.error().text);
    return build(&*root);
  }

  Result<MimeTree> build_alone() {
    if (Status readable = check_message(); !readable) return readable.error();
    return build(nullptr);
  }

 private:
  Status check_message() const {
    if (message_.malformed_header()) return ambiguous("malformed header");
    if (message_.fields().empty()) return Error{"no header"};
    return check_lines(bytes_, message_.eol() == "\r\n");
  }

  // One text whose few fields can be read in one way only: there is no shape that parsers could disagree on,
  // and much of the mail that programs send is like that.
  bool is_one_plain_text() const {
    Part part;
    part.fields = message_.fields();
    if (find(part.fields, "Content-Disposition") != nullptr || !read_plain_fields(part)) return false;
    const HeaderField* type = find(part.fields, "Content-Type");
    return type != nullptr && type->raw_value.find('*') == std::string_view::npos &&
           (part.type == "text/html" || part.type == "text/plain");
  }

  Result<MimeTree> build(const GMimeNode* root) {
    const HeaderBlock header{message_.fields(), message_.header_end(), message_.body_begin(),
                             message_.has_blank_line(), false};
    Status added =
        add(root, header, {message_.header_begin(), message_.header_end()}, bytes_.size(), Part::kNone);
    if (!added) return added.error();
    return std::move(tree_);
  }

  // Adds the part whose header is known and whose body ends at end, and all beneath it.
  Status add(const GMimeNode* node, const HeaderBlock& header, Span header_span, std::size_t end,
             std::size_t parent) {
    if (tree_.parts_.size() == MimeTree::kMaxParts) return Error{"more than 10000 parts"};
    const std::size_t index = tree_.parts_.size();
    Part& part = tree_.parts_.emplace_back();
    part.parent = parent;
    if (parent != Part::kNone) {
      part.depth = tree_.parts_[parent].depth + 1;
      tree_.parts_[parent].children.push_back(index);
    }
    if (part.depth > MimeTree::kMaxDepth) return Error{"more than 60 levels of parts"};
    part.fields = header.fields;
    part.header = header_span;
    part.body = {std::min(header.body_begin, end), end};
    if (Status checked = check_fields(part.fields); !checked) return checked.error();
    if (const HeaderField* field = find(part.fields, "Content-Transfer-Encoding"))
      part.encoding = encoding_named(ascii::trim(field->raw_value));
    if (Status described = node != nullptr ? describe(*node, part) : describe_alone(part); !described)
      return described;
    if (part.is_multipart()) return add_children(node, index);
    return node != nullptr ? check_leaf(*node, part) : Status(Done{});
  }

  static Status describe(const GMimeNode& node, Part& part) {
    part.type = node.type;
    part.has_type = find(part.fields, "Content-Type") != nullptr;
    part.parameters = node.parameters;
    part.disposition = node.disposition;
    part.disposition_parameters = node.disposition_parameters;
    part.filename = node.filename;
    part.content_id = node.content_id;
    part.description = node.description;
    if (part.is_multipart() != node.is_multipart)
      return ambiguous("multipart that GMime does not read as one");
    return Done{};
  }

  Status describe_alone(Part& part) const {
    if (Status plain = read_plain_fields(part); !plain) return plain;
    // What says nothing is a message there (RFC 2046 section 5.1.5).
    if (!part.has_type && part.parent != Part::kNone && tree_.parts_[part.parent].type == "multipart/digest")
      return Error{"part of a digest without Content-Type"};
    return Done{};
  }

  Status check_leaf(const GMimeNode& node, const Part& part) {
    if (node.content_begin < 0 || part.body.size() == 0) return Done{};
    const auto offset = static_cast<std::int64_t>(message_.header_begin());
    std::int64_t gmime_end =
        node.content_end < 0 ? static_cast<std::int64_t>(bytes_.size()) : node.content_end + offset;
    // Where the message ends in its last delimiter, without a line end, GMime takes the CR before that
    // delimiter for content.
    if (!bytes_.ends_with('\n') && gmime_end == static_cast<std::int64_t>(part.body.end) + 1 &&
        bytes_.substr(part.body.end).starts_with("\r\n--"))
      --gmime_end;
    if (node.content_begin + offset != static_cast<std::int64_t>(part.body.begin) ||
        gmime_end != static_cast<std::int64_t>(part.body.end))
      return ambiguous("parsers disagree on where a part lies");
    return Done{};
  }

  Status add_children(const GMimeNode* node, std::size_t index) {
    const HeaderField* field = find(tree_.parts_[index].fields, "Content-Type");
    if (field == nullptr) return ambiguous("multipart without Content-Type");
    const Result<StrictContentType> strict = read_content_type(field->raw_value);
    if (!strict) return ambiguous(strict.error().text);
    const Result<std::string> boundary = strict_boundary(*strict);
    if (!boundary) return ambiguous(boundary.error().text);
    if (node != nullptr && (strict->type != node->type || *boundary != node->boundary))
      return ambiguous("parsers disagree on a boundary");
    if (Status checked = check_against_ancestors(*boundary, tree_.parts_[index].parent); !checked)
      return checked;
    const Encoding encoding = tree_.parts_[index].encoding;
    if (encoding != Encoding::seven_bit && encoding != Encoding::eight_bit && encoding != Encoding::binary)
      return ambiguous("multipart with an encoding of its own");
    tree_.parts_[index].boundary = *boundary;
    if (Status found = find_delimiters(index); !found) return found;
    // Copied: adding children moves the parts.
    const std::vector<Span> delimiters = tree_.parts_[index].delimiters;
    if (node != nullptr && delimiters.size() - 1 != node->children.size())
      return ambiguous("parsers disagree on the number of parts");
    for (std::size_t i = 0; i + 1 < delimiters.size(); ++i) {
      const std::size_t begin = delimiters[i].end;
      const std::size_t next = delimiters[i + 1].begin;
      const std::size_t content_end = next - message_.eol().size();
      if (content_end < begin) return ambiguous("part without header and body");
      // The line end before a boundary line is the boundary's, but may also end a header or be its blank
      // line.
      const HeaderBlock header = read_header(bytes_, begin, next);
      if (header.malformed || !header.has_blank_line) return ambiguous("malformed header of a part");
      if (Status added = add(node != nullptr ? &node->children[i] : nullptr, header, {begin, header.end},
                             std::max(content_end, header.body_begin), index);
          !added)
        return added;
    }
    return Done{};
  }

  // A boundary that begins another one is found too early by readers that compare prefixes only.
  Status check_against_ancestors(std::string_view boundary, std::size_t parent) {
    for (std::size_t at = parent; at != Part::kNone; at = tree_.parts_[at].parent) {
      const std::string& other = tree_.parts_[at].boundary;
      if (boundary.starts_with(other) || other.starts_with(boundary))
        return ambiguous("boundary that prefixes its parent's");
    }
    return Done{};
  }

  // Every line of the multipart's body that begins with "--" and its boundary.
  Status find_delimiters(std::size_t index) {
    Part& part = tree_.parts_[index];
    const std::string dashed = "--" + part.boundary;
    const std::string_view text = bytes_.substr(0, part.body.end);
    // From the line end before the body, so that a boundary line may be the body's first.
    std::size_t from = part.body.begin > 0 ? part.body.begin - 1 : 0;
    bool closed = false;
    while (true) {
      const std::size_t begin = text.find(dashed, from + 1);
      if (begin == std::string_view::npos) break;
      if (text[begin - 1] != '\n') {
        from = begin;
        continue;
      }
      if (closed) return ambiguous("boundary line after the closing one");
      std::size_t at = begin + dashed.size();
      if (text.substr(at, 2) == "--") {
        closed = true;
        at += 2;
      }
      while (at < text.size() && ascii::is_blank(text[at])) ++at;
      const std::size_t eol = text.substr(at).starts_with(message_.eol()) ? message_.eol().size() : 0;
      if (eol == 0 && !(closed && at == text.size())) return ambiguous("line that begins like a boundary");
      part.delimiters.push_back({begin, at + eol});
      from = at + eol - (eol > 0 ? 1 : 0);
    }
    if (!closed) return ambiguous("multipart without its closing boundary");
    if (part.delimiters.size() < 2) return ambiguous("multipart without parts");
    return Done{};
  }

  const Message& message_;
  std::string_view bytes_;
  MimeTree tree_;
};

Result<MimeTree> MimeTree::parse(const Message& message) { return TreeBuilder(message).build(); }

Result<MimeTree> MimeTree::parse_plain(const Message& message) { return TreeBuilder(message).build_alone(); }

std::string_view bare_content_id(std::string_view id) {
  id = ascii::trim(id);
  if (id.starts_with('<')) id.remove_prefix(1);
  if (id.ends_with('>')) id.remove_suffix(1);
  return id;
}

std::size_t MimeTree::related_root(std::size_t related) const {
  const Part& part = parts_[related];
  if (const std::string* start = part.parameter("start")) {
    for (const std::size_t child : part.children)
      if (!parts_[child].content_id.empty() &&
          bare_content_id(parts_[child].content_id) == bare_content_id(*start))
        return child;
  }
  return part.children.front();
}

std::string MimeTree::number(std::size_t index) const {
  std::string out;
  for (std::size_t at = index; parts_[at].parent != Part::kNone; at = parts_[at].parent) {
    const std::vector<std::size_t>& siblings = parts_[parts_[at].parent].children;
    const auto position = std::find(siblings.begin(), siblings.end(), at) - siblings.begin() + 1;
    out = std::to_string(position) + (out.empty() ? "" : ".") + out;
  }
  return out;
}

std::string decoded_body(const Message& message, const Part& part) {
  const std::string_view body = std::string_view(message.bytes()).substr(part.body.begin, part.body.size());
  switch (part.encoding) {
    case Encoding::base64:
      return base64::decode_lenient(body);
    case Encoding::quoted_printable:
      return quoted_printable::decode(body);
    default:
      return std::string(body);
  }
}

}  // namespace pixmilter::mail
