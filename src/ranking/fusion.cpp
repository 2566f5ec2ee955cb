#include "ranking/fusion.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "ranking/behavior_boost.hpp"

namespace scalestyle::ranking {

namespace {

constexpr double kLeastScore = 1e-6;

struct Contribution {
  catalog::RowIndex row;
  std::uint32_t rank = 0;
  Leg leg = Leg::kLexical;
  double score = 0;
};

void add_weighted(const LegResult& found, double weight, std::vector<Contribution>& all) {
  const double high = found.scores.front();
  const double low = std::min(high, found.floor.value_or(found.scores.back()));
  const double range = high - low;
  for (std::size_t i = 0; i < found.rows.size(); ++i) {
    // Where all are equally good all are the best.
    const double share = range > 0 ? std::clamp((static_cast<double>(found.scores[i]) - low) / range, 0.0, 1.0) : 1.0;
    all.push_back({found.rows[i], static_cast<std::uint32_t>(i + 1), found.leg, weight * share});
  }
}

void add_reciprocal(const LegResult& found, double weight, double constant, std::vector<Contribution>& all) {
  for (std::size_t i = 0; i < found.rows.size(); ++i) {
    const double rank = static_cast<double>(i + 1);
    all.push_back({found.rows[i], static_cast<std::uint32_t>(i + 1), found.leg, weight * (constant + 1) / (constant + rank)});
  }
}

std::vector<Contribution> contributions(std::span<const LegResult> legs, const FusionOptions& options) {
  double sum = 0;
  std::size_t rows = 0;
  for (const LegResult& found : legs) {
    if (found.rows.empty()) continue;
    sum += options.weight(found.leg);
    rows += found.rows.size();
  }
  std::vector<Contribution> all;
  all.reserve(rows);
  for (const LegResult& found : legs) {
    if (found.rows.empty()) continue;
    // A leg that found something alone decides, whatever its weight is.
    const double weight = sum > 0 ? options.weight(found.leg) / sum : 1;
    if (options.method == FusionMethod::kWeightedSum) {
      add_weighted(found, weight, all);
    } else {
      add_reciprocal(found, weight, options.reciprocal_rank_constant, all);
    }
  }
  return all;
}

// By row, and of one row by leg: sums are made in one order.
void merge(std::vector<Contribution>& all, FusedList& merged, bool with_ranks) {
  std::ranges::sort(all, [](const Contribution& a, const Contribution& b) { return a.row != b.row ? a.row < b.row : a.leg < b.leg; });
  for (const Contribution& one : all) {
    if (merged.rows.empty() || merged.rows.back() != one.row) {
      merged.rows.push_back(one.row);
      merged.scores.push_back(0);
      if (with_ranks) merged.ranks.emplace_back();
    }
    merged.scores.back() += one.score;
    if (with_ranks) merged.ranks.back()[static_cast<std::size_t>(one.leg)] = one.rank;
  }
}

void apply_preferences(const PreferenceOfRows& prefer, double weight, FusedList& merged) {
  merged.preferences.resize(merged.rows.size());
  prefer(merged.rows, merged.preferences);
  for (std::size_t i = 0; i < merged.rows.size(); ++i) {
    const auto met = static_cast<double>(std::clamp(merged.preferences[i], 0.0F, 1.0F));
    merged.scores[i] *= (1 + weight * met) / (1 + weight);
  }
}

// Appends to `list` what explains its last row, which is at `place` of `merged`, or in no leg.
void explain_row(const FusedList& merged, std::optional<std::size_t> place, const FusionRequest& request, FusedList& list) {
  list.ranks.push_back(place ? merged.ranks[*place] : std::array<std::uint32_t, kLegCount>{});
  if (!request.prefer) return;
  float preference = place ? merged.preferences[*place] : 0;
  if (!place) request.prefer(std::span(&list.rows.back(), 1), std::span(&preference, 1));
  list.preferences.push_back(preference);
}

}  // namespace

std::string_view to_string(Leg leg) {
  switch (leg) {
    case Leg::kLexical: return "lexical";
    case Leg::kDense: return "dense";
    case Leg::kImage: return "image";
  }
  return "lexical";
}

std::optional<Leg> leg_named(std::string_view name) {
  for (const Leg leg : kLegs) {
    if (to_string(leg) == name) return leg;
  }
  return std::nullopt;
}

std::string_view to_string(FusionMethod method) {
  return method == FusionMethod::kWeightedSum ? "weighted_sum" : "reciprocal_rank";
}

std::optional<FusionMethod> fusion_method(std::string_view name) {
  for (const FusionMethod method : {FusionMethod::kWeightedSum, FusionMethod::kReciprocalRank}) {
    if (to_string(method) == name) return method;
  }
  return std::nullopt;
}

core::Status FusionOptions::validate() const {
  const auto check = [](double value, double maximum, const char* name) -> core::Status {
    if (std::isfinite(value) && value >= 0 && value <= maximum) return {};
    return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("{} must be 0 to {}, not {}", name, maximum, value), name);
  };
  CORE_CHECK(check(dense_weight, 1, "dense_weight"));
  CORE_CHECK(check(image_leg_weight, 1, "image_leg_weight"));
  CORE_CHECK(check(reciprocal_rank_constant, 10'000, "reciprocal_rank_constant"));
  return check(preference_weight, 100, "preference_weight");
}

double FusionOptions::weight(Leg leg) const {
  switch (leg) {
    case Leg::kLexical: return 1 - dense_weight;
    case Leg::kDense: return dense_weight;
    case Leg::kImage: return image_leg_weight;
  }
  return 0;
}

FusedList fuse(const FusionRequest& request, const FusionOptions& options) {
  std::vector<Contribution> all = contributions(request.legs, options);
  FusedList merged;
  merge(all, merged, request.with_ranks);
  if (request.prefer) apply_preferences(request.prefer, options.preference_weight * request.preference_strength, merged);

  // Named rows are taken out of their place and put first.
  std::vector<catalog::RowIndex> named(request.named_rows.begin(), request.named_rows.end());
  std::ranges::sort(named);
  std::vector<std::uint32_t> order;
  order_by_score(merged.scores, merged.rows, order);
  FusedList list;
  list.rows.reserve(merged.rows.size() + named.size());
  list.scores.reserve(list.rows.capacity());
  for (const catalog::RowIndex row : request.named_rows) {
    const auto found = std::ranges::lower_bound(merged.rows, row);
    std::optional<std::size_t> place;
    if (found != merged.rows.end() && *found == row) place = static_cast<std::size_t>(found - merged.rows.begin());
    list.rows.push_back(row);
    list.scores.push_back(1);
    if (request.with_ranks) explain_row(merged, place, request, list);
  }
  for (const std::uint32_t at : order) {
    if (!named.empty() && std::ranges::binary_search(named, merged.rows[at])) continue;
    list.rows.push_back(merged.rows[at]);
    list.scores.push_back(std::clamp(merged.scores[at], kLeastScore, 1.0));
    if (request.with_ranks) explain_row(merged, at, request, list);
  }
  return list;
}

}  // namespace scalestyle::ranking
