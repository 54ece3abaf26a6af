#include "config/pattern.h"

#include <re2/re2.h>

#include "base/ascii.h"

namespace pixmilter::config {
namespace {

constexpr std::string_view kRegexpPrefix = "regexp:";
constexpr std::int64_t kRegexpMemory = 8 << 20;  // bytes that one expression may use

// Bytes of the character that begins the text, which is not empty: one where it is no UTF-8.
std::size_t character(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t size = lead < 0xC2 || lead > 0xF4 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (size > text.size()) return 1;
  for (std::size_t i = 1; i < size; ++i)
    if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) return 1;
  return size;
}

}  // namespace

bool glob_matches(std::string_view glob, std::string_view text) {
  std::size_t g = 0, t = 0;
  std::size_t star = std::string_view::npos,
              retry = 0;  // the last star, and where its match was tried to end
  while (t < text.size()) {
    if (g < glob.size() && glob[g] == '*') {
      star = g++;
      retry = t;
    } else if (g < glob.size() && glob[g] == '?') {
      ++g;
      t += character(text.substr(t));
    } else if (g < glob.size() && glob[g] == text[t]) {
      ++g;
      ++t;
    } else if (star != std::string_view::npos) {
      g = star + 1;
      t = retry += character(text.substr(retry));
    } else {
      return false;
    }
  }
  while (g < glob.size() && glob[g] == '*') ++g;
  return g == glob.size();
}

Result<Pattern> Pattern::parse(std::string_view text) {
  Pattern pattern;
  pattern.text_ = text;
  if (text.starts_with(kRegexpPrefix)) {
    std::string_view expression = text.substr(kRegexpPrefix.size());
    if (expression.size() < 2 || expression.front() != '/' || expression.back() != '/')
      return Error{"regexp: is written regexp:/expression/"};
    expression = expression.substr(1, expression.size() - 2);
    RE2::Options options(RE2::Quiet);
    options.set_case_sensitive(false);
    options.set_max_mem(kRegexpMemory);
    auto compiled = std::make_shared<RE2>(re2::StringPiece(expression.data(), expression.size()), options);
    if (!compiled->ok()) return Error{"regexp: " + compiled->error()};
    pattern.expression_ = std::move(compiled);
  } else if (text.starts_with('/')) {
    pattern.map_ = MapFile::open(std::string(text));
  } else {
    pattern.glob_ = ascii::to_lower(text);
  }
  return pattern;
}

bool Pattern::matches(std::string_view text) const {
  if (expression_) return RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *expression_);
  const std::string lower = ascii::to_lower(text);
  return map_ ? map_->contains(lower) : glob_matches(glob_, lower);
}

bool Pattern::matches_address(std::string_view address) const {
  return (map_ && map_->contains_address(address)) || matches(address);
}

bool Pattern::matches_everything() const {
  return !expression_ && !map_ && !glob_.empty() && glob_.find_first_not_of('*') == std::string::npos;
}

}  // namespace pixmilter::config
