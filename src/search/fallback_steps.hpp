#pragma once
// FallbackSteps: which steps of the ladder may stand in for a search that cannot be answered whole. All of them, but where an
// operator tries one out: with those before it left out, it is reached at once.
// Thread safety: a value.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "recommend/popularity_board.hpp"

namespace scalestyle::search {

// In the order in which they are tried.
enum class FallbackStep : std::uint8_t {
  kWords,          // what the query's words find, where its meaning cannot be looked up
  kOtherSide,      // photos for a text that fails, a text for photos that do
  kCached,         // the last list kept for the query
  kPopular24h,     // popular articles within the filters, as the next two
  kPopular7d,
  kGlobalPopular,
};
inline constexpr std::size_t kFallbackStepCount = 6;
// "words", "other_side", and as `fallback_source` has them "cached", "popular_24h", "popular_7d", "global_popular"
[[nodiscard]] std::string_view to_string(FallbackStep step);

class FallbackSteps {
 public:
  FallbackSteps() = default;  // all

  // Names separated by commas, in any order; "all", "none". kInvalidArgument, field "fallback": empty, a name that is none (the
  // nearest is told), or given twice.
  [[nodiscard]] static core::Result<FallbackSteps> parse(std::string_view text);

  [[nodiscard]] bool allow(FallbackStep step) const { return (steps_ >> static_cast<unsigned>(step) & 1U) != 0; }
  // The popular lists among them, best first.
  [[nodiscard]] std::vector<recommend::PopularityTier> tiers() const;
  // Those left out, separated by commas; empty for none.
  [[nodiscard]] std::string left_out() const;

 private:
  static constexpr unsigned kAll = (1U << kFallbackStepCount) - 1;

  unsigned steps_ = kAll;  // a bit each
};

}  // namespace scalestyle::search
