// What a line of the log says: named values, as key=value text or as a JSON object.
//
// Every value that came from outside is made harmless here, so that a line stays one line and a value one
// value, whatever a sender writes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pixmilter::log {

class Fields {
 public:
  Fields& add(std::string_view key, std::string_view value);
  Fields& add(std::string_view key, std::uint64_t value);
  bool empty() const { return fields_.empty(); }

  // key=value key="quoted value"
  std::string text() const;
  // "key":"value","key":1 without the braces: the log adds its own members. ASCII alone.
  std::string json() const;

 private:
  struct Field {
    std::string key;
    std::string value;
    bool number;
  };
  std::vector<Field> fields_;
};

// A value as it may stand in a log line: bare where it is plain, else in double quotes with \ escapes;
// control characters and bytes over 0x7E become \xHH, and what is longer than 256 bytes is cut with "...".
std::string quoted(std::string_view value);

// The same as a JSON string: characters beyond ASCII become \uXXXX, bytes that are none U+FFFD.
std::string json_string(std::string_view value);

}  // namespace pixmilter::log
