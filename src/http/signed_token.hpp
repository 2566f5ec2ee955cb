#pragma once
// TokenSigner: texts that only who has the secret can make: a user's id, or a session's, with the time until which it is
// good. HMAC-SHA-256 over purpose, id and time: "<id in Base64>.<seconds since 1970>.<64 hexadecimal digits>".
//
// Up to two secrets: the first one signs, both are accepted, so that a secret is replaced without any token going bad.
// Thread safety: immutable.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace scalestyle::http {

enum class TokenPurpose : std::uint8_t { kUser, kSession };
enum class TokenFault : std::uint8_t { kMalformed, kForged, kExpired };

struct SignedToken {
  std::string subject{};
  std::chrono::sys_seconds expires{};
};

class TokenSigner {
 public:
  static constexpr std::size_t kMinSecretBytes = 32;
  static constexpr std::size_t kMaxTokenBytes = 1'024;

  // One or two secrets; none: nothing is accepted, and sign() must not be called.
  TokenSigner() = default;
  explicit TokenSigner(std::vector<std::string> secrets) : secrets_(std::move(secrets)) {}

  [[nodiscard]] bool has_secret() const { return !secrets_.empty(); }
  [[nodiscard]] std::string sign(TokenPurpose purpose, std::string_view subject, std::chrono::sys_seconds expires) const;
  // kExpired is told only of what was signed here.
  [[nodiscard]] std::expected<SignedToken, TokenFault> verify(TokenPurpose purpose, std::string_view token,
                                                              std::chrono::sys_seconds now) const;

 private:
  std::vector<std::string> secrets_;
};

// Secrets one a line or separated by commas; blanks around them do not count. kInvalidArgument with `field`: none, more than
// two, or one of less than kMinSecretBytes. No message holds anything of a secret.
[[nodiscard]] core::Result<std::vector<std::string>> parse_token_secrets(std::string_view text, std::string_view field);

}  // namespace scalestyle::http
