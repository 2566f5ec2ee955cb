#include "search/recommendation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <utility>

#include "core/text_distance.hpp"

namespace scalestyle::search {

namespace {

constexpr double kMaxSourceWeight = 1'000;

core::Status wrong(std::string message, std::string_view setting) {
  return core::fail(core::ErrorCode::kInvalidArgument, std::move(message), std::string(setting));
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// The parts between commas, blanks at their ends left out.
std::vector<std::string_view> parts_of(std::string_view text) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    parts.push_back(trimmed(text.substr(begin, end - begin)));
    begin = end + 1;
  }
  return parts;
}

std::optional<std::size_t> source_of(std::string_view name) {
  for (std::size_t i = 0; i < ranking::kSourceCount; ++i) {
    if (to_string(static_cast<ranking::Source>(i)) == name) return i;
  }
  return std::nullopt;
}

std::string unknown_source(std::string_view name) {
  std::vector<std::string> known;
  for (std::size_t i = 0; i < ranking::kSourceCount; ++i) known.emplace_back(to_string(static_cast<ranking::Source>(i)));
  const std::string shown(name.substr(0, 64));
  const std::string nearest = core::nearest_name(shown, known);
  std::string all;
  for (const std::string& one : known) all += (all.empty() ? "" : ", ") + one;
  return fmt::format("there is no source \"{}\"{}; the sources are {}", shown,
                     nearest.empty() ? std::string() : fmt::format(", did you mean \"{}\"?", nearest), all);
}

core::Status check_weights(const ranking::SourceScores& weights, std::string_view setting) {
  bool any = false;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const auto weight = static_cast<double>(weights[i]);
    if (!std::isfinite(weight) || weight < 0 || weight > kMaxSourceWeight) {
      return wrong(fmt::format("the weight of {} must be 0 to {}, not {}", to_string(static_cast<ranking::Source>(i)), kMaxSourceWeight,
                               weight),
                   setting);
    }
    any = any || weight > 0;
  }
  return any ? core::Status() : wrong("at least one source must have a weight above 0", setting);
}

}  // namespace

double EventWeights::of(events::EventType type) const {
  switch (type) {
    case events::EventType::kClick: return click;
    case events::EventType::kView: return view;
    case events::EventType::kAddToCart: return add_to_cart;
    case events::EventType::kPurchase: return purchase;
    default: return 0;
  }
}

core::Status ExplorationOptions::validate() const {
  if (!std::isfinite(rate) || rate < 0 || rate > 1) return wrong(fmt::format("exploration_rate must be 0 to 1, not {}", rate), "exploration_rate");
  const bool is_rising = std::ranges::adjacent_find(positions, std::greater_equal<>()) == positions.end();
  const bool is_within = std::ranges::all_of(positions, [](std::size_t at) { return at >= 1 && at <= kMaxK; });
  if (positions.empty() || positions.size() > kMaxExplorationPositions || !is_rising || !is_within) {
    return wrong(fmt::format("exploration_positions must be 1 to {} different positions from 1 to {}, rising", kMaxExplorationPositions, kMaxK),
                 "exploration_positions");
  }
  return {};
}

ranking::SourceScores RecommendationOptions::default_similar_weights() {
  ranking::SourceScores weights{};
  weights[static_cast<std::size_t>(ranking::Source::kContent)] = 1.0F;
  weights[static_cast<std::size_t>(ranking::Source::kPicture)] = 0.8F;
  weights[static_cast<std::size_t>(ranking::Source::kNeighbour)] = 0.6F;
  return weights;
}

core::Status RecommendationOptions::validate() const {
  CORE_CHECK(check_weights(for_you_weights, "for_you_weights"));
  CORE_CHECK(check_weights(similar_weights, "similar_weights"));
  for (std::size_t i = 0; i < similar_weights.size(); ++i) {
    const auto source = static_cast<ranking::Source>(i);
    const bool speaks = source == ranking::Source::kContent || source == ranking::Source::kPicture || source == ranking::Source::kNeighbour;
    if (speaks || !(similar_weights[i] > 0)) continue;
    return wrong(fmt::format("{} says nothing of what is like an article: give weights to similar_text, similar_picture and "
                             "bought_together",
                             to_string(source)),
                 "similar_weights");
  }
  if (!std::isfinite(item_half_life_days) || item_half_life_days < 0.01 || item_half_life_days > 3'650) {
    return wrong(fmt::format("for_you_item_half_life_days must be 0.01 to 3650, not {}", item_half_life_days), "for_you_item_half_life_days");
  }
  constexpr std::chrono::milliseconds kMostNear{1'000};
  if (near_budget < std::chrono::milliseconds(1) || near_budget > kMostNear) {
    return wrong(fmt::format("near_budget must be 1 to {} ms, not {}", kMostNear.count(), near_budget.count()), "near_budget");
  }
  return exploration.validate();
}

core::Result<ranking::SourceScores> parse_source_weights(std::string_view text, std::string_view setting,
                                                         const ranking::SourceScores& defaults) {
  ranking::SourceScores weights = defaults;
  if (trimmed(text).empty()) return weights;
  std::array<bool, ranking::kSourceCount> named{};
  const auto refuse = [&](const std::string& message) -> core::Result<ranking::SourceScores> {
    return std::unexpected(wrong(fmt::format("{}: {}", setting, message), setting).error());
  };
  for (const std::string_view part : parts_of(text)) {
    const std::size_t equals = part.find('=');
    if (equals == std::string_view::npos) return refuse(fmt::format("write source=weight, not \"{}\"", part.substr(0, 64)));
    const std::string_view name = trimmed(part.substr(0, equals));
    const std::string_view number = trimmed(part.substr(equals + 1));
    const auto source = source_of(name);
    if (!source) return refuse(unknown_source(name));
    if (named[*source]) return refuse(fmt::format("{} is named twice", name));
    named[*source] = true;
    double weight = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), weight);
    if (error != std::errc() || end != number.data() + number.size() || !(weight >= 0) || weight > kMaxSourceWeight) {
      return refuse(fmt::format("the weight of {} must be 0 to {}, not \"{}\"", name, kMaxSourceWeight, number.substr(0, 64)));
    }
    weights[*source] = static_cast<float>(weight);
  }
  CORE_CHECK(check_weights(weights, setting));
  return weights;
}

core::Result<std::vector<std::size_t>> parse_exploration_positions(std::string_view text) {
  std::vector<std::size_t> positions;
  for (const std::string_view part : parts_of(text)) {
    std::size_t position = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), position);
    if (error != std::errc() || end != part.data() + part.size()) {
      return std::unexpected(
          wrong(fmt::format("exploration_positions: \"{}\" is no position", part.substr(0, 64)), "exploration_positions").error());
    }
    positions.push_back(position);
  }
  return positions;
}

}  // namespace scalestyle::search
