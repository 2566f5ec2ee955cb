#include "core/hmac.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <new>

namespace scalestyle::core {

Sha256Digest hmac_sha256(std::string_view key, std::string_view text) {
  Sha256Digest digest{};
  unsigned int length = 0;
  const auto* const made = HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
                                reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &length);
  if (made == nullptr) throw std::bad_alloc();
  return digest;
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string random_key(std::size_t bytes) {
  std::string key(bytes, '\0');
  // Fails only where the system has no randomness at all: nothing could be signed there.
  if (RAND_bytes(reinterpret_cast<unsigned char*>(key.data()), static_cast<int>(bytes)) != 1) throw std::bad_alloc();
  return key;
}

}  // namespace scalestyle::core
