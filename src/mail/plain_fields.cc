#include "mail/plain_fields.h"

#include <algorithm>
#include <utility>

#include "base/ascii.h"
#include "mail/content_type.h"

namespace pixmilter::mail {
namespace {

Error not_plain(const HeaderField& field) { return Error{std::string(field.name) + " in no plain form"}; }

bool is_printable(char c) { return c >= ' ' && c <= '~'; }

// RFC 5322 msg-id of atoms and dots, which every reader takes as it stands: no encoded word, which some
// decode.
bool is_plain_id(std::string_view value) {
  if (value.size() < 3 || value.front() != '<' || value.back() != '>') return false;
  if (value.find("=?") != std::string_view::npos) return false;
  value = value.substr(1, value.size() - 2);
  const std::size_t at = value.find('@');
  if (at == 0 || at == std::string_view::npos || at + 1 == value.size()) return false;
  constexpr std::string_view kMarks = "!#$%&'*+-/=?^_`{|}~.";
  return value.find('@', at + 1) == std::string_view::npos &&
         std::all_of(value.begin(), value.end(), [&](char c) {
           return ascii::is_alnum(c) || c == '@' || kMarks.find(c) != std::string_view::npos;
         });
}

// Words with one space between them.
bool is_plain_text(std::string_view value) {
  return std::all_of(value.begin(), value.end(), is_printable) &&
         value.find("  ") == std::string_view::npos && value.find("=?") == std::string_view::npos;
}

}  // namespace

Status read_plain_fields(Part& part) {
  for (const HeaderField& field : part.fields) {
    const std::string_view value = ascii::trim(field.raw_value);
    if (ascii::iequals(field.name, "Content-Type")) {
      Result<StrictContentType> read = read_content_type(value);
      if (!read || read->commented || value.find("=?") != std::string_view::npos) return not_plain(field);
      part.type = std::move(read->type);
      part.has_type = true;
      for (RawParameter& parameter : read->parameters) {
        if (parameter.name.find('*') != std::string::npos) continue;
        if (part.parameter(parameter.name) != nullptr) return not_plain(field);
        part.parameters.emplace_back(std::move(parameter.name), std::move(parameter.value));
      }
    } else if (ascii::iequals(field.name, "Content-Disposition")) {
      const std::string_view word = ascii::trim(value.substr(0, value.find(';')));
      if (word.empty() || !std::all_of(word.begin(), word.end(), ascii::is_alpha)) return not_plain(field);
      part.disposition = ascii::to_lower(word);
    } else if (ascii::iequals(field.name, "Content-ID")) {
      if (!is_plain_id(value)) return not_plain(field);
      part.content_id = value.substr(1, value.size() - 2);
    } else if (ascii::iequals(field.name, "Content-Description")) {
      if (!is_plain_text(value)) return not_plain(field);
      part.description = value;
    }
  }
  if (const std::string* name = part.parameter("name")) part.filename = *name;
  return Done{};
}

}  // namespace pixmilter::mail
