// The ranked list of a query: kept from before, shared with those who ask for the same now, or made.
#include <algorithm>
#include <utility>
#include <variant>

#include "search/list_key.hpp"
#include "search/progress.hpp"
#include "search/query_text.hpp"
#include "search/search_service.hpp"
#include "search/stage_outcome.hpp"
#include "search/synonym_file.hpp"

namespace scalestyle::search {

namespace {

constexpr std::chrono::milliseconds kRenewalDeadline{2'000};

void take_list(std::shared_ptr<const RankedList> ranked, ListSource source, Progress& progress) {
  progress.list = ranked->list;
  progress.eligible = ranked->eligible;
  progress.eligible_count = ranked->eligible_count;
  progress.filtered = true;
  progress.understood = ranked->understood;
  progress.reason_query = ranked->reason_query;
  progress.list_source = source;
  progress.ranked = std::move(ranked);
}

std::shared_ptr<const RankedList> to_keep(const Progress& progress) {
  auto ranked = std::make_shared<RankedList>();
  ranked->list = progress.list;
  ranked->pinned = progress.named.size();
  ranked->corrected_query = progress.judged_by;
  ranked->sides = progress.sides;
  // A copy: what a request works with may be a part of its generation, which no list is to keep alive.
  if (progress.eligible != nullptr) ranked->eligible = std::make_shared<const catalog::Bitmap>(*progress.eligible);
  ranked->eligible_count = progress.eligible_count;
  ranked->understood = progress.understood;
  ranked->reason_query = progress.reason_query;
  remember_head(*ranked, progress.list, progress.generation->catalog());
  return ranked;
}

// A list by popularity is as deep as its page needs, and is another one after the next event.
bool can_keep(const Progress& progress) { return !progress.list.is_every_eligible_row; }

// The request ran out of its own time, or its caller went away: that says nothing about what others would get.
bool is_own_doing(const core::Status& status, const Progress& progress) {
  if (!status) return status.error().code == core::ErrorCode::kCancelled || status.error().code == core::ErrorCode::kDeadlineExceeded;
  return progress.ran_out_of_time;
}

std::string flight_key(const Progress& progress) { return progress.list_key + '\0' + to_text(progress.version); }

}  // namespace

ListVersion SearchService::version_of(const ServingGeneration& generation) const {
  const GenerationVersion version = generation.version();
  return {version.generation.value(), version.delta, use_.synonyms != nullptr ? use_.synonyms->version() : 0};
}

core::Task<core::Status> SearchService::find_list(const SearchRequest& request, Progress& progress) {
  progress.version = version_of(*progress.generation);  // before the synonyms are read
  progress.query = normalized_query(request.query, progress.generation->catalog());
  if (lists_.enabled()) progress.list_key = list_key(request, progress.query);

  auto on_worker = co_await to_worker(progress);
  const bool is_late = !on_worker && on_worker.error().code == core::ErrorCode::kDeadlineExceeded;
  const bool shares = lists_.enabled() && !request.explain;
  // A kept list is short work: where no worker was free in time it is taken here, while the deadline lasts.
  if (shares && (on_worker || is_late) && take_kept(request, progress)) {
    progress.failure_reason.reset();
    progress.report(Stage::kList, StageOutcome::kOk);
    co_return core::Status();
  }
  if (!on_worker) co_return on_worker;
  progress.report(Stage::kList, StageOutcome::kSkipped);
  if (shares) co_return co_await find_together(request, progress);
  progress.list_source = ListSource::kMade;
  CORE_CO_CHECK(co_await find_by_query(request, progress));
  if (can_keep(progress)) progress.ranked = to_keep(progress);
  co_return core::Status();
}

bool SearchService::take_kept(const SearchRequest& request, Progress& progress) {
  const auto found = lists_.find(progress.list_key, progress.version);
  if (!found) return false;
  if (found->is_current) {
    take_list(found->list, ListSource::kKept, progress);
    return true;
  }
  read_alone(request, progress);
  BaseList older = carried_over(*found->list, progress.generation->catalog(), progress.eligible.get());
  if (older.rows.empty()) return false;
  progress.list = std::move(older);
  progress.understood = found->list->understood;
  progress.list_source = ListSource::kOlder;
  SearchRequest again = request;
  again.user_id.reset();
  again.session_id.reset();
  core::start(renew(std::move(again), progress.generation), [](core::Status&&) {}).detach();
  return true;
}

core::Task<core::Status> SearchService::find_together(const SearchRequest& request, Progress& progress) {
  const std::string flight = flight_key(progress);
  while (true) {
    auto joined = flights_.join(flight);
    if (auto* lead = std::get_if<SingleFlight<FoundList>::Lead>(&joined)) {
      co_return co_await find_and_keep(request, progress, std::move(*lead));
    }
    const auto slot = std::get<std::shared_ptr<SingleFlight<FoundList>::Slot>>(joined);
    const auto landed = co_await await_slot(slot, use_.timers, progress.inner_deadline);
    if (!landed) {
      const bool is_late = landed.error().code == core::ErrorCode::kDeadlineExceeded;
      if (is_late) progress.failure_reason = DegradationReason::kInferenceTimeout;
      progress.report(Stage::kList, outcome_of(landed.error()));
      co_return std::unexpected(landed.error());
    }
    const std::shared_ptr<const FoundList>& found = *landed;
    if (found == nullptr) continue;  // who led gave up: join again
    progress.report(Stage::kList, found->status ? StageOutcome::kOk : outcome_of(found->status.error()));
    progress.failure_reason = found->failure_reason;
    progress.is_request_fault = found->is_request_fault;
    progress.degradations = found->degradations;
    if (found->list != nullptr) take_list(found->list, ListSource::kShared, progress);
    co_return found->status;
  }
}

core::Task<core::Status> SearchService::find_and_keep(const SearchRequest& request, Progress& progress,
                                                      SingleFlight<FoundList>::Lead lead) {
  if (auto kept = lists_.peek(progress.list_key, progress.version)) {  // another may have landed since this request looked
    auto landed = std::make_shared<FoundList>();
    landed->list = kept;
    lead.land(std::move(landed));
    take_list(std::move(kept), ListSource::kKept, progress);
    progress.report(Stage::kList, StageOutcome::kOk);
    co_return core::Status();
  }
  progress.list_source = ListSource::kMade;
  auto status = co_await find_by_query(request, progress);
  if (status && !can_keep(progress)) co_return status;
  if (status) progress.ranked = to_keep(progress);
  if (is_own_doing(status, progress)) co_return status;
  auto found = std::make_shared<FoundList>();
  found->status = status;
  found->failure_reason = progress.failure_reason;
  found->is_request_fault = progress.is_request_fault;
  found->degradations = progress.degradations;
  if (status) {
    found->list = progress.ranked;
    if (progress.degradations.empty()) lists_.put(progress.list_key, progress.version, found->list);
  }
  lead.land(std::move(found));
  co_return status;
}

// Makes the list of a query anew for those who come next; nobody waits for it.
core::Task<core::Status> SearchService::renew(SearchRequest request, std::shared_ptr<const ServingGeneration> generation) {
  Progress progress(use_.clock);
  progress.generation = std::move(generation);
  progress.inner_deadline = core::Deadline::after(kRenewalDeadline, use_.clock);
  request.deadline = progress.inner_deadline;
  progress.version = version_of(*progress.generation);
  progress.query = normalized_query(request.query, progress.generation->catalog());
  progress.list_key = list_key(request, progress.query);
  auto joined = flights_.join(flight_key(progress));
  auto* lead = std::get_if<SingleFlight<FoundList>::Lead>(&joined);
  if (lead == nullptr) co_return core::Status();  // someone makes it already
  CORE_CO_CHECK(co_await to_worker(progress));
  co_return co_await find_and_keep(request, progress, std::move(*lead));
}

}  // namespace scalestyle::search
