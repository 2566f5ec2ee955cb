#pragma once
// What a process depends on and how it is now, for /ready: other engines, models, consumer loops.

#include <functional>
#include <string>
#include <vector>

namespace scalestyle::http {

class JsonWriter;

struct DependencyState {
  std::string name{};     // "features", "events", "vectors", "catalogue", "inference"
  std::string engine{};   // "redis", "kafka", "milvus", "http"; "embedded" in this process
  std::string trouble{};  // empty while all goes well
  std::string breaker{};  // "closed", "half_open", "open"; empty where there is none
};

// Called for each /ready, on the I/O thread: must not wait.
using DependencyStates = std::function<std::vector<DependencyState>()>;

// [{"name","engine","status":"ok"|"down","cause"?,"breaker"?}]
void write_dependencies(JsonWriter& json, const std::vector<DependencyState>& states);

}  // namespace scalestyle::http
