// What more happens with than before.
#include <algorithm>
#include <memory>
#include <utility>

#include "ranking/rising.hpp"
#include "recommend/popularity_board.hpp"
#include "search/progress.hpp"
#include "search/search_service.hpp"

namespace scalestyle::search {

namespace {

constexpr std::size_t kMaxRising = 1'000;

}  // namespace

// The rows are kept with their numbers, which may change in the board before the answer is explained.
bool SearchService::make_rising(const TrendingRequest& request, Progress& progress) {
  const auto& board = *progress.generation->popularity();
  auto rising = std::make_shared<recommend::RisingRows>(board.rising(request.window, progress.eligible.get(), kMaxRising));
  if (rising->rows.empty()) return false;
  BaseList list;
  for (const recommend::RisingRow& row : rising->rows) {
    list.rows.push_back(row.row);
    list.scores.push_back(ranking::rising_score(row.rise.bound));
  }
  list.total = list.rows.size();
  if (rising->matching > rising->rows.size()) list.total_relation = TotalRelation::kAtLeast;
  progress.list = std::move(list);
  progress.rising = std::move(rising);
  progress.reason_origin = request.window == events::Window::k1h ? ReasonOrigin::kRisingHour : ReasonOrigin::kRisingDay;
  return true;
}

void SearchService::explain_rising(const Progress& progress, catalog::RowIndex row, ItemExplanation& explanation) {
  if (progress.rising == nullptr) return;
  const auto found = std::ranges::find(progress.rising->rows, row, &recommend::RisingRow::row);
  if (found == progress.rising->rows.end()) return;
  explanation.rising = {found->now, found->before, progress.rising->lengths, found->rise.ratio};
}

}  // namespace scalestyle::search
