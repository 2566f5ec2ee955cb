#pragma once
// Measure: a figure of merit of one ranked list, with its depth, as "ndcg@10" names it.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "evaluation/query_set.hpp"

namespace scalestyle::evaluation {

enum class MeasureKind : std::uint8_t {
  kNdcg,
  kReciprocalRank,    // averaged over queries: MRR
  kRecall,
  kAveragePrecision,  // averaged over queries: MAP
  kHitRate,           // 1 when anything right is within the depth
};

inline constexpr std::size_t kMaxMeasureDepth = 10'000;
inline constexpr std::size_t kMaxMeasures = 20;

struct Measure {
  MeasureKind kind = MeasureKind::kNdcg;
  std::size_t depth = 10;
  int minimum_grade = 1;  // articles of this grade and above are right; nDCG takes all grades as they are

  friend bool operator==(const Measure&, const Measure&) = default;
};

// "ndcg@10", "mrr@10", "mrr@10:2" (articles of grade 2 and above), "recall@100", "map@12", "hit@10".
// kInvalidArgument, field "measures".
[[nodiscard]] core::Result<Measure> parse_measure(std::string_view text);
// Several, separated by commas; none twice.
[[nodiscard]] core::Result<std::vector<Measure>> parse_measures(std::string_view text);

[[nodiscard]] std::string key_of(const Measure& measure);    // what parse_measure() takes
[[nodiscard]] std::string title_of(const Measure& measure);  // for people: "MRR@10 (grade ≥ 2)"

// The measure of one list (metrics.hpp), in [0, 1].
[[nodiscard]] double measure_list(const Measure& measure, std::span<const catalog::ArticleId> ranked, const Grades& grades);

// The deepest that any of them looks.
[[nodiscard]] std::size_t deepest(std::span<const Measure> measures);

// A least value for one of the measures that are taken.
struct MeasureFloor {
  std::size_t measure = 0;  // its place among them
  double least = 0;
};
// "ndcg@10=0.75", several separated by commas; an empty text has none. kInvalidArgument, field "minimum".
[[nodiscard]] core::Result<std::vector<MeasureFloor>> parse_floors(std::string_view text, std::span<const Measure> measures);

}  // namespace scalestyle::evaluation
