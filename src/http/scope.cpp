#include "http/scope.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace scalestyle::http {

std::string_view to_string(Scope scope) {
  switch (scope) {
    case Scope::kSearch: return "search";
    case Scope::kEvents: return "events";
    case Scope::kUsers: return "users";
    case Scope::kAdmin: return "admin";
  }
  return "admin";
}

std::string to_text(ScopeSet scopes) {
  std::string text;
  for (const Scope scope : kScopes) {
    if (!scopes.contains(scope)) continue;
    if (!text.empty()) text += ' ';
    text += to_string(scope);
  }
  return text;
}

core::Result<ScopeSet> parse_scopes(std::string_view text, std::string_view field) {
  constexpr std::string_view kBetween = " ,";
  const auto wrong = [&](std::string what) {
    return core::fail(core::ErrorCode::kInvalidArgument, std::move(what) + "; scopes are some of search, events, users, admin",
                      std::string(field));
  };
  ScopeSet scopes;
  for (std::size_t begin = text.find_first_not_of(kBetween); begin != std::string_view::npos;) {
    const std::size_t end = std::min(text.find_first_of(kBetween, begin), text.size());
    const std::string_view name = text.substr(begin, end - begin);
    const auto found = std::ranges::find(kScopes, name, [](Scope scope) { return to_string(scope); });
    if (found == kScopes.end()) return wrong("there is no such scope");
    if (scopes.contains(*found)) return wrong(fmt::format("the scope {} stands there twice", name));
    scopes.add(*found);
    begin = text.find_first_not_of(kBetween, end);
  }
  if (scopes.empty()) return wrong("no scope is named");
  return scopes;
}

}  // namespace scalestyle::http
