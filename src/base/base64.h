// Base64 (RFC 4648 section 4; RFC 2045 section 6.8 for mail lines).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace pixmilter::base64 {

// Appends bytes as lines of 76 characters, each ended by eol (the last one too, unless bytes is empty).
void encode_lines(std::string_view bytes, std::string_view eol, std::string& out);

// Appends one unbroken run with padding.
void encode(std::string_view bytes, std::string& out);

// As a mail reader decodes a part (RFC 2045): every character outside the alphabet is passed over,
// padding ends a group and decoding goes on after it.
std::string decode_lenient(std::string_view text);

// Bytes that so many characters make at most.
constexpr std::size_t most_decoded(std::size_t characters) { return characters / 4 * 3 + 3; }

// As decode_lenient(text), to where most_decoded(text.size()) bytes have room; says how many were written.
std::size_t decode_lenient(std::string_view text, char* room);

// Whether decode_lenient(text) gives bytes. What is written as encode_lines() does is compared as it is
// decoded, without a copy.
bool decodes_to(std::string_view text, std::string_view bytes);

// As a data: URI is decoded (WHATWG forgiving-base64, and the URL-safe alphabet as well): white space is
// passed over, padding may be missing; nothing if any other character stands in it or a lone one is left.
std::optional<std::string> decode_forgiving(std::string_view text);

}  // namespace pixmilter::base64
