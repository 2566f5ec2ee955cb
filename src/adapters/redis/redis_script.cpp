#include <openssl/evp.h>

#include <array>
#include <new>
#include <utility>

#include "adapters/redis/redis_client.hpp"
#include "core/hash.hpp"

namespace scalestyle::adapters::redis {

RedisScript::RedisScript(std::string source) : text(std::move(source)) {
  std::array<std::uint8_t, 20> digest{};
  // Fails only without memory: SHA-1 is part of every OpenSSL 3.
  if (EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha1(), nullptr) != 1) throw std::bad_alloc();
  sha1 = core::to_hex(digest);
}

}  // namespace scalestyle::adapters::redis
