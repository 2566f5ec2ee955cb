// Lists without a query: everything that passes the filters, and what is popular now.
#include <utility>

#include "recommend/popularity.hpp"
#include "search/list_sort.hpp"
#include "search/make_deep_enough.hpp"
#include "search/progress.hpp"
#include "search/search_service.hpp"

namespace scalestyle::search {

namespace {

core::Error no_popularity() {
  return core::fail(core::ErrorCode::kUnavailable, "this server keeps no popularity of articles").error();
}

ReasonOrigin popular_origin(events::Window window) {
  switch (window) {
    case events::Window::k1h: return ReasonOrigin::kPopularHour;
    case events::Window::k24h: return ReasonOrigin::kPopularDay;
    case events::Window::k7d: return ReasonOrigin::kPopularWeek;
  }
  return ReasonOrigin::kPopularDay;
}

}  // namespace

core::Task<SearchOutcome> SearchService::run(const BrowseRequest& request, Progress& progress) {
  const bool popular = request.sort == BrowseSort::kPopular;
  const auto board = progress.generation->popularity();
  if (popular && board == nullptr) co_return std::unexpected(progress.failure(no_popularity()));
  progress.is_sorted = !popular;
  if (popular) progress.reason_origin = ReasonOrigin::kPopularEver;
  if (auto prepared = co_await prepare_list(request, popular ? ListKind::kPopular : ListKind::kSorted, ranking::RuleList::kBrowse, progress); !prepared) {
    co_return std::unexpected(progress.failure(std::move(prepared).error(), progress.failure_reason));
  }
  make_deep_enough(request, progress, [&](std::size_t depth) {
    if (popular) return popular_of_all_time(*board, popular_scope(progress, depth));
    return list_by_place(progress.generation->orders().first(request.sort, progress.eligible.get(), depth), progress.eligible_count);
  });
  progress.report(Stage::kOrder, StageOutcome::kOk);
  co_return answer(request, progress);
}

core::Task<SearchOutcome> SearchService::run(const TrendingRequest& request, Progress& progress) {
  const auto board = progress.generation->popularity();
  if (board == nullptr) co_return std::unexpected(progress.failure(no_popularity()));
  if (auto prepared = co_await prepare_list(request, ListKind::kPopular, ranking::RuleList::kTrending, progress); !prepared) {
    co_return std::unexpected(progress.failure(std::move(prepared).error(), progress.failure_reason));
  }
  const bool is_rising = request.order == TrendingOrder::kRising;
  if (is_rising && make_rising(request, progress)) {
    progress.report(Stage::kOrder, StageOutcome::kOk);
    co_return answer(request, progress);
  }
  progress.reason_origin = popular_origin(request.window);
  // Where nothing rises: what is popular, which is named so even when it is of the window itself.
  const events::Window window = is_rising ? events::Window::k24h : request.window;
  make_deep_enough(request, progress, [&](std::size_t depth) {
    PopularList trending = trending_list(*board, window, popular_scope(progress, depth));
    progress.fallback_source = trending.source;
    if (is_rising && !trending.source && trending.list.total > 0) progress.fallback_source = FallbackSource::kPopular24h;
    return std::move(trending.list);
  });
  progress.report(Stage::kOrder, StageOutcome::kOk);
  co_return answer(request, progress);
}

core::Task<core::Status> SearchService::prepare_list(const ListRequest& request, ListKind kind, ranking::RuleList list, Progress& progress) {
  begin_read(request, kind, progress);
  auto on_worker = co_await to_worker(progress);
  // Late: no worker was free in time. The list is short work, so it is done here, while the deadline lasts.
  if (!on_worker && on_worker.error().code != core::ErrorCode::kDeadlineExceeded) co_return on_worker;
  set_eligible(request, progress);
  CORE_CO_CHECK(find_rules(request, list, {}, progress));
  hide_eligible(progress);
  if (on_worker) progress.report(Stage::kFilter, request.filter.empty() ? StageOutcome::kSkipped : StageOutcome::kOk);
  if (progress.pending == nullptr) co_return core::Status();
  static_cast<void>(co_await finish_read(progress));
  if (kind == ListKind::kPopular && use_.popularity != nullptr) {
    const bool followed = progress.shopper.outcome == StageOutcome::kOk && use_.popularity->last_error().empty();
    if (!followed) progress.degradations.push_back(DegradationReason::kStaleDataAllowed);
  }
  co_return core::Status();
}

}  // namespace scalestyle::search
