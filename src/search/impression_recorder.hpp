#pragma once
// ImpressionRecorder: notes what answers showed, of a sample of them. Never on a request's path: note() of the log
// waits for nothing, and drops rather than delays.
// Thread safety: any thread.

#include <string_view>

#include "events/impression.hpp"
#include "ports/impression_log.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::search {

class ImpressionRecorder {
 public:
  // `sample`, 0 … 1: the part of answers that is noted, by a hash of their request ids.
  ImpressionRecorder(ports::ImpressionLog& log, double sample, telemetry::Metrics& metrics);

  // Whether the answer with this id is in the sample; ask before building the record. The same id always has the same
  // answer, and what is in a smaller sample is in a larger one.
  [[nodiscard]] bool wants(std::string_view request_id) const;

  // Notes the record when wants() its request_id. False when it was left out or dropped; metrics count both.
  bool note(events::Impression impression) const;

 private:
  ports::ImpressionLog& log_;
  double sample_;
  telemetry::Counter noted_;
  telemetry::Counter dropped_;
  telemetry::Counter left_out_;
};

}  // namespace scalestyle::search
