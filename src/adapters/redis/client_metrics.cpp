#include "adapters/redis/client_metrics.hpp"

#include <string>

namespace scalestyle::adapters::redis {
namespace {

telemetry::MetricName commands(std::string_view result) {
  return {"scalestyle_redis_commands_total", "Commands to Redis by how they ended", {{"result", std::string(result)}}};
}
telemetry::MetricName redirections(std::string_view kind) {
  return {"scalestyle_redis_redirections_total", "Commands that a node of the cluster sent to another",
          {{"kind", std::string(kind)}}};
}
telemetry::MetricName refreshes(std::string_view result) {
  return {"scalestyle_redis_slot_map_refreshes_total", "Readings of the cluster's slot map", {{"result", std::string(result)}}};
}

}  // namespace

ClientMetrics::ClientMetrics(telemetry::Metrics& metrics)
    : connections(metrics.gauge({"scalestyle_redis_connections", "Connections to Redis that stand"})),
      moved(metrics.counter(redirections("moved"))),
      asked(metrics.counter(redirections("ask"))),
      unreplicated_writes(metrics.counter({"scalestyle_redis_unreplicated_writes_total",
                                           "Commands that should have waited for a replica where none was attached"})),
      carried_out_(metrics.counter(commands("ok"))),
      duration_(metrics.histogram({"scalestyle_redis_command_duration_seconds", "From the call to its outcome"})),
      refreshes_(metrics.counter(refreshes("ok"))),
      failed_refreshes_(metrics.counter(refreshes("failed"))) {
  for (std::size_t code = 0; code < kCodes; ++code) {
    failures_[code] = metrics.counter(commands(core::to_string(static_cast<core::ErrorCode>(code))));
  }
}

void ClientMetrics::count_command(const core::Error* failure, std::chrono::nanoseconds took) const {
  const auto& counter = failure == nullptr ? carried_out_ : failures_.at(static_cast<std::size_t>(failure->code));
  counter.add();
  duration_.observe(std::chrono::duration<double>(took).count());
}

}  // namespace scalestyle::adapters::redis
