#include "milter/edits.h"

#include <algorithm>
#include <string_view>

#include "base/log.h"

namespace pixmilter::milter {
namespace {

using Kind = mail::HeaderChange::Kind;

constexpr std::size_t kIndexBytes = 4;
constexpr std::size_t kLongestReply = 512;

// RFC 5322 section 2.2: printable ASCII without the colon.
bool is_field_name(std::string_view name) {
  return !name.empty() &&
         std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < '\x7f' && c != ':'; });
}

// LF for every line end; false if a line end is not followed by white space, or a NUL or bare CR is found.
bool fold_with_lf(std::string_view value, std::string& out) {
  out.clear();
  for (std::size_t i = 0; i < value.size(); ++i) {
    char c = value[i];
    if (c == '\0') return false;
    if (c == '\r') {
      if (i + 1 == value.size() || value[i + 1] != '\n') return false;
      c = value[++i];
    }
    out.push_back(c);
    if (c == '\n' && (i + 1 == value.size() || (value[i + 1] != ' ' && value[i + 1] != '\t'))) return false;
  }
  return true;
}

Error unusable(const mail::HeaderChange& change, std::string_view why) {
  return Error{"change of header " + log::quoted(change.name) + ": " + std::string(why)};
}

int rank(Kind kind) { return kind == Kind::replace ? 0 : kind == Kind::remove ? 1 : 2; }

}  // namespace

Result<std::vector<mail::HeaderChange>> for_mta(const std::vector<mail::HeaderChange>& changes,
                                                bool leading_space) {
  std::vector<mail::HeaderChange> ordered;
  ordered.reserve(changes.size());
  for (const auto& change : changes) {
    if (!is_field_name(change.name)) return unusable(change, "no field name");
    if (change.kind != Kind::append && change.index < 1) return unusable(change, "fields count from 1");
    mail::HeaderChange made = change;
    if (change.kind == Kind::remove) {
      made.value.clear();
    } else {
      if (!fold_with_lf(change.value, made.value)) return unusable(change, "NUL or line end in its value");
      if (!leading_space && made.value.starts_with(' ')) made.value.erase(0, 1);
      if (made.value.empty()) {
        if (change.kind == Kind::replace && !leading_space) return unusable(change, "no value is left");
        if (leading_space) made.value = " ";
      }
    }
    if (made.name.size() + made.value.size() + 2 + kIndexBytes > kMaxFrameBytes)
      return unusable(change, "longer than " + std::to_string(kMaxFrameBytes) + " bytes");
    ordered.push_back(std::move(made));
  }
  std::stable_sort(ordered.begin(), ordered.end(), [](const auto& a, const auto& b) {
    if (rank(a.kind) != rank(b.kind)) return rank(a.kind) < rank(b.kind);
    return a.kind == Kind::remove && a.index > b.index;
  });
  return ordered;
}

std::string reply_text(const std::string& text, const std::string& fallback) {
  std::string line;
  for (const char c : text) {
    if (line.size() + 2 > kLongestReply) break;
    if (c == '%')
      line += "%%";
    else
      line.push_back(c >= ' ' && c < '\x7f' ? c : ' ');
  }
  const auto first = line.find_first_not_of(' ');
  if (first == std::string::npos) return fallback;
  return line.substr(first, line.find_last_not_of(' ') - first + 1);
}

}  // namespace pixmilter::milter
