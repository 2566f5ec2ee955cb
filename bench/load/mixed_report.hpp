#pragma once
// A mixed load's report, for programs and for people.

#include <string>

#include "load_run.hpp"

namespace scalestyle::load {

// What the run was, beside its options.
struct MixedRun {
  std::string mix{};           // as it was given
  std::string distribution{};  // "unique" or "zipf"
  double exponent = 0;         // of Zipf's law, as the next
  std::size_t distinct = 0;
  std::uint64_t rerank = 0;    // rows asked for; 0: none
};

// One JSON object. "whole" answers were not degraded: rates and latencies are of these. Processor time is for a request that was
// answered, degraded or not, or refused.
[[nodiscard]] std::string mixed_json(const LoadOptions& options, const MixedRun& run, const LoadReport& report);
[[nodiscard]] std::string mixed_text(const LoadOptions& options, const MixedRun& run, const LoadReport& report);

}  // namespace scalestyle::load
