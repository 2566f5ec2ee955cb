#include "search/door.hpp"

namespace scalestyle::search {

namespace {

telemetry::Counter requests(telemetry::Metrics& metrics, const char* outcome) {
  return metrics.counter({"scalestyle_admission_requests_total", "Searches that came to the door.", {{"outcome", outcome}}});
}

}  // namespace

Door::Door(const DoorOptions& options, const core::Clock& clock, telemetry::Metrics& metrics)
    : limit_(options.limit, clock),
      brownout_(options.brownout, clock),
      limit_gauge_(metrics.gauge({"scalestyle_admission_limit", "Searches that may be in progress at once now."})),
      in_progress_gauge_(metrics.gauge({"scalestyle_admission_in_progress", "Searches in progress when the last one came."})),
      step_gauge_(metrics.gauge({"scalestyle_brownout_level",
                                 "What searches leave out under pressure: 0 nothing, 1 half of the rerank depth, 2 reranking, 3 pictures, "
                                 "4 meaning."})),
      admitted_(requests(metrics, "admitted")),
      refused_(requests(metrics, "refused")) {
  limit_gauge_.set(static_cast<double>(limit_.limit()));
}

std::optional<Door::Pass> Door::enter() {
  auto ticket = limit_.enter();
  const BrownoutStep step = brownout_.observe(ticket ? ticket->pressure() : 1.0);
  limit_gauge_.set(static_cast<double>(limit_.limit()));
  in_progress_gauge_.set(static_cast<double>(limit_.in_progress()));
  step_gauge_.set(static_cast<double>(step));
  (ticket ? admitted_ : refused_).add();
  if (!ticket) return std::nullopt;
  return Pass(std::move(*ticket), step);
}

}  // namespace scalestyle::search
