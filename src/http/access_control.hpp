#pragma once
// AccessControl: decides who a request is from and whether it may be answered, before anything is done for it.
//
// A key comes in X-API-Key, or in Authorization as a bearer token (RFC 6750, section 2.1). A server key may name any user. A
// browser key may act for the user of X-User-Token (signed_token.hpp) and for the session of its cookie, which is made here
// when it is missing: random, signed, HttpOnly, SameSite=Lax. Without a key file everybody may do everything.
// Thread safety: any thread.

#include <chrono>
#include <cstddef>
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/clock.hpp"
#include "http/api_error.hpp"
#include "http/caller.hpp"
#include "http/cross_origin.hpp"
#include "http/key_file.hpp"
#include "http/message.hpp"
#include "http/scope.hpp"
#include "http/signed_token.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::http {

inline constexpr std::string_view kSessionCookie = "scalestyle_session";

class AccessControl {
 public:
  struct Options {
    std::vector<std::string> token_secrets{};  // one or two; none: user tokens are refused, and cookies are good until the end of the process
    std::chrono::seconds session_lifetime{std::chrono::days(30)};
    CrossOrigin origins{};
    bool behind_tls = false;  // clients speak TLS with this server or with what stands before it
  };
  struct Dependencies {
    const KeyFile* keys = nullptr;  // null: no keys are needed
    const core::Clock& clock;
    telemetry::Metrics& metrics;
  };
  // Why a request is not answered, and whose it was: the key's id, or empty.
  struct Refusal {
    ApiError error;
    std::string key_id{};
  };

  AccessControl(Dependencies dependencies, Options options);

  [[nodiscard]] bool keys_in_force() const { return use_.keys != nullptr; }

  // Of every answer to `request`, refusals included.
  [[nodiscard]] std::vector<std::pair<std::string_view, std::string>> answer_headers(const Request& request) const;

  // `any_of`: a key with one of these is needed; empty: none is. The refusal is a 401 (no key, or none that is good; a user token
  // that is not good) or a 403 (none of these scopes).
  [[nodiscard]] std::expected<Caller, Refusal> admit(const Request& request, ScopeSet any_of) const;

 private:
  [[nodiscard]] std::expected<Caller, Refusal> find_caller(const Request& request) const;
  [[nodiscard]] std::expected<void, Refusal> find_subject(const Request& request, Caller& caller) const;
  void find_session(const Request& request, Caller& caller) const;
  [[nodiscard]] std::string cookie_of(std::string_view session) const;
  [[nodiscard]] std::chrono::sys_seconds now() const;
  [[nodiscard]] std::unexpected<Refusal> refuse(ApiError error, std::string key_id, const telemetry::Counter& counter) const;

  Dependencies use_;
  Options options_;
  TokenSigner users_;
  TokenSigner sessions_;
  telemetry::Counter no_key_;
  telemetry::Counter bad_key_;
  telemetry::Counter bad_token_;
  telemetry::Counter no_scope_;
};

}  // namespace scalestyle::http
