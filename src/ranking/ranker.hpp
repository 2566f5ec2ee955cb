#pragma once
// Ranker: a learned order of one subject's candidates: trees over ranker_features(), with what training found out about them.
//
// At most kMaxLearned candidates, those of the best blend, are judged by the trees; the others stay behind them in the blend's
// order.
// Immutable; safe from any thread. score() is less than a millisecond for a few hundred small trees (bench/ranker_bench).

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "ranking/for_you.hpp"
#include "ranking/ranker_features.hpp"
#include "ranking/tree_ensemble.hpp"

namespace scalestyle::ranking {

inline constexpr std::size_t kMaxLearned = 300;
inline constexpr std::size_t kMaxRankerBytes = 64U << 20;

// How much better than the blend the ranker was on days that nothing else had seen: mean of MAP@12 over buyers, learned minus
// blend.
struct RankerVerdict {
  double difference = 0;
  double low = 0;   // 95 % interval
  double high = 0;
  [[nodiscard]] bool beats_blend() const { return low > 0; }
  friend bool operator==(const RankerVerdict&, const RankerVerdict&) = default;
};

struct Ranker {
  std::string id{};         // 1 … 64 letters, digits, '-', '_' or '.', the first no '.'
  TreeEnsemble trees{};     // of kRankerFeatureCount features
  SourceScores weights{};   // of the blend among the features
  double item_half_life_days = 3;  // of the shares among the features
  RankerVerdict verdict{};

  // One score a candidate, in (0, 1]: above 0.5 those that the trees judged. A stranger's, of whom no item is known, are the
  // blend's:
  // the trees learned from shoppers with a history.
  // `context` is as ranker_features() takes it, its half-life
  // is the ranker's own.
  [[nodiscard]] std::vector<double> score(const Candidates& candidates, RankerContext context) const;
};

// The candidates that the trees judge: numbers of the at most kMaxLearned of the best blend with these weights, best first,
// ties by row.
[[nodiscard]] std::vector<std::uint32_t> judged_candidates(const Candidates& candidates, const SourceScores& weights);

[[nodiscard]] core::Status check_ranker_id(std::string_view id);  // kInvalidArgument, field "ranker"

// model.bin of docs/formats/ranker.md, and back. parse_ranker: kDataLoss for damaged bytes; kUnsupported for another version
// of the
// format or of the features (train anew).
[[nodiscard]] std::string encode_ranker(const Ranker& ranker);
[[nodiscard]] core::Result<Ranker> parse_ranker(std::string_view bytes);

}  // namespace scalestyle::ranking
