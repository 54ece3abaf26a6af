// Doctype: what a <!DOCTYPE> token says (HTML standard, section 13.2.5.53 to 67), read on demand.
#pragma once

#include <optional>
#include <string_view>

namespace pixmilter::html {

// Views into the token; names and identifiers as written (case and NUL bytes are left as they are).
struct Doctype {
  std::optional<std::string_view> name;
  std::optional<std::string_view> public_id;
  std::optional<std::string_view> system_id;
  bool force_quirks = false;
};

// raw: the whole token, from "<!DOCTYPE" to its ">" where it has one.
Doctype read_doctype(std::string_view raw);

}  // namespace pixmilter::html
