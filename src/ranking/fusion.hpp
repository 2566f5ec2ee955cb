#pragma once
// Fusion: one list of what several legs found (words, meaning, pictures), with one score in (0, 1].
//
//   weighted_sum     Σ_legs w · (s − low) / (high − low); high: the leg's best score, low: its floor. Keeps how much better
//                    one row is than the next, and needs scores that mean something (min-max, Fox & Shaw 1994 CombSUM)
//   reciprocal_rank  Σ_legs w · (c + 1) / (c + rank), rank from 1; only ranks count (Cormack, Clarke & Büttcher 2009)
//
// Weights are divided by their sum over the legs that found something, so that a leg alone gives scores up to 1. A row that a
// leg did not find gets nothing from it. Order: score descending, row ascending (rows are in the order of article ids); named
// rows, which the query asks for by id, come first with score 1.
// What the query prefers (a colour, a type) acts on the sum: times (1 + w · v · p) / (1 + w · v), where p in [0, 1] is how much of
// it the row meets, v how much the query prefers at all, and w the preference weight; what meets all of it, and every row of a
// query that prefers nothing, keeps its score.
// Pure; same input, same bits. Thread safety: free functions.

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "catalog/article_id.hpp"
#include "core/result.hpp"

namespace scalestyle::ranking {

enum class Leg : std::uint8_t { kLexical, kDense, kImage };
inline constexpr std::size_t kLegCount = 3;
inline constexpr std::array<Leg, kLegCount> kLegs{Leg::kLexical, Leg::kDense, Leg::kImage};
[[nodiscard]] std::string_view to_string(Leg leg);  // "lexical", "dense", "image"
[[nodiscard]] std::optional<Leg> leg_named(std::string_view name);

enum class FusionMethod : std::uint8_t { kWeightedSum, kReciprocalRank };
[[nodiscard]] std::string_view to_string(FusionMethod method);  // "weighted_sum", "reciprocal_rank"
[[nodiscard]] std::optional<FusionMethod> fusion_method(std::string_view name);

struct FusionOptions {
  FusionMethod method = FusionMethod::kReciprocalRank;
  double dense_weight = 0.5;             // 0 … 1; what is left of 1 is the lexical leg's
  double image_leg_weight = 0.3;         // 0 … 1; beside these two
  double reciprocal_rank_constant = 60;  // c; 0 … 10,000
  double preference_weight = 0.5;        // w; 0 … 100

  // kInvalidArgument with the setting as field: dense_weight, image_leg_weight, reciprocal_rank_constant,
  // preference_weight.
  [[nodiscard]] core::Status validate() const;
  [[nodiscard]] double weight(Leg leg) const;
};

// What one leg found: distinct rows, best first; finite scores, one a row.
struct LegResult {
  Leg leg = Leg::kLexical;
  std::span<const catalog::RowIndex> rows{};
  std::span<const float> scores{};
  // The score that is worth nothing; absent: that of the last row.
  std::optional<double> floor{};
};

struct FusedList {
  std::vector<catalog::RowIndex> rows{};
  std::vector<double> scores{};  // (0, 1], never rising
  // One entry a row where ranks were asked for: the place in each leg from 1, 0 where the leg did not find it.
  std::vector<std::array<std::uint32_t, kLegCount>> ranks{};
  // How much of what the query prefers each row meets; where ranks were asked for and something is preferred.
  std::vector<float> preferences{};
};

// Fills the second with how well each row of the first meets what is preferred, in [0, 1]. Same sizes.
using PreferenceOfRows = std::function<void(std::span<const catalog::RowIndex>, std::span<float>)>;

struct FusionRequest {
  std::span<const LegResult> legs{};                // each leg at most once
  std::span<const catalog::RowIndex> named_rows{};  // distinct; in the order wanted; need not be in a leg
  bool with_ranks = false;
  PreferenceOfRows prefer{};        // empty: nothing is preferred
  double preference_strength = 1;   // v, at least 0
};

// `options` must be valid.
[[nodiscard]] FusedList fuse(const FusionRequest& request, const FusionOptions& options);

}  // namespace scalestyle::ranking
