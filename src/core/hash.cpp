#include "core/hash.hpp"

#include <openssl/evp.h>

#include <cstdio>
#include <cstring>
#include <new>
#include <vector>

#include "core/files.hpp"

namespace scalestyle::core {

std::string to_hex(std::span<const std::uint8_t> bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const std::uint8_t byte : bytes) {
    text.push_back(kDigits[byte >> 4]);
    text.push_back(kDigits[byte & 15]);
  }
  return text;
}

namespace {

// Looked up once: EVP_sha256() has OpenSSL find it among its providers for each hash, which takes longer than a short text does.
const EVP_MD* method() {
  static const EVP_MD* const found = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return found;
}

}  // namespace

struct Sha256::Context {
  EVP_MD_CTX* md = EVP_MD_CTX_new();
  Context() {
    if (md == nullptr || EVP_DigestInit_ex(md, method(), nullptr) != 1) throw std::bad_alloc();
  }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ~Context() { EVP_MD_CTX_free(md); }
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::span<const std::byte> bytes) { EVP_DigestUpdate(context_->md, bytes.data(), bytes.size()); }

Sha256Digest Sha256::finish() {
  Sha256Digest digest{};
  unsigned int length = 0;
  EVP_DigestFinal_ex(context_->md, digest.data(), &length);
  return digest;
}

Sha256Digest sha256(std::string_view text) {
  Sha256Digest digest{};
  if (EVP_Digest(text.data(), text.size(), digest.data(), nullptr, method(), nullptr) != 1) throw std::bad_alloc();
  return digest;
}

Result<std::string> sha256_file_hex(const std::filesystem::path& path) {
  CORE_TRY(const MappedFile file, MappedFile::open(path));
  Sha256 hash;
  hash.update(file.bytes());
  return to_hex(hash.finish());
}

}  // namespace scalestyle::core
