#include "http/api_keys.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "core/files.hpp"
#include "core/hash.hpp"
#include "core/hmac.hpp"
#include "events/timestamp.hpp"
#include "http/json_body.hpp"
#include "http/json_writer.hpp"

namespace scalestyle::http {

namespace {

constexpr std::string_view kPrefix = "scalestyle_";
constexpr std::size_t kIdBytes = 6;
constexpr std::size_t kSaltBytes = 16;
constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kHashBytes = 32;
constexpr std::size_t kMaxLineBytes = 4'096;

constexpr std::array<std::string_view, 2> kKinds{"server", "browser"};

constexpr std::array kFields{
    BodyField{.name = "id", .description = "", .minimum = 2 * kIdBytes, .maximum = 2 * kIdBytes, .required = true},
    BodyField{.name = "kind", .description = "", .minimum = 1, .maximum = 10, .required = true, .choices = kKinds},
    BodyField{.name = "scopes", .description = "", .minimum = 1, .maximum = 64, .required = true},
    BodyField{.name = "salt", .description = "", .minimum = 2 * kSaltBytes, .maximum = 2 * kSaltBytes, .required = true},
    BodyField{.name = "hash", .description = "", .minimum = 2 * kHashBytes, .maximum = 2 * kHashBytes, .required = true},
    BodyField{.name = "created", .description = "", .minimum = 1, .maximum = 40, .required = true},
    BodyField{.name = "expires", .description = "", .minimum = 1, .maximum = 40},
    BodyField{.name = "disabled", .kind = BodyKind::kBoolean, .description = ""},
    BodyField{.name = "note", .description = "", .maximum = KeySet::kMaxNoteCharacters, .may_be_blank = true}};
constexpr BodySpec kLine{.schema = "Key", .description = "", .fields = kFields};

bool is_hex(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

std::string random_hex(std::size_t bytes) {
  const std::string random = core::random_key(bytes);
  return core::to_hex(std::span(reinterpret_cast<const std::uint8_t*>(random.data()), random.size()));
}

std::string hash_of(std::string_view salt, std::string_view secret) {
  core::Sha256 hash;
  hash.update(salt);
  hash.update(secret);
  return core::to_hex(hash.finish());
}

core::Status check_rights(KeyKind kind, ScopeSet scopes) {
  if (scopes.empty()) return core::fail(core::ErrorCode::kInvalidArgument, "a key needs a scope", "scopes");
  if (kind == KeyKind::kBrowser && scopes.contains(Scope::kAdmin)) {
    return core::fail(core::ErrorCode::kInvalidArgument, "a browser key cannot have the scope admin: everybody can read it in a page", "scopes");
  }
  return {};
}

core::Result<ApiKey> read_line(std::string_view line) {
  CORE_TRY(const Body body, read_body(kLine, line));
  ApiKey key;
  key.id = *body.text("id");
  key.salt = *body.text("salt");
  key.hash = *body.text("hash");
  for (const auto& [text, field] : {std::pair(&key.id, "id"), std::pair(&key.salt, "salt"), std::pair(&key.hash, "hash")}) {
    if (!is_hex(*text)) return core::fail(core::ErrorCode::kInvalidArgument, "not lower-case hexadecimal digits", field);
  }
  CORE_TRY(key.kind, parse_key_kind(*body.text("kind"), "kind"));
  CORE_TRY(key.scopes, parse_scopes(*body.text("scopes"), "scopes"));
  CORE_CHECK(check_rights(key.kind, key.scopes));
  CORE_TRY(key.created_ms, events::parse_timestamp(*body.text("created"), "created"));
  if (const std::string* expires = body.text("expires")) {
    CORE_TRY(key.expires_ms, events::parse_timestamp(*expires, "expires"));
  }
  key.disabled = body.boolean("disabled").value_or(false);
  if (const std::string* note = body.text("note")) key.note = *note;
  return key;
}

std::string line_of(const ApiKey& key) {
  JsonWriter json;
  json.begin_object();
  json.key("id").text(key.id).key("kind").text(to_string(key.kind)).key("scopes").text(to_text(key.scopes));
  json.key("salt").text(key.salt).key("hash").text(key.hash);
  json.key("created").text(events::to_timestamp(key.created_ms));
  if (key.expires_ms) json.key("expires").text(events::to_timestamp(*key.expires_ms));
  if (key.disabled) json.key("disabled").boolean(true);
  if (!key.note.empty()) json.key("note").text(key.note);
  json.end_object();
  return std::move(json).take();
}

}  // namespace

std::string_view to_string(KeyKind kind) { return kind == KeyKind::kServer ? "server" : "browser"; }

core::Result<KeyKind> parse_key_kind(std::string_view text, std::string_view field) {
  for (const KeyKind kind : {KeyKind::kServer, KeyKind::kBrowser}) {
    if (text == to_string(kind)) return kind;
  }
  return core::fail(core::ErrorCode::kInvalidArgument, "the kind of a key is server or browser", std::string(field));
}

core::Result<NewKey> make_key(const KeyWish& wish, events::EpochMs now_ms) {
  CORE_CHECK(check_rights(wish.kind, wish.scopes));
  if (wish.note.size() > KeySet::kMaxNoteCharacters) {
    return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("a note has at most {} bytes", KeySet::kMaxNoteCharacters), "note");
  }
  NewKey made;
  const std::string secret = random_hex(kSecretBytes);
  ApiKey& key = made.key;
  key.id = random_hex(kIdBytes);
  key.kind = wish.kind;
  key.scopes = wish.scopes;
  key.salt = random_hex(kSaltBytes);
  key.hash = hash_of(key.salt, secret);
  key.created_ms = now_ms;
  key.expires_ms = wish.expires_ms;
  key.note = wish.note;
  made.text = fmt::format("{}{}_{}", kPrefix, key.id, secret);
  return made;
}

core::Result<KeySet> KeySet::parse(std::string_view text, std::string_view name) {
  KeySet set;
  std::size_t number = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.find_first_not_of(" \t") == std::string_view::npos) continue;
    const auto wrong = [&](const core::Error& error) {
      const std::string member = error.field.empty() ? "" : error.field + ": ";
      return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("{}:{}: {}{}", name, number, member, error.message), error.field);
    };
    if (line.size() > kMaxLineBytes) return wrong({core::ErrorCode::kInvalidArgument, "the line is too long"});
    auto key = read_line(line);
    if (!key) return wrong(key.error());
    if (const auto added = set.add(std::move(*key)); !added) return wrong(added.error());
  }
  return set;
}

std::string KeySet::format() const {
  std::string text;
  for (const ApiKey& key : keys_) text += line_of(key) + "\n";
  return text;
}

std::expected<const ApiKey*, KeyFault> KeySet::admit(std::string_view presented, events::EpochMs now_ms) const {
  constexpr std::size_t kIdEnd = kPrefix.size() + 2 * kIdBytes;
  constexpr std::size_t kLength = kIdEnd + 1 + 2 * kSecretBytes;
  if (presented.size() != kLength || !presented.starts_with(kPrefix) || presented[kIdEnd] != '_') {
    return std::unexpected(KeyFault::kUnknown);
  }
  const ApiKey* const key = find(presented.substr(kPrefix.size(), 2 * kIdBytes));
  static const ApiKey nobody{.salt = std::string(2 * kSaltBytes, '0'), .hash = std::string(2 * kHashBytes, '0')};
  const ApiKey& compared = key != nullptr ? *key : nobody;
  const bool same = core::equal_in_constant_time(hash_of(compared.salt, presented.substr(kIdEnd + 1)), compared.hash);
  if (key == nullptr || !same) return std::unexpected(KeyFault::kUnknown);
  if (key->disabled) return std::unexpected(KeyFault::kDisabled);
  if (key->expires_ms && now_ms >= *key->expires_ms) return std::unexpected(KeyFault::kExpired);
  return key;
}

core::Status KeySet::add(ApiKey key) {
  if (keys_.size() >= kMaxKeys) {
    return core::fail(core::ErrorCode::kResourceExhausted, fmt::format("a file holds at most {} keys", kMaxKeys));
  }
  const auto place = std::ranges::lower_bound(keys_, key.id, {}, &ApiKey::id);
  if (place != keys_.end() && place->id == key.id) {
    return core::fail(core::ErrorCode::kAlreadyExists, fmt::format("there is a key {} already", key.id), "id");
  }
  keys_.insert(place, std::move(key));
  return {};
}

ApiKey* KeySet::find(std::string_view id) {
  const auto place = std::ranges::lower_bound(keys_, id, {}, [](const ApiKey& key) { return std::string_view(key.id); });
  return place != keys_.end() && place->id == id ? &*place : nullptr;
}

const ApiKey* KeySet::find(std::string_view id) const {
  const auto place = std::ranges::lower_bound(keys_, id, {}, [](const ApiKey& key) { return std::string_view(key.id); });
  return place != keys_.end() && place->id == id ? &*place : nullptr;
}

core::Result<KeySet> read_keys(const std::filesystem::path& path) {
  CORE_TRY(const std::string text, core::read_text_file(path, KeySet::kMaxFileBytes));
  return KeySet::parse(text, path.string());
}

}  // namespace scalestyle::http
