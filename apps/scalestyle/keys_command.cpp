// scalestyle keys: makes, lists, revokes and renews the API keys of a file, and signs user tokens.

#include <fmt/format.h>

#include <boost/json.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <system_error>

#include "access_stack.hpp"
#include "command_list.hpp"
#include "core/files.hpp"
#include "events/timestamp.hpp"
#include "events/validation.hpp"
#include "http/api_keys.hpp"
#include "http/signed_token.hpp"

namespace scalestyle::app {

namespace {

namespace json = boost::json;
using core::ErrorCode;
using events::EpochMs;

EpochMs now_ms() { return events::to_epoch_ms(core::SystemClock().wall_now()); }

core::Result<std::filesystem::path> file_of(const core::Settings& settings) {
  for (const char* name : {"file", "keys_file"}) {
    if (settings.is_set(name)) return std::filesystem::path(settings.text(name));
  }
  return core::fail(ErrorCode::kInvalidArgument, "--file is missing: name the file of API keys", "file");
}

// Changes the file as a whole, one command at a time. `may_be_new`: none there is an empty one.
template <class Change>
core::Status change_file(const core::Settings& settings, bool may_be_new, const Change& change) {
  CORE_TRY(const std::filesystem::path path, file_of(settings));
  CORE_TRY(const auto lock, core::FileLock::acquire(path.string() + ".lock"));
  std::error_code ignored;
  http::KeySet keys;
  if (!may_be_new || std::filesystem::exists(path, ignored)) {
    CORE_TRY(keys, http::read_keys(path));
  }
  CORE_CHECK(change(keys));
  return core::write_file_atomically(path, keys.format());
}

core::Result<std::string> one_id(const Invocation& invocation) {
  if (invocation.positionals.size() == 1) return invocation.positionals.front();
  return core::fail(ErrorCode::kInvalidArgument, "name one key by its id, as `scalestyle keys list` shows it", "id");
}

core::Result<http::ApiKey*> find(http::KeySet& keys, const std::string& id) {
  if (http::ApiKey* const key = keys.find(id)) return key;
  return core::fail(ErrorCode::kNotFound, fmt::format("there is no key {}: `scalestyle keys list` shows them", id), "id");
}

std::string state_of(const http::ApiKey& key) {
  if (key.disabled) return "revoked";
  if (!key.expires_ms) return "good";
  return fmt::format("{} {}", now_ms() >= *key.expires_ms ? "expired" : "until", events::to_timestamp(*key.expires_ms));
}

json::object describe(const http::ApiKey& key) {
  json::object shown{{"id", key.id}, {"kind", http::to_string(key.kind)}, {"scopes", http::to_text(key.scopes)},
                     {"created", events::to_timestamp(key.created_ms)}, {"disabled", key.disabled}};
  if (key.expires_ms) shown["expires"] = events::to_timestamp(*key.expires_ms);
  if (!key.note.empty()) shown["note"] = key.note;
  return shown;
}

// The only time that the key itself is shown: alone on standard output, so that a script can take it.
void print_new(const core::Settings& settings, const http::NewKey& made) {
  if (settings.boolean("json")) {
    json::object shown = describe(made.key);
    shown["key"] = made.text;
    fmt::print("{}\n", json::serialize(shown));
    return;
  }
  fmt::print(stderr, "key {} ({}: {}), {}; it is shown this once:\n", made.key.id, http::to_string(made.key.kind),
             http::to_text(made.key.scopes), state_of(made.key));
  fmt::print("{}\n", made.text);
}

core::Status create(const Invocation& invocation) {
  const core::Settings& settings = invocation.settings;
  http::KeyWish wish;
  CORE_TRY(wish.kind, http::parse_key_kind(settings.text("kind"), "kind"));
  CORE_TRY(wish.scopes, http::parse_scopes(settings.text("scopes"), "scopes"));
  if (settings.is_set("expires")) {
    CORE_TRY(wish.expires_ms, events::parse_timestamp(settings.text("expires"), "expires"));
    if (*wish.expires_ms <= now_ms()) return core::fail(ErrorCode::kInvalidArgument, "--expires has passed already", "expires");
  }
  wish.note = settings.text("note");
  CORE_TRY(const http::NewKey made, http::make_key(wish, now_ms()));
  CORE_CHECK(change_file(settings, true, [&](http::KeySet& keys) { return keys.add(made.key); }));
  print_new(settings, made);
  return {};
}

core::Status list(const Invocation& invocation) {
  CORE_TRY(const std::filesystem::path path, file_of(invocation.settings));
  CORE_TRY(const http::KeySet keys, http::read_keys(path));
  if (invocation.settings.boolean("json")) {
    json::array all;
    for (const http::ApiKey& key : keys.keys()) all.push_back(describe(key));
    fmt::print("{}\n", json::serialize(all));
    return {};
  }
  for (const http::ApiKey& key : keys.keys()) {
    const std::string note = json::serialize(json::value(key.note));  // no control characters
    fmt::print("{}  {:<7}  {:<26}  {}  {}{}\n", key.id, http::to_string(key.kind), http::to_text(key.scopes),
               events::to_timestamp(key.created_ms), state_of(key), key.note.empty() ? "" : "  " + note);
  }
  return {};
}

core::Status revoke(const Invocation& invocation) {
  CORE_TRY(const std::string id, one_id(invocation));
  CORE_CHECK(change_file(invocation.settings, false, [&](http::KeySet& keys) -> core::Status {
    CORE_TRY(http::ApiKey* const key, find(keys, id));
    key->disabled = true;
    return {};
  }));
  fmt::print("revoked {}\n", id);
  return {};
}

// A new key with the same rights; the old one works on for a while, so that its holders can change over.
core::Status rotate(const Invocation& invocation) {
  CORE_TRY(const std::string id, one_id(invocation));
  const EpochMs now = now_ms();
  std::optional<http::NewKey> made;
  CORE_CHECK(change_file(invocation.settings, false, [&](http::KeySet& keys) -> core::Status {
    CORE_TRY(http::ApiKey* const old, find(keys, id));
    if (old->disabled) return core::fail(ErrorCode::kFailedPrecondition, fmt::format("key {} was revoked: make a new one", id), "id");
    CORE_TRY(made, http::make_key({.kind = old->kind, .scopes = old->scopes, .expires_ms = old->expires_ms, .note = old->note}, now));
    const EpochMs end = now + invocation.settings.integer("grace_s") * 1'000;
    old->expires_ms = old->expires_ms ? std::min(*old->expires_ms, end) : end;
    return keys.add(made->key);
  }));
  print_new(invocation.settings, *made);
  return {};
}

core::Status sign_token(const Invocation& invocation) {
  const core::Settings& settings = invocation.settings;
  if (!settings.is_set("user")) return core::fail(ErrorCode::kInvalidArgument, "--user is missing: whom the token is for", "user");
  CORE_CHECK(events::check_subject_id(settings.text("user"), "user"));
  CORE_TRY(auto secrets, user_token_secrets(settings));
  if (secrets.empty()) {
    return core::fail(ErrorCode::kInvalidArgument, "user_token_secret_file (or user_token_secret) is missing: the secret of the server",
                      "user_token_secret_file");
  }
  const auto now = std::chrono::floor<std::chrono::seconds>(core::SystemClock().wall_now());
  const auto until = now + std::chrono::seconds(settings.integer("ttl"));
  fmt::print("{}\n", http::TokenSigner(std::move(secrets)).sign(http::TokenPurpose::kUser, settings.text("user"), until));
  return {};
}

template <core::Status (*Run)(const Invocation&)>
int run(const Invocation& invocation) {
  const core::Status done = Run(invocation);
  return done ? kExitOk : report(done.error());
}

}  // namespace

Command keys_create_command() {
  return {.path = {"keys", "create"},
          .help = "Make an API key; it is shown once, the file keeps a hash",
          .settings = {"file", "keys_file", "kind", "scopes", "expires", "note", "json"},
          .run = run<create>};
}

Command keys_list_command() {
  return {.path = {"keys", "list"}, .help = "The keys of a file, without their secrets", .settings = {"file", "keys_file", "json"},
          .run = run<list>};
}

Command keys_revoke_command() {
  return {.path = {"keys", "revoke"},
          .help = "Revoke a key: running servers refuse it within a second",
          .settings = {"file", "keys_file"},
          .positional_help = "ID",
          .run = run<revoke>};
}

Command keys_rotate_command() {
  return {.path = {"keys", "rotate"},
          .help = "A new key with the rights of another, which works on for a while",
          .settings = {"file", "keys_file", "grace_s", "json"},
          .positional_help = "ID",
          .run = run<rotate>};
}

Command keys_token_command() {
  return {.path = {"keys", "token"},
          .help = "Sign a user token, which a browser sends in X-User-Token",
          .settings = {"user", "ttl", "user_token_secret", "user_token_secret_file"},
          .run = run<sign_token>};
}

}  // namespace scalestyle::app
