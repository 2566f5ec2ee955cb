#include "search/fallback_steps.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "core/text_distance.hpp"

namespace scalestyle::search {

namespace {

constexpr std::string_view kSetting = "fallback";
constexpr std::size_t kMaxShownBytes = 64;
constexpr std::array<std::string_view, kFallbackStepCount> kNames{"words",       "other_side", "cached",
                                                                  "popular_24h", "popular_7d", "global_popular"};

std::string unknown_step(std::string_view name) {
  std::vector<std::string> known(kNames.begin(), kNames.end());
  known.insert(known.end(), {"all", "none"});
  const std::string shown(name.substr(0, kMaxShownBytes));
  const std::string nearest = core::nearest_name(shown, known);
  const std::string hint = nearest.empty() ? std::string() : fmt::format(", did you mean \"{}\"?", nearest);
  return fmt::format("fallback: there is no step \"{}\"{}; the steps are {}, or all, or none", shown, hint, fmt::join(kNames, ", "));
}

}  // namespace

std::string_view to_string(FallbackStep step) { return kNames[static_cast<std::size_t>(step)]; }

core::Result<FallbackSteps> FallbackSteps::parse(std::string_view text) {
  FallbackSteps steps;
  if (text == "all") return steps;
  steps.steps_ = 0;
  if (text == "none") return steps;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    std::string_view name = text.substr(begin, end - begin);
    while (name.starts_with(' ')) name.remove_prefix(1);
    while (name.ends_with(' ')) name.remove_suffix(1);
    const auto found = std::ranges::find(kNames, name);
    if (found == kNames.end()) return core::fail(core::ErrorCode::kInvalidArgument, unknown_step(name), std::string(kSetting));
    const unsigned bit = 1U << static_cast<unsigned>(found - kNames.begin());
    if ((steps.steps_ & bit) != 0) {
      return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("fallback names {} twice", name), std::string(kSetting));
    }
    steps.steps_ |= bit;
    begin = end + 1;
  }
  return steps;
}

std::vector<recommend::PopularityTier> FallbackSteps::tiers() const {
  using recommend::PopularityTier;
  std::vector<PopularityTier> tiers;
  if (allow(FallbackStep::kPopular24h)) tiers.push_back(PopularityTier::k24h);
  if (allow(FallbackStep::kPopular7d)) tiers.push_back(PopularityTier::k7d);
  if (allow(FallbackStep::kGlobalPopular)) tiers.push_back(PopularityTier::kGlobal);
  return tiers;
}

std::string FallbackSteps::left_out() const {
  std::string names;
  for (std::size_t i = 0; i < kFallbackStepCount; ++i) {
    if (allow(static_cast<FallbackStep>(i))) continue;
    names += names.empty() ? "" : ",";
    names += kNames[i];
  }
  return names;
}

}  // namespace scalestyle::search
