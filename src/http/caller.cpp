#include "http/caller.hpp"

#include <algorithm>

namespace scalestyle::http {

namespace {

std::unexpected<core::Error> denied(std::string message, std::string_view field) {
  return core::fail(core::ErrorCode::kPermissionDenied, std::move(message), std::string(field));
}

}  // namespace

core::Status Caller::settle(std::optional<std::string>& user_id, std::optional<std::string>& session_id, Fields fields) const {
  if (!is_bound()) return {};
  if (user_id && !user_id->empty() && user_id != user) {
    return denied(user ? "this key acts only for the user of X-User-Token" : "this key acts for a user only with an X-User-Token of that user",
                  fields.user);
  }
  if (session_id && !session_id->empty() && *session_id != session) {
    return denied("this key acts only for the session of its cookie", fields.session);
  }
  if (user) user_id = user;
  session_id = session;
  return {};
}

core::Status Caller::settle(std::vector<std::pair<std::string, std::string>>& parameters, bool takes_subject) const {
  if (!is_bound()) return {};
  std::optional<std::string> nobody;
  for (const auto& [name, value] : parameters) {
    if (name == "user_id" && value != user) {
      return denied("this key acts for a user only with an X-User-Token of that user", name);
    }
    if (!takes_subject) continue;
    std::optional<std::string> named = value;
    if (name == "userId") CORE_CHECK(settle(named, nobody, {.user = name, .session = "sessionId"}));
    nobody.reset();
    if (name == "sessionId") CORE_CHECK(settle(nobody, named, {.user = "userId", .session = name}));
    nobody.reset();
  }
  if (!takes_subject) return {};
  // A parameter given twice stays so: that is another error.
  const auto fill = [&](std::string_view name, const std::string& own) {
    const auto named = std::ranges::count(parameters, name, [](const auto& pair) { return std::string_view(pair.first); });
    if (named > 1) return;
    if (named == 0) parameters.emplace_back(std::string(name), own);
    for (auto& [key, value] : parameters) {
      if (key == name) value = own;
    }
  };
  if (user) fill("userId", *user);
  fill("sessionId", session);
  return {};
}

core::Status Caller::needs_admin(std::string_view field) const {
  if (may(Scope::kAdmin)) return {};
  return denied("only a key with the scope admin may ask for this", field);
}

}  // namespace scalestyle::http
