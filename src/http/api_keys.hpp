#pragma once
// API keys: what a key file holds of them (docs/formats/keys.md), and how a presented key is found.
//
// A key is "scalestyle_<id>_<secret>": the id finds it, the secret of 256 random bits proves it. Kept is SHA-256 of salt and
// secret only. A slow password hash would add nothing: it protects secrets that can be guessed, and 2^256 cannot be
// searched; a fast one costs no request more than a microsecond. The salt keeps equal secrets from having equal hashes.
// Thread safety: KeySet is immutable once made; free functions have no state.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "events/event.hpp"
#include "http/scope.hpp"

namespace scalestyle::http {

enum class KeyKind : std::uint8_t {
  kServer,   // held by the shop's own servers: may name any user
  kBrowser,  // public, in the pages of the shop: acts for the shopper of a signed token or of a session cookie only
};
[[nodiscard]] std::string_view to_string(KeyKind kind);  // "server", "browser"
[[nodiscard]] core::Result<KeyKind> parse_key_kind(std::string_view text, std::string_view field);

struct ApiKey {
  std::string id{};    // 12 hexadecimal digits
  KeyKind kind = KeyKind::kServer;
  ScopeSet scopes{};
  std::string salt{};  // 32 hexadecimal digits
  std::string hash{};  // SHA-256 of salt and secret, 64 hexadecimal digits
  events::EpochMs created_ms = 0;
  std::optional<events::EpochMs> expires_ms{};  // not accepted from then on
  bool disabled = false;
  std::string note{};  // for people
};

// What of a key its owner decides. kInvalidArgument: no scope, or admin for a browser key, which everybody can read.
struct KeyWish {
  KeyKind kind = KeyKind::kServer;
  ScopeSet scopes{};
  std::optional<events::EpochMs> expires_ms{};
  std::string note{};
};
struct NewKey {
  ApiKey key{};
  std::string text{};  // the whole key; kept nowhere
};
[[nodiscard]] core::Result<NewKey> make_key(const KeyWish& wish, events::EpochMs now_ms);

enum class KeyFault : std::uint8_t { kUnknown, kDisabled, kExpired };

class KeySet {
 public:
  static constexpr std::size_t kMaxKeys = 10'000;
  static constexpr std::size_t kMaxFileBytes = 8 << 20;
  static constexpr std::size_t kMaxNoteCharacters = 200;

  // JSON lines. `name` is the file's, for messages. kInvalidArgument with name, line and member; never anything of a hash.
  [[nodiscard]] static core::Result<KeySet> parse(std::string_view text, std::string_view name);
  [[nodiscard]] std::string format() const;

  // The key that was presented. The secret is compared in constant time, and something is compared for an unknown id too;
  // kDisabled and kExpired are told only to who has the secret.
  [[nodiscard]] std::expected<const ApiKey*, KeyFault> admit(std::string_view presented, events::EpochMs now_ms) const;

  [[nodiscard]] const std::vector<ApiKey>& keys() const { return keys_; }
  // kResourceExhausted: there are too many. kAlreadyExists: one of this id.
  [[nodiscard]] core::Status add(ApiKey key);
  [[nodiscard]] ApiKey* find(std::string_view id);  // null: none
  [[nodiscard]] const ApiKey* find(std::string_view id) const;

 private:
  std::vector<ApiKey> keys_;  // by id
};

// The keys of a file. Errors: those of reading it, and of KeySet::parse().
[[nodiscard]] core::Result<KeySet> read_keys(const std::filesystem::path& path);

}  // namespace scalestyle::http
