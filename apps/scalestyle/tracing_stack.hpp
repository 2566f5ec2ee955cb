#pragma once
// Traces of the settings, wired: the tracer that requests are served with, and the exporter with its threads.

#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "core/clock.hpp"
#include "core/result.hpp"
#include "core/settings.hpp"
#include "ports/http_client.hpp"
#include "telemetry/log.hpp"
#include "telemetry/metrics.hpp"
#include "telemetry/otlp_exporter.hpp"
#include "telemetry/trace.hpp"

namespace scalestyle::app {

// `names` and the settings of traces.
[[nodiscard]] std::vector<std::string> with_tracing_settings(std::vector<std::string> names);

class TracingStack {
 public:
  struct Services {
    const core::Clock& clock;
    telemetry::Metrics& metrics;
    telemetry::Logger& log;
  };

  // Connects to nothing: a collector that is away costs spans, never requests. `role`: as spans name it.
  // Errors: kInvalidArgument with the setting as field.
  [[nodiscard]] static core::Result<std::unique_ptr<TracingStack>> open(const core::Settings& settings, std::string_view role,
                                                                        Services services);
  TracingStack(const TracingStack&) = delete;
  TracingStack& operator=(const TracingStack&) = delete;
  ~TracingStack() { stop(); }

  // Null where otlp_endpoint is not set: nothing is traced.
  [[nodiscard]] telemetry::Tracer* tracer() { return tracer_.get(); }

  // Sends what is queued, for some seconds at most, and ends the threads. May be repeated.
  void stop();

 private:
  TracingStack() = default;

  std::unique_ptr<ports::HttpClient> client_;  // null, as all below: nothing is traced
  std::unique_ptr<telemetry::OtlpTransport> transport_;
  std::unique_ptr<telemetry::OtlpExporter> exporter_;
  std::unique_ptr<telemetry::Tracer> tracer_;
  std::jthread io_;
  std::thread sender_;
};

}  // namespace scalestyle::app
