#include "mail/content_type.h"

#include "base/ascii.h"

namespace pixmilter::mail {
namespace {

constexpr std::size_t kLongestBoundary = 200;  // RFC 2046 says 70; some mailers do not know that

// RFC 2045: any printable ASCII but space and tspecials.
bool token_char(char c) {
  return c > ' ' && c < 0x7F && std::string_view("()<>@,;:\\\"/[]?=").find(c) == std::string_view::npos;
}

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  bool at_end() const { return at_ == text_.size(); }
  bool commented() const { return commented_; }
  bool take(char c) {
    if (at_end() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  // White space, folds and comments. False: a comment does not end.
  bool skip_cfws() {
    while (!at_end()) {
      if (ascii::is_space(text_[at_])) {
        ++at_;
      } else if (text_[at_] == '(') {
        if (!skip_comment()) return false;
        commented_ = true;
      } else {
        break;
      }
    }
    return true;
  }
  std::string token() {
    const std::size_t begin = at_;
    while (!at_end() && token_char(text_[at_])) ++at_;
    return std::string(text_.substr(begin, at_ - begin));
  }
  // After the opening quote. False: it does not end.
  bool quoted(std::string& out) {
    while (!at_end()) {
      const char c = text_[at_++];
      if (c == '"') return true;
      if (c == '\\') {
        if (at_end()) return false;
        out.push_back(text_[at_++]);
      } else if (c != '\r' && c != '\n') {
        out.push_back(c);
      }
    }
    return false;
  }

 private:
  bool skip_comment() {
    int depth = 0;
    while (!at_end()) {
      const char c = text_[at_++];
      if (c == '\\' && !at_end()) ++at_;
      if (c == '(') ++depth;
      if (c == ')' && --depth == 0) return true;
    }
    return false;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  bool commented_ = false;
};

}  // namespace

Result<StrictContentType> read_content_type(std::string_view raw_value) {
  Reader reader(raw_value);
  StrictContentType out;
  const Error malformed{"malformed Content-Type"};
  if (!reader.skip_cfws()) return malformed;
  const std::string type = reader.token();
  if (type.empty() || !reader.skip_cfws() || !reader.take('/') || !reader.skip_cfws()) return malformed;
  const std::string subtype = reader.token();
  if (subtype.empty()) return malformed;
  out.type = ascii::to_lower(type + "/" + subtype);
  while (true) {
    if (!reader.skip_cfws()) return malformed;
    out.commented = reader.commented();
    if (reader.at_end()) return out;
    if (!reader.take(';') || !reader.skip_cfws()) return malformed;
    out.commented = reader.commented();
    if (reader.at_end()) return out;
    RawParameter parameter;
    parameter.name = ascii::to_lower(reader.token());
    if (parameter.name.empty() || !reader.skip_cfws() || !reader.take('=') || !reader.skip_cfws())
      return malformed;
    if (reader.take('"')) {
      if (!reader.quoted(parameter.value)) return malformed;
    } else {
      parameter.value = reader.token();
      if (parameter.value.empty()) return malformed;
    }
    out.parameters.push_back(std::move(parameter));
  }
}

Result<std::string> strict_boundary(const StrictContentType& content_type) {
  const std::string* boundary = nullptr;
  for (const RawParameter& parameter : content_type.parameters) {
    if (parameter.name.starts_with("boundary*")) return Error{"encoded boundary parameter"};
    if (parameter.name != "boundary") continue;
    if (boundary != nullptr) return Error{"repeated boundary parameter"};
    boundary = &parameter.value;
  }
  if (boundary == nullptr || boundary->empty()) return Error{"multipart without boundary"};
  if (boundary->size() > kLongestBoundary) return Error{"boundary longer than 200 characters"};
  if (boundary->find("=?") != std::string::npos) return Error{"encoded boundary parameter"};
  for (const char c : *boundary)
    if (c < ' ' || c > '~') return Error{"boundary with a character that is not printable ASCII"};
  if (boundary->back() == ' ') return Error{"boundary that ends with a space"};
  return *boundary;
}

}  // namespace pixmilter::mail
