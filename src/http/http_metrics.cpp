#include "http/http_metrics.hpp"

#include <string>

namespace scalestyle::http {

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
}

}  // namespace scalestyle::http
