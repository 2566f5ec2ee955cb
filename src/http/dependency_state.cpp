#include "http/dependency_state.hpp"

#include "http/json_writer.hpp"

namespace scalestyle::http {

void write_dependencies(JsonWriter& json, const std::vector<DependencyState>& states) {
  json.begin_array();
  for (const DependencyState& state : states) {
    json.begin_object().key("name").text(state.name).key("engine").text(state.engine);
    json.key("status").text(state.trouble.empty() ? "ok" : "down");
    if (!state.trouble.empty()) json.key("cause").text(state.trouble);
    if (!state.breaker.empty()) json.key("breaker").text(state.breaker);
    json.end_object();
  }
  json.end_array();
}

}  // namespace scalestyle::http
