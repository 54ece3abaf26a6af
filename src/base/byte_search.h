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

// The offset of the first word at or after from, whatever the case of its letters; text.size() where none
// stands there. word: lower case, 3 bytes at least.
std::size_t find_word(std::string_view text, std::size_t from, std::string_view word);

// Whether one of three words stands in text, whatever the case of its letters, in one pass. Each lower case,
// 4 bytes at least; best where its third and fourth are rare.
bool contains_one_of(std::string_view text, std::string_view a, std::string_view b, std::string_view c);

// Whether a space or tab stands right before a CR or LF.
bool has_blank_before_line_end(std::string_view text);

// Whether no byte is 0x80 or more.
bool is_ascii(std::string_view text);

// Whether each LF follows a CR, each CR stands before an LF, and no NUL is there.
bool has_only_crlf_lines(std::string_view text);

}  // namespace pixmilter
