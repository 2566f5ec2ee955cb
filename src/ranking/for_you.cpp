#include "ranking/for_you.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <string>
#include <utility>

namespace scalestyle::ranking {
namespace {

constexpr std::size_t kMaxItems = 100;
constexpr float kLeastScore = 1e-6F;  // what a source has, it has with a score above 0

constexpr std::array<std::string_view, kSourceCount> kNames{"own",          "variant",         "bought_together", "section",
                                                            "similar_text", "similar_picture", "new",             "popular"};

std::size_t place(Source source) { return static_cast<std::size_t>(source); }

std::unexpected<core::Error> invalid(std::string message, std::string field) {
  return core::fail(core::ErrorCode::kInvalidArgument, std::move(message), std::move(field));
}

// Rows of one source with scores above 0. A row in the upper half, the bits of its score in the lower one: numbers that sort by
// row, then score, since floats above 0 sort as their bits do. Sums over sorted scores do not depend on the order of inputs.
class Scores {
 public:
  explicit Scores(const catalog::Bitmap* eligible) : eligible_(eligible) {}

  void add(catalog::RowIndex row, float score) {
    if (!(score > 0) || (eligible_ != nullptr && !eligible_->test(row))) return;
    packed_.push_back(std::uint64_t{row.value} << 32 | std::bit_cast<std::uint32_t>(score));
  }
  void add(std::span<const ScoredRow> rows) {
    packed_.reserve(packed_.size() + rows.size());
    for (const ScoredRow& one : rows) add(one.row, one.score);
  }

  // One entry a row with the sum of its scores, by row. Without the rows of `hidden`, which is sorted.
  std::vector<ScoredRow> sums(std::span<const catalog::RowIndex> hidden) && {
    std::ranges::sort(packed_);
    std::vector<ScoredRow> rows;
    rows.reserve(packed_.size());
    for (std::size_t i = 0; i < packed_.size();) {
      const catalog::RowIndex row{static_cast<std::uint32_t>(packed_[i] >> 32)};
      double sum = 0;
      for (; i < packed_.size() && packed_[i] >> 32 == row.value; ++i) {
        sum += std::bit_cast<float>(static_cast<std::uint32_t>(packed_[i]));
      }
      if (!std::ranges::binary_search(hidden, row)) rows.push_back({row, static_cast<float>(sum)});
    }
    return rows;
  }

 private:
  const catalog::Bitmap* eligible_;
  std::vector<std::uint64_t> packed_;
};

void divide_by_greatest(std::vector<ScoredRow>& rows) {
  float greatest = 0;
  for (const ScoredRow& one : rows) greatest = std::max(greatest, one.score);
  for (ScoredRow& one : rows) one.score = std::max(kLeastScore, one.score / greatest);
}

// What was done long ago fades out instead of becoming the best of what is left; much of it approaches 1.
void saturate(std::vector<ScoredRow>& rows) {
  for (ScoredRow& one : rows) one.score = std::clamp(one.score / (1 + one.score), kLeastScore, 1.0F);
}

using Lists = std::array<std::vector<ScoredRow>, kSourceCount>;

struct Subject {
  std::span<const SubjectItem> items;
  std::vector<float> strengths;           // one an item: its weight, decayed
  std::vector<catalog::RowIndex> hidden;  // sorted
};

Subject subject_of(const ForYouInputs& inputs, const ForYouOptions& options) {
  Subject subject{.items = inputs.items.first(std::min(kMaxItems, inputs.items.size())), .strengths = {}, .hidden = {}};
  for (const SubjectItem& item : subject.items) {
    subject.strengths.push_back(item.weight * static_cast<float>(std::exp2(-item.age_days / options.item_half_life_days)));
    if (!(item.bought ? options.own.show_bought : options.own.show_seen)) subject.hidden.push_back(item.row);
  }
  std::ranges::sort(subject.hidden);
  return subject;
}

void add_items(const ForYouInputs& inputs, const ForYouOptions& options, const Subject& subject, Lists& lists) {
  Scores own(inputs.eligible);
  Scores variants(inputs.eligible);
  Scores neighbours(inputs.eligible);
  const std::size_t with_neighbours = std::min(options.neighbour_items, subject.items.size());
  for (std::size_t i = 0; i < subject.items.size(); ++i) {
    const catalog::RowIndex row = subject.items[i].row;
    const float strength = subject.strengths[i];
    own.add(row, strength);
    for (const catalog::RowIndex sibling : inputs.articles->rows_of_product(inputs.articles->product_of(row))) {
      if (sibling != row) variants.add(sibling, strength);
    }
    if (i >= with_neighbours || inputs.neighbours == nullptr || row.value >= inputs.neighbours->size()) continue;
    for (const Neighbour& neighbour : inputs.neighbours->of(row.value)) {
      neighbours.add({neighbour.item}, strength / (1 + strength) * neighbour.score);
    }
  }
  neighbours.add(inputs.live_neighbours);
  lists[place(Source::kOwn)] = std::move(own).sums(subject.hidden);
  lists[place(Source::kVariant)] = std::move(variants).sums(subject.hidden);
  saturate(lists[place(Source::kOwn)]);
  saturate(lists[place(Source::kVariant)]);
  lists[place(Source::kNeighbour)] = std::move(neighbours).sums(subject.hidden);
  divide_by_greatest(lists[place(Source::kNeighbour)]);
}

void add_list(const ForYouInputs& inputs, const Subject& subject, std::span<const ScoredRow> given, std::vector<ScoredRow>& list) {
  Scores scores(inputs.eligible);
  scores.add(given);
  list = std::move(scores).sums(subject.hidden);
  divide_by_greatest(list);
}

Candidates unite(const Lists& lists) {
  Candidates all;
  for (const auto& list : lists) {
    for (const ScoredRow& one : list) all.rows.push_back(one.row);
  }
  std::ranges::sort(all.rows);
  const auto repeated = std::ranges::unique(all.rows);
  all.rows.erase(repeated.begin(), repeated.end());
  all.scores.resize(all.rows.size());
  for (std::size_t source = 0; source < kSourceCount; ++source) {
    std::size_t at = 0;
    for (const ScoredRow& one : lists[source]) {
      while (all.rows[at] != one.row) ++at;
      all.scores[at][source] = one.score;
    }
  }
  return all;
}

// Those of the best blend, ties by row; by row as before.
void keep_best(Candidates& all, const ForYouOptions& options) {
  if (all.rows.size() <= options.max_candidates) return;
  const std::vector<double> blended = blend(all.scores, options.weights);
  std::vector<std::uint32_t> order(all.rows.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::uint32_t>(i);
  const auto end = order.begin() + static_cast<std::ptrdiff_t>(options.max_candidates);
  std::ranges::nth_element(order, end, [&](std::uint32_t a, std::uint32_t b) {
    return blended[a] != blended[b] ? blended[a] > blended[b] : a < b;
  });
  order.erase(end, order.end());
  std::ranges::sort(order);
  for (std::size_t i = 0; i < order.size(); ++i) {
    all.rows[i] = all.rows[order[i]];
    all.scores[i] = all.scores[order[i]];
  }
  all.rows.resize(order.size());
  all.scores.resize(order.size());
}

}  // namespace

std::string_view to_string(Source source) { return kNames[place(source)]; }

SourceScores ForYouOptions::default_weights() {
  SourceScores weights{};
  weights[place(Source::kOwn)] = 1.0F;
  weights[place(Source::kVariant)] = 0.12F;
  weights[place(Source::kNeighbour)] = 0.012F;
  weights[place(Source::kSection)] = 0.06F;
  weights[place(Source::kContent)] = 0.004F;
  weights[place(Source::kPicture)] = 0.004F;
  weights[place(Source::kNew)] = 0.002F;
  weights[place(Source::kPopular)] = 0.01F;
  return weights;
}

SourceScores ForYouOptions::basket_weights() {
  SourceScores weights{};
  weights[place(Source::kVariant)] = 0.6F;
  weights[place(Source::kNeighbour)] = 1.0F;
  weights[place(Source::kSection)] = 0.3F;
  weights[place(Source::kContent)] = 0.1F;
  weights[place(Source::kPicture)] = 0.1F;
  weights[place(Source::kPopular)] = 0.02F;
  return weights;
}

core::Status ForYouOptions::validate() const {
  double sum = 0;
  for (std::size_t source = 0; source < kSourceCount; ++source) {
    if (!(weights[source] >= 0 && weights[source] <= 1e6F)) {
      return invalid(fmt::format("the weight {} of source {} is not in 0 … 1000000", weights[source], kNames[source]), "weights");
    }
    sum += weights[source];
  }
  if (!(sum > 0)) return invalid("all weights of sources are 0: at least one must be above", "weights");
  if (!(item_half_life_days > 0 && item_half_life_days <= 10'000)) {
    return invalid(fmt::format("item_half_life_days {} is not above 0 and at most 10000", item_half_life_days), "item_half_life_days");
  }
  if (neighbour_items > kMaxItems) {
    return invalid(fmt::format("neighbour_items {} is not in 0 … {}", neighbour_items, kMaxItems), "neighbour_items");
  }
  if (max_candidates < 1 || max_candidates > 100'000) {
    return invalid(fmt::format("max_candidates {} is not in 1 … 100000", max_candidates), "max_candidates");
  }
  return {};
}

Candidates collect(const ForYouInputs& inputs, const ForYouOptions& options) {
  const Subject subject = subject_of(inputs, options);
  Lists lists;
  add_items(inputs, options, subject, lists);
  const std::array<std::pair<Source, std::span<const ScoredRow>>, 5> given{{{Source::kSection, inputs.sections},
                                                                           {Source::kContent, inputs.content},
                                                                           {Source::kPicture, inputs.pictures},
                                                                           {Source::kNew, inputs.newest},
                                                                           {Source::kPopular, inputs.popular}}};
  for (const auto& [source, list] : given) add_list(inputs, subject, list, lists[place(source)]);
  Candidates all = unite(lists);
  keep_best(all, options);
  return all;
}

std::vector<double> blend(std::span<const SourceScores> scores, const SourceScores& weights) {
  double sum = 0;
  for (const float weight : weights) sum += weight;
  std::vector<double> blended(scores.size());
  for (std::size_t i = 0; i < scores.size(); ++i) {
    double total = 0;
    for (std::size_t source = 0; source < kSourceCount; ++source) {
      total += static_cast<double>(weights[source]) * static_cast<double>(scores[i][source]);
    }
    blended[i] = std::min(1.0, total / sum);
  }
  return blended;
}

SourceScores blend_parts(const SourceScores& scores, const SourceScores& weights) {
  double sum = 0;
  for (const float weight : weights) sum += weight;
  SourceScores parts{};
  for (std::size_t source = 0; source < kSourceCount; ++source) {
    parts[source] = static_cast<float>(static_cast<double>(weights[source]) * static_cast<double>(scores[source]) / sum);
  }
  return parts;
}

}  // namespace scalestyle::ranking
