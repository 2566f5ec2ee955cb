// How the API's description tells of keys.

#include "http/openapi.hpp"

namespace scalestyle::http {

void write_security_schemes(JsonWriter& json) {
  json.key("securitySchemes").begin_object();
  json.key("ApiKey").raw(
      R"({"type":"apiKey","in":"header","name":"X-API-Key","description":"A key made by `scalestyle keys create`. A server key may name any user; a browser key acts for the shopper of UserToken and Session only."})");
  json.key("BearerKey").raw(R"({"type":"http","scheme":"bearer","description":"The same key in the header Authorization."})");
  json.key("UserToken").raw(
      R"({"type":"apiKey","in":"header","name":"X-User-Token","description":"With a browser key: who the shopper is, signed by the shop's server. Not needed by anonymous shoppers."})");
  json.key("Session").raw(
      R"({"type":"apiKey","in":"cookie","name":"scalestyle_session","description":"With a browser key: the anonymous session, made by the first answer."})");
  json.end_object();
}

void write_security(JsonWriter& json, ScopeSet scopes) {
  json.key("security").begin_array();
  const auto alternative = [&](std::string_view scheme, Scope scope) {
    json.begin_object().key(scheme).begin_array().text(to_string(scope)).end_array().end_object();
  };
  for (const Scope scope : kScopes) {
    if (!scopes.contains(scope)) continue;
    alternative("ApiKey", scope);
    alternative("BearerKey", scope);
  }
  json.end_array();
}

}  // namespace scalestyle::http
