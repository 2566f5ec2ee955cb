#include "http/access_control.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "core/hash.hpp"
#include "core/hmac.hpp"
#include "events/timestamp.hpp"

namespace scalestyle::http {

namespace {

constexpr std::string_view kBlanks = " \t";

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

// Empty: neither header has one.
std::string_view presented_key(const Request& request) {
  if (const std::string_view key = trimmed(request.api_key); !key.empty()) return key;
  constexpr std::string_view kScheme = "bearer ";  // of any case (RFC 9110, section 11.1)
  const std::string_view value = trimmed(request.authorization);
  if (value.size() <= kScheme.size()) return {};
  for (std::size_t i = 0; i < kScheme.size(); ++i) {
    const char c = value[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c) != kScheme[i]) return {};
  }
  return trimmed(value.substr(kScheme.size()));
}

// The values of the cookie `name`; a client may send several.
std::vector<std::string_view> cookie_values(std::string_view header, std::string_view name) {
  std::vector<std::string_view> values;
  while (!header.empty()) {
    const std::size_t end = std::min(header.find(';'), header.size());
    const std::string_view pair = trimmed(header.substr(0, end));
    header.remove_prefix(std::min(end + 1, header.size()));
    if (pair.size() > name.size() && pair.starts_with(name) && pair[name.size()] == '=') values.push_back(pair.substr(name.size() + 1));
  }
  return values;
}

telemetry::Counter counter(telemetry::Metrics& metrics, const char* reason) {
  return metrics.counter({"scalestyle_access_refused_total", "Requests refused for their key, scope or user token.", {{"reason", reason}}});
}

std::vector<std::string> session_secrets(const std::vector<std::string>& secrets) {
  return secrets.empty() ? std::vector{core::random_key(TokenSigner::kMinSecretBytes)} : secrets;
}

}  // namespace

AccessControl::AccessControl(Dependencies dependencies, Options options)
    : use_(dependencies),
      options_(std::move(options)),
      users_(options_.token_secrets),
      sessions_(session_secrets(options_.token_secrets)),
      no_key_(counter(use_.metrics, "no_key")),
      bad_key_(counter(use_.metrics, "bad_key")),
      bad_token_(counter(use_.metrics, "bad_token")),
      no_scope_(counter(use_.metrics, "no_scope")) {}

std::vector<std::pair<std::string_view, std::string>> AccessControl::answer_headers(const Request& request) const {
  std::vector<std::pair<std::string_view, std::string>> headers;
  options_.origins.add_headers(request, headers);
  if (options_.behind_tls) headers.emplace_back("Strict-Transport-Security", "max-age=31536000");
  return headers;
}

std::expected<Caller, AccessControl::Refusal> AccessControl::admit(const Request& request, ScopeSet any_of) const {
  if (!keys_in_force()) return Caller{};
  if (any_of.empty()) return Caller{.keys_in_force = true};
  auto caller = find_caller(request);
  if (!caller) return caller;
  if (!caller->scopes.meets(any_of)) {
    return refuse(make_error("forbidden", fmt::format("this key has none of the scopes that are needed: {}", to_text(any_of))), caller->key_id,
                  no_scope_);
  }
  if (caller->kind == KeyKind::kBrowser) {
    if (auto found = find_subject(request, *caller); !found) return std::unexpected(std::move(found).error());
  }
  return caller;
}

std::expected<Caller, AccessControl::Refusal> AccessControl::find_caller(const Request& request) const {
  const std::string_view presented = presented_key(request);
  if (presented.empty()) {
    return refuse(make_error("unauthorized", "an API key is needed, in X-API-Key or as a bearer token in Authorization"), {}, no_key_);
  }
  const auto keys = use_.keys->current();  // kept while `key` is used
  const auto key = keys->admit(presented, events::to_epoch_ms(use_.clock.wall_now()));
  if (!key) {
    const std::string_view what = key.error() == KeyFault::kExpired    ? "the API key has expired"
                                  : key.error() == KeyFault::kDisabled ? "the API key was revoked"
                                                                       : "the API key is not known";
    return refuse(make_error("unauthorized", std::string(what)), {}, bad_key_);
  }
  Caller caller{.keys_in_force = true, .key_id = (*key)->id, .kind = (*key)->kind, .scopes = (*key)->scopes};
  return caller;
}

std::expected<void, AccessControl::Refusal> AccessControl::find_subject(const Request& request, Caller& caller) const {
  if (!request.user_token.empty()) {
    auto token = users_.verify(TokenPurpose::kUser, request.user_token, now());
    if (!token) {
      const std::string_view what = !users_.has_secret()                      ? "this server has no secret for user tokens"
                                    : token.error() == TokenFault::kExpired ? "the user token has expired: get a new one"
                                                                            : "the user token is not a good one";
      return refuse(make_error("unauthorized", std::string(what), "X-User-Token"), caller.key_id, bad_token_);
    }
    caller.user = std::move(token->subject);
  }
  find_session(request, caller);
  return {};
}

void AccessControl::find_session(const Request& request, Caller& caller) const {
  for (const std::string_view value : cookie_values(request.cookie, kSessionCookie)) {
    auto token = sessions_.verify(TokenPurpose::kSession, value, now());
    if (!token) continue;
    caller.session = std::move(token->subject);
    const bool has_long = token->expires - now() > options_.session_lifetime / 2;
    if (!has_long) caller.set_cookie = cookie_of(caller.session);
    return;
  }
  constexpr std::size_t kSessionBytes = 16;
  const std::string random = core::random_key(kSessionBytes);
  caller.session = core::to_hex(std::span(reinterpret_cast<const std::uint8_t*>(random.data()), random.size()));
  caller.set_cookie = cookie_of(caller.session);
}

std::string AccessControl::cookie_of(std::string_view session) const {
  const std::string value = sessions_.sign(TokenPurpose::kSession, session, now() + options_.session_lifetime);
  return fmt::format("{}={}; Path=/; Max-Age={}; HttpOnly; SameSite=Lax{}", kSessionCookie, value, options_.session_lifetime.count(),
                     options_.behind_tls ? "; Secure" : "");
}

std::chrono::sys_seconds AccessControl::now() const { return std::chrono::floor<std::chrono::seconds>(use_.clock.wall_now()); }

std::unexpected<AccessControl::Refusal> AccessControl::refuse(ApiError error, std::string key_id, const telemetry::Counter& counter) const {
  counter.add();
  return std::unexpected(Refusal{std::move(error), std::move(key_id)});
}

}  // namespace scalestyle::http
