#include "http/signed_token.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <charconv>

#include "core/hash.hpp"
#include "core/hmac.hpp"
#include "http/base64.hpp"
#include "text/base64.hpp"

namespace scalestyle::http {

namespace {

constexpr std::size_t kMaxSecrets = 2;

// What one purpose signs is good for no other.
std::string_view label(TokenPurpose purpose) { return purpose == TokenPurpose::kUser ? "scalestyle user 1\n" : "scalestyle session 1\n"; }

std::string signature(std::string_view secret, TokenPurpose purpose, std::string_view content) {
  std::string signed_text(label(purpose));
  signed_text += content;
  return core::to_hex(core::hmac_sha256(secret, signed_text));
}

std::optional<std::int64_t> parse_seconds(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  constexpr std::int64_t kLast = 253'402'300'799;  // of the year 9999
  if (text.empty() || error != std::errc() || end != text.data() + text.size() || value < 0 || value > kLast) return std::nullopt;
  return value;
}

}  // namespace

std::string TokenSigner::sign(TokenPurpose purpose, std::string_view subject, std::chrono::sys_seconds expires) const {
  assert(has_secret());
  const std::string content = fmt::format("{}.{}", text::base64_encode(subject), expires.time_since_epoch().count());
  return content + "." + signature(secrets_.front(), purpose, content);
}

std::expected<SignedToken, TokenFault> TokenSigner::verify(TokenPurpose purpose, std::string_view token,
                                                           std::chrono::sys_seconds now) const {
  const auto malformed = std::unexpected(TokenFault::kMalformed);
  if (token.size() > kMaxTokenBytes) return malformed;
  const std::size_t first = token.find('.');
  const std::size_t second = token.rfind('.');
  if (first == std::string_view::npos || second == first) return malformed;
  const std::string_view content = token.substr(0, second);
  bool good = false;
  for (const std::string& secret : secrets_) {
    good = core::equal_in_constant_time(signature(secret, purpose, content), token.substr(second + 1)) || good;
  }
  if (!good) return std::unexpected(TokenFault::kForged);
  auto subject = base64_decode(token.substr(0, first));
  const auto seconds = parse_seconds(token.substr(first + 1, second - first - 1));
  if (!subject || subject->empty() || !seconds) return malformed;
  SignedToken found{std::move(*subject), std::chrono::sys_seconds(std::chrono::seconds(*seconds))};
  if (now >= found.expires) return std::unexpected(TokenFault::kExpired);
  return found;
}

core::Result<std::vector<std::string>> parse_token_secrets(std::string_view text, std::string_view field) {
  constexpr std::string_view kBetween = ",\n";
  constexpr std::string_view kBlanks = " \t\r";
  const auto wrong = [&](std::string what) { return core::fail(core::ErrorCode::kInvalidArgument, std::move(what), std::string(field)); };
  std::vector<std::string> secrets;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(kBetween), text.size());
    std::string_view piece = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t begin = piece.find_first_not_of(kBlanks);
    if (begin == std::string_view::npos) continue;
    piece = piece.substr(begin, piece.find_last_not_of(kBlanks) - begin + 1);
    if (piece.size() < TokenSigner::kMinSecretBytes) {
      return wrong(fmt::format("{}: a secret must have at least {} bytes, such as `openssl rand -hex 32` gives", field,
                               TokenSigner::kMinSecretBytes));
    }
    secrets.emplace_back(piece);
  }
  if (secrets.empty()) return wrong(fmt::format("{}: there is no secret in it", field));
  if (secrets.size() > kMaxSecrets) {
    return wrong(fmt::format("{}: at most two secrets are accepted at a time, the new one first", field));
  }
  return secrets;
}

}  // namespace scalestyle::http
