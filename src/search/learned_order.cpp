// The order that a learned ranker gives a list for one shopper, instead of the blend's.
#include <algorithm>
#include <string>
#include <cstdint>
#include <utility>
#include <vector>

#include "ranking/ranker.hpp"
#include "recommend/popularity_board.hpp"
#include "recommend/ranker_file.hpp"
#include "search/progress.hpp"
#include "search/recommended_list.hpp"
#include "search/search_service.hpp"

namespace scalestyle::search {

namespace {

std::vector<ranking::CandidatePopularity> popularity_of(const ServingGeneration& generation, const ranking::Candidates& candidates,
                                                        events::EpochMs now_ms) {
  std::vector<ranking::CandidatePopularity> all;
  all.reserve(candidates.rows.size());
  const recommend::PopularityBoard* const board = generation.popularity().get();
  for (const catalog::RowIndex row : candidates.rows) {
    if (board == nullptr) {
      all.push_back({.decayed = static_cast<double>(generation.catalog().row(row).purchase_count())});
    } else {
      all.push_back({board->window_sum(events::Window::k24h, row), board->window_sum(events::Window::k7d, row), board->global(row, now_ms)});
    }
  }
  return all;
}

// The rows of `list`, which stay, by the scores of these candidates; ties by row. The blend stays with its row.
BaseList reordered(const BaseList& list, const ranking::Candidates& candidates, const std::vector<double>& scores) {
  struct Entry {
    catalog::RowIndex row{};
    double score = 0;
    double blend = 0;
  };
  std::vector<Entry> entries;
  entries.reserve(list.rows.size());
  for (std::size_t i = 0; i < list.rows.size(); ++i) {
    const auto found = std::ranges::lower_bound(candidates.rows, list.rows[i]) - candidates.rows.begin();
    entries.push_back({list.rows[i], scores[static_cast<std::size_t>(found)], list.scores[i]});
  }
  std::ranges::sort(entries, [](const Entry& a, const Entry& b) { return a.score != b.score ? a.score > b.score : a.row < b.row; });
  BaseList ordered = list;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    ordered.rows[i] = entries[i].row;
    ordered.scores[i] = entries[i].score;
    ordered.fused_scores[i] = entries[i].blend;
  }
  return ordered;
}

}  // namespace

void SearchService::order_as_learned(std::span<const ranking::SubjectItem> items, RecommendedList& made, Progress& progress) const {
  made.ranker = use_.ranker->current();
  if (made.ranker->ranker == nullptr || items.empty()) return;  // a stranger's list is the blend's
  const ServingGeneration& generation = *progress.generation;
  const auto popularity = popularity_of(generation, made.candidates, progress.now_ms());
  made.learned = made.ranker->ranker->score(made.candidates,
                                            {.articles = &generation.catalog(), .items = items, .popularity = popularity});
  progress.list = reordered(progress.list, made.candidates, made.learned);
}

void SearchService::report_ranker(const Progress& progress, SearchAnswer& answer) {
  if (progress.recommended == nullptr || progress.recommended->ranker == nullptr) return;
  const recommend::RankerInForce& now = *progress.recommended->ranker;
  if (now.ranker != nullptr && progress.recommended->learned.empty()) {
    answer.ranker = RankerReport{.id = {}, .why = "the blend: nothing is known of the shopper yet"};
    return;
  }
  answer.ranker = RankerReport{.id = now.ranker != nullptr ? now.id : std::string(), .why = now.why};
}

}  // namespace scalestyle::search
