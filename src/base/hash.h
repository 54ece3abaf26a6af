// SHA-256: names pictures, Content-IDs, boundaries and cache entries.
//
// Cryptographic because results are shared between messages of different senders: nobody may make a
// picture that is taken for another's.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace pixmilter {

using Digest = std::array<std::uint8_t, 32>;

// Feeds bytes, then finish() once. One thread at a time.
class Hasher {
 public:
  Hasher();
  ~Hasher();
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;
  Hasher& add(std::string_view bytes);
  // A length-prefixed field, so that two sequences of fields never hash alike by running together.
  Hasher& field(std::string_view bytes);
  Hasher& field(std::uint64_t number);
  Digest finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

Digest sha256(std::string_view bytes);
// One digest of the same content, given by its own, for each number: Content-IDs come from these.
Digest numbered_digest(const Digest& content, std::uint64_t number);
// Lower-case hexadecimal of the first count bytes.
std::string hex(const Digest& digest, std::size_t count = 32);

}  // namespace pixmilter
