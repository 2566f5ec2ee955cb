#pragma once
// How soon a click changes what the same user is answered: click, then ask at once, again and again, one after the other.

#include <cstdint>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "http_connection.hpp"

namespace scalestyle::load {

struct FreshnessOptions {
  std::size_t rounds = 300;
  bool use_after = true;  // the question carries the click's token
  std::string path = "/api/recommendation/search?query=warm+winter+jacket&k=20";
  std::uint64_t seed = 1;
};

struct FreshnessReport {
  std::size_t rounds = 0;
  std::size_t first_reflects = 0;           // the very next answer shows the click's effect
  std::size_t never_reflects = 0;           // no answer did within a second
  std::vector<double> acknowledged_ms{};    // click → acknowledgement; all ascending
  std::vector<double> reflected_ms{};       // acknowledgement → end of the first answer that shows the effect
  std::vector<double> plain_ms{};           // the same question by somebody without history, in between
};

// Each round: a new user clicks an article that the plain answer shows, then asks until the article carries the effect
// of that click (behaviorScore and boosted_by: recent_click). kUnavailable on any other than a good answer.
[[nodiscard]] core::Result<FreshnessReport> measure_freshness(const Address& address, const std::string& host,
                                                              const FreshnessOptions& options);

}  // namespace scalestyle::load
