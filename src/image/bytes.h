// Integers of either byte order, read from a view and written to a string. The picture formats disagree about
// it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace pixmilter::image {

// The caller has checked that the bytes are there.
inline std::uint32_t u8(std::string_view bytes, std::size_t at) {
  return static_cast<unsigned char>(bytes[at]);
}
inline std::uint32_t u16_big(std::string_view bytes, std::size_t at) {
  return u8(bytes, at) << 8 | u8(bytes, at + 1);
}
inline std::uint32_t u16_little(std::string_view bytes, std::size_t at) {
  return u8(bytes, at + 1) << 8 | u8(bytes, at);
}
inline std::uint32_t u32_big(std::string_view bytes, std::size_t at) {
  return u16_big(bytes, at) << 16 | u16_big(bytes, at + 2);
}
inline std::uint32_t u32_little(std::string_view bytes, std::size_t at) {
  return u16_little(bytes, at + 2) << 16 | u16_little(bytes, at);
}
inline std::uint32_t u24_little(std::string_view bytes, std::size_t at) {
  return u8(bytes, at + 2) << 16 | u16_little(bytes, at);
}
inline std::uint64_t u64_big(std::string_view bytes, std::size_t at) {
  return std::uint64_t{u32_big(bytes, at)} << 32 | u32_big(bytes, at + 4);
}
inline std::uint64_t u64_little(std::string_view bytes, std::size_t at) {
  return std::uint64_t{u32_little(bytes, at + 4)} << 32 | u32_little(bytes, at);
}

// Whether [at, at + count) lies within the view.
inline bool has(std::string_view bytes, std::uint64_t at, std::uint64_t count) {
  return at <= bytes.size() && count <= bytes.size() - at;
}

// Appends the lower 32 bits of value, the highest byte first.
inline void put_u32_big(std::string& out, std::uint64_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 255);
}

}  // namespace pixmilter::image
