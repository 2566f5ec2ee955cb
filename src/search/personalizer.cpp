#include "search/personalizer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <span>
#include <utility>

#include "recommend/popularity_board.hpp"

namespace scalestyle::search {

namespace {

// A small set of rows, asked a thousand times a request: a bit for the row's last ten bits first.
class RowSet {
 public:
  void add(catalog::RowIndex row) {
    rows_.push_back(row);
    bits_[word_of(row)] |= bit_of(row);
  }
  void finish() { std::ranges::sort(rows_); }
  [[nodiscard]] bool empty() const { return rows_.empty(); }
  [[nodiscard]] bool contains(catalog::RowIndex row) const {
    return (bits_[word_of(row)] & bit_of(row)) != 0 && std::ranges::binary_search(rows_, row);
  }

 private:
  [[nodiscard]] static std::size_t word_of(catalog::RowIndex row) { return (row.value / 64) % 16; }
  [[nodiscard]] static std::uint64_t bit_of(catalog::RowIndex row) { return std::uint64_t{1} << (row.value % 64); }

  std::vector<catalog::RowIndex> rows_;
  std::array<std::uint64_t, 16> bits_{};
};

// Memory of one thread, used again by its next request: some 40 bytes a row of the pool.
struct Scratch {
  std::vector<catalog::RowIndex> places;
  std::vector<std::uint8_t> recent_clicks;
  std::vector<double> affinity_of_code;
  std::vector<double> affinities;
  recommend::WindowLogs window_logs;
  ranking::BoostedList boosted;
};

RowSet clicked_rows(const catalog::Catalog& articles, const events::SubjectFeatures& features, events::EpochMs oldest_ms) {
  RowSet rows;
  for (const events::RecentItem& item : features.recent_items) {
    if (item.type == events::EventType::kView || item.time_ms < oldest_ms) continue;
    if (const auto row = articles.find(item.item_id)) rows.add(*row);
  }
  rows.finish();
  return rows;
}

// One affinity a code of the product type; false when none is above 0.
bool affinities_by_code(const catalog::Catalog& articles, const events::SubjectFeatures& features, events::EpochMs now_ms,
                        double half_life_seconds, std::vector<double>& of_code) {
  constexpr auto kType = catalog::Attribute::kProductType;
  const auto codes = static_cast<std::uint32_t>(articles.value_count(kType));
  of_code.assign(codes, 0.0);
  bool any = false;
  for (const events::CategoryAffinity& affinity : features.affinities) {
    const double value = affinity.score.value_at(now_ms, half_life_seconds);
    if (!(value > 0)) continue;
    std::uint32_t low = 0;  // codes are ordered as their texts
    for (std::uint32_t high = codes; low < high;) {
      const std::uint32_t middle = low + (high - low) / 2;
      if (articles.value_of(kType, middle) < affinity.category) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    if (low == codes || articles.value_of(kType, low) != affinity.category) continue;
    of_code[low] = value;
    any = true;
  }
  return any;
}

}  // namespace

core::Status PersonalizationOptions::validate() const {
  const auto wrong = [](std::string message, std::string setting) {
    return core::fail(core::ErrorCode::kInvalidArgument, std::move(message), std::move(setting));
  };
  CORE_CHECK(boost.validate());
  if (!std::isfinite(affinity_half_life_seconds) || affinity_half_life_seconds < 60) {
    return wrong(fmt::format("the half-life of an affinity is {} s, it must be at least 60 s", affinity_half_life_seconds),
                 "affinity_half_life");
  }
  if (recent_click_max_age < std::chrono::seconds(1) || recent_click_max_age > std::chrono::days(365)) {
    return wrong(fmt::format("a recent click is at most {} s old, which must be 1 s to 365 days", recent_click_max_age.count()),
                 "recent_click_max_age");
  }
  constexpr std::chrono::milliseconds kMost{1'000};
  if (snapshot_budget < std::chrono::milliseconds(1) || snapshot_budget > kMost) {
    return wrong(fmt::format("snapshot_budget must be 1 to {} ms, not {}", kMost.count(), snapshot_budget.count()),
                 "snapshot_budget");
  }
  if (after_budget < std::chrono::milliseconds(0) || after_budget > kMost) {
    return wrong(fmt::format("after_budget must be 0 to {} ms, not {}", kMost.count(), after_budget.count()), "after_budget");
  }
  return {};
}

Personalizer::Personalizer(PersonalizationOptions options) : options_(options), boost_(options.boost) {}

BentHead Personalizer::bend(const ServingGeneration& generation, const BaseList& list, const events::SubjectFeatures& features,
                            const BendScope& scope) const {
  thread_local Scratch scratch;
  const catalog::Catalog& articles = generation.catalog();
  const std::size_t head = std::min(scope.depth, list.rows.size());
  const auto rows = std::span(list.rows).first(head);

  ranking::BoostCandidates candidates;
  // Places in the list stand for rows: the boost breaks ties by them, and so keeps the order of the list.
  scratch.places.resize(head);
  for (std::size_t i = 0; i < head; ++i) scratch.places[i].value = static_cast<std::uint32_t>(i);
  candidates.rows = scratch.places;
  candidates.base_scores = std::span(list.scores).first(head);

  using std::chrono::duration_cast;
  const auto max_age_ms = duration_cast<std::chrono::milliseconds>(options_.recent_click_max_age).count();
  if (const RowSet clicked = clicked_rows(articles, features, scope.now_ms - max_age_ms); !clicked.empty()) {
    scratch.recent_clicks.resize(head);
    for (std::size_t i = 0; i < head; ++i) scratch.recent_clicks[i] = clicked.contains(rows[i]) ? 1 : 0;
    candidates.recent_clicks = scratch.recent_clicks;
  }
  if (affinities_by_code(articles, features, scope.now_ms, options_.affinity_half_life_seconds, scratch.affinity_of_code)) {
    const auto codes = articles.codes(catalog::Attribute::kProductType);
    scratch.affinities.resize(head);
    for (std::size_t i = 0; i < head; ++i) scratch.affinities[i] = scratch.affinity_of_code[codes[rows[i].value]];
    candidates.affinities = scratch.affinities;
  }
  if (generation.popularity() != nullptr) {
    generation.popularity()->gather(rows, scratch.window_logs);
    candidates.window_logs = scratch.window_logs.spans();
  }
  boost_.apply(candidates, scratch.boosted);
  return {scratch.boosted.order, scratch.boosted.scores, candidates, &scratch.boosted};
}

void Personalizer::credit(const BentHead& head, std::size_t place, AnswerItem& item) const {
  if (place >= head.order.size()) return;
  item.boost = boost_.explain(head.candidates, *head.boosted, place);
  item.score = head.scores[place];
  if (item.boost.factor > 1) {
    item.behavior_score = item.score - head.candidates.base_scores[place];
    item.boosted_by = ranking::to_string(item.boost.reason);
  }
}

}  // namespace scalestyle::search
