#include "search/impression_recorder.hpp"

#include <utility>

#include "search/experiments.hpp"

namespace scalestyle::search {

namespace {

telemetry::Counter counter(telemetry::Metrics& metrics, const char* result) {
  return metrics.counter({"scalestyle_impressions_total", "Impressions of answers, by what became of them.", {{"result", result}}});
}

}  // namespace

ImpressionRecorder::ImpressionRecorder(ports::ImpressionLog& log, double sample, telemetry::Metrics& metrics)
    : log_(log),
      sample_(sample),
      noted_(counter(metrics, "noted")),
      dropped_(counter(metrics, "dropped")),
      left_out_(counter(metrics, "not_sampled")) {}

bool ImpressionRecorder::wants(std::string_view request_id) const {
  if (sample_ >= 1) return true;
  if (sample_ <= 0) return false;
  return static_cast<double>(salted_bucket("impression", "sample", request_id)) < sample_ * kBuckets;
}

bool ImpressionRecorder::note(events::Impression impression) const {
  if (!wants(impression.request_id)) {
    left_out_.add();
    return false;
  }
  const bool taken = log_.note(std::move(impression));
  (taken ? noted_ : dropped_).add();
  return taken;
}

}  // namespace scalestyle::search
