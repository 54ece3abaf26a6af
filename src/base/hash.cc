#include "base/hash.h"

#include <openssl/evp.h>

#include <new>

namespace pixmilter {

struct Hasher::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~State() { EVP_MD_CTX_free(context); }
};

Hasher::Hasher() : state_(std::make_unique<State>()) {
  if (state_->context == nullptr || EVP_DigestInit_ex(state_->context, EVP_sha256(), nullptr) != 1)
    throw std::bad_alloc();
}
Hasher::~Hasher() = default;
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;

Hasher& Hasher::add(std::string_view bytes) {
  EVP_DigestUpdate(state_->context, bytes.data(), bytes.size());
  return *this;
}

Hasher& Hasher::field(std::string_view bytes) {
  field(std::uint64_t{bytes.size()});
  return add(bytes);
}

Hasher& Hasher::field(std::uint64_t number) {
  char little_endian[8];
  for (char& byte : little_endian) {
    byte = static_cast<char>(number);
    number >>= 8;
  }
  return add({little_endian, sizeof little_endian});
}

Digest Hasher::finish() {
  Digest digest;
  EVP_DigestFinal_ex(state_->context, digest.data(), nullptr);
  return digest;
}

Digest sha256(std::string_view bytes) { return Hasher().add(bytes).finish(); }

Digest numbered_digest(const Digest& content, std::uint64_t number) {
  const std::string_view bytes(reinterpret_cast<const char*>(content.data()), content.size());
  return Hasher().field(bytes).field(number).finish();
}

std::string hex(const Digest& digest, std::size_t count) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  out.reserve(count * 2);
  for (std::size_t i = 0; i < count && i < digest.size(); ++i) {
    out.push_back(kDigits[digest[i] >> 4]);
    out.push_back(kDigits[digest[i] & 15]);
  }
  return out;
}

}  // namespace pixmilter
