// Looking over many bytes for few: what memchr does, for more than one byte at once.
#pragma once

#include <cstddef>
#include <string_view>

namespace pixmilter {

// The offset of the first byte at or after from that is a or b; text.size() where none is.
std::size_t find_either(std::string_view text, std::size_t from, char a, char b);

// The same for one of three.
std::size_t find_any(std::string_view text, std::size_t from, char a, char b, char c);

// The offset of the first a at or after from that b follows at once; text.size() where none does.
std::size_t find_pair(std::string_view text, std::size_t from, char a, char b);

// Whether word stands in text, whatever the case of its letters. word: lower case, 3 bytes at least.
bool contains_word(std::string_view text, std::string_view word);

// Whether no byte is 0x80 or more.
bool is_ascii(std::string_view text);

// Whether each LF follows a CR, each CR stands before an LF, and no NUL is there.
bool has_only_crlf_lines(std::string_view text);

}  // namespace pixmilter
