// SVG templates: one asset that a thousand messages fill in, each with its own values.
//
// asset:badge.svg?name=Jane&value=42 puts the values in the place of {{name}} and {{value}}. Values are a
// stranger's text in the administrator's picture: whatever they hold, they remain text.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace pixmilter::source {

using TemplateValues = std::map<std::string, std::string, std::less<>>;  // UTF-8 both

// The values of a query as HTML forms write it: NAME=VALUE joined by "&", "+" for a space, percent-encoding.
// Errors: a name given twice, an escape that is none, what is no UTF-8 or no text that XML can hold.
Result<TemplateValues> read_query(std::string_view query);

// Puts values in the place of {{name}}, escaped for XML text and attributes; white space within the braces
// does not count, and a name is a letter or "_" and then letters, digits, "_", "-", ".". Braces round
// anything else stay. A name without a value is an Error: a picture with a hole is worse than none. An empty
// value is one. Values that the template does not ask for are passed over. Errors: that, and a result above
// max_bytes.
Result<std::string> fill_template(std::string_view svg, const TemplateValues& values,
                                  std::uint64_t max_bytes);

}  // namespace pixmilter::source
