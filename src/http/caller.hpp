#pragma once
// Caller: who sent a request, as its API key says, and for whom it may act. Thread safety: a value.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.hpp"
#include "http/api_keys.hpp"
#include "http/scope.hpp"

namespace scalestyle::http {

struct Caller {
  bool keys_in_force = false;  // false: everybody may do everything, and all below is empty
  std::string key_id{};        // empty: the route needs no key
  KeyKind kind = KeyKind::kServer;
  ScopeSet scopes{};
  std::optional<std::string> user{};  // of a browser key with a user token
  std::string session{};              // of a browser key: its cookie's
  std::string set_cookie{};           // for the answer, where the client has no session yet or its time runs out

  [[nodiscard]] bool may(Scope scope) const { return !keys_in_force || scopes.contains(scope); }
  // Acts for its own user and session only.
  [[nodiscard]] bool is_bound() const { return keys_in_force && kind == KeyKind::kBrowser && !key_id.empty(); }

  // The subject of a request, before it is used: of a bound caller one that is named must be its own, one that is not named
  // becomes its own. kPermissionDenied with the field that names another.
  struct Fields {
    std::string_view user;
    std::string_view session;
  };
  [[nodiscard]] core::Status settle(std::optional<std::string>& user_id, std::optional<std::string>& session_id, Fields fields) const;

  // The same of a query string's pairs; an empty value names nobody. `takes_subject`: the route knows userId and sessionId.
  // A path's user_id is checked too.
  [[nodiscard]] core::Status settle(std::vector<std::pair<std::string, std::string>>& parameters, bool takes_subject) const;

  // kPermissionDenied with the field where this key may not ask for what only admins may.
  [[nodiscard]] core::Status needs_admin(std::string_view field) const;
};

}  // namespace scalestyle::http
