#pragma once
// What is counted about requests: by route (the pattern, never the path) and status. I/O thread only.

#include <map>
#include <string_view>
#include <utility>

#include "http/application.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::http {

class HttpMetrics {
 public:
  explicit HttpMetrics(telemetry::Metrics& metrics) : metrics_(metrics) {}

  // `call.route` must be a route's pattern or "none". A client that went away counts as status "gone".
  void record(const FinishedCall& call);

 private:
  void record_stream(std::string_view route, StreamEnd end);

  telemetry::Metrics& metrics_;
  std::map<std::pair<std::string_view, int>, telemetry::Counter> requests_;
  std::map<std::string_view, telemetry::Histogram> seconds_;
  std::map<std::pair<std::string_view, StreamEnd>, telemetry::Counter> streams_;
};

}  // namespace scalestyle::http
