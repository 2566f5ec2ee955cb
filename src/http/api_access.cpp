// The part of Api that says who may ask what, and what of it is audited.

#include <algorithm>
#include <utility>

#include "http/api.hpp"

namespace scalestyle::http {

namespace {

std::string path_value(const RouteMatch& match, std::string_view name) {
  for (const auto& [key, value] : match.path_values) {
    if (key == name) return value;
  }
  return {};
}

// A scrape reads nothing of anyone and comes every few seconds; one that is refused is told.
bool is_audited(const Route& route, bool refused) {
  if (route.id == RouteId::kMetrics) return refused;
  return route.scopes().meets({Scope::kAdmin, Scope::kUsers});
}

}  // namespace

std::expected<Caller, Response> Api::let_in(const Request& request, const RouteMatch& match, Call& call) const {
  const Route& route = *match.route;
  const auto audit = [&](std::string key_id) {
    if (use_.audit == nullptr) return;
    call.audit = std::make_shared<const AuditNote>(AuditNote{.key_id = std::move(key_id),
                                                             .action = route.operation_id,
                                                             .subject = use_.audit->hasher()(path_value(match, "user_id")),
                                                             .article = path_value(match, "id")});
  };
  if (use_.access == nullptr) {
    if (is_audited(route, false)) audit({});
    return Caller{};
  }
  auto caller = use_.access->admit(request, route.scopes());
  const bool refused = !caller;
  if (is_audited(route, refused)) audit(refused ? caller.error().key_id : caller->key_id);
  if (refused) return std::unexpected(error_response(caller.error().error, call.request_id));
  if (!caller->set_cookie.empty()) call.headers.emplace_back("Set-Cookie", std::move(caller->set_cookie));
  return std::move(*caller);
}

void Api::audit_admin(const Caller& caller, const Route& route, std::string_view user, Call& call) const {
  if (!caller.keys_in_force || use_.audit == nullptr || call.audit != nullptr) return;
  call.audit = std::make_shared<const AuditNote>(
      AuditNote{.key_id = caller.key_id, .action = route.operation_id, .subject = use_.audit->hasher()(user)});
}

core::Status Api::configure(const Caller& caller, const Route& route, QueryPairs& pairs, Call& call) const {
  const bool takes_it = std::ranges::find(route.parameters, "config", &ParameterSpec::name) != route.parameters.end();
  if (!takes_it || wanted_configuration(pairs).empty()) return {};
  const auto user = std::ranges::find(pairs, "userId", &QueryPairs::value_type::first);
  audit_admin(caller, route, user == pairs.end() ? std::string_view() : std::string_view(user->second), call);
  CORE_CHECK(caller.needs_admin("config"));
  return complete_from(use_.configurations, pairs, route.parameters);
}

core::Status Api::check_admin_parameters(const Caller& caller, const Route& route, const Parameters& parameters, Call& call) const {
  if (!caller.keys_in_force || !parameters.boolean("explain")) return {};
  audit_admin(caller, route, parameters.text("userId").value_or(""), call);
  return caller.needs_admin("explain");
}

void Api::audit_explanation(const RoutedRequest& request, int status) const {
  if (use_.audit == nullptr || !request.caller.keys_in_force) return;
  const AuditNote note{.key_id = request.caller.key_id, .action = request.route->operation_id};
  use_.audit->write({.request_id = request.request_id, .route = request.route->pattern, .status = status, .audit = &note});
}

void Api::log_query(std::string_view query, std::string_view user, std::string_view request_id) const {
  if (query.empty()) return;
  const std::string subject = use_.audit != nullptr ? use_.audit->hasher()(user) : std::string();
  use_.log.info("query", {{"request_id", request_id}, {"query", query}, {"subject", subject}});
}

}  // namespace scalestyle::http
