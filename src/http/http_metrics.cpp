#include "http/http_metrics.hpp"

#include <string>

namespace scalestyle::http {

namespace {

std::string_view to_string(StreamEnd end) {
  switch (end) {
    case StreamEnd::kComplete: return "complete";
    case StreamEnd::kGone: return "gone";
    case StreamEnd::kLate: return "late";
    case StreamEnd::kFailed: return "failed";
    case StreamEnd::kSlowReader: return "slow_reader";
  }
  return "unknown";
}

}  // namespace

void HttpMetrics::record(const FinishedCall& call) {
  const std::pair key{call.route, call.status};
  auto counter = requests_.find(key);
  if (counter == requests_.end()) {
    const std::string status = call.status == 0 ? "gone" : std::to_string(call.status);
    counter = requests_
                  .emplace(key, metrics_.counter({"scalestyle_http_requests_total", "Requests by route and status.",
                                                  {{"route", std::string(call.route)}, {"status", status}}}))
                  .first;
  }
  counter->second.add();

  auto histogram = seconds_.find(call.route);
  if (histogram == seconds_.end()) {
    histogram = seconds_
                    .emplace(call.route, metrics_.histogram({"scalestyle_http_request_seconds",
                                                             "From a request's complete header to its answer's last byte.",
                                                             {{"route", std::string(call.route)}}}))
                    .first;
  }
  histogram->second.observe(std::chrono::duration<double>(call.took).count());
  if (call.stream) record_stream(call.route, *call.stream);
}

void HttpMetrics::record_stream(std::string_view route, StreamEnd end) {
  const std::pair key{route, end};
  auto counter = streams_.find(key);
  if (counter == streams_.end()) {
    counter = streams_
                  .emplace(key, metrics_.counter({"scalestyle_http_streams_total", "Streamed answers by route and how they ended.",
                                                  {{"route", std::string(route)}, {"end", std::string(to_string(end))}}}))
                  .first;
  }
  counter->second.add();
}

}  // namespace scalestyle::http
