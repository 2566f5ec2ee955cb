// What is kept of a user: forgetting it, and giving it out. Part of EventService.
//
// A session that was merged into a user is that user's history too: it is exported up to the merge, and forgotten with
// the user by a barrier of its own, in the same append.

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "events/event_position.hpp"
#include "search/event_service.hpp"
#include "search/frequent_queries.hpp"
#include "search/in_time.hpp"

namespace scalestyle::search {

namespace {

using core::ErrorCode;
using events::EventType;
using events::LoggedEvent;
using events::Subject;

constexpr std::size_t kMaxExportLimit = 1'000;

// Which of two states says less about what was asked for.
ports::ErasureState worse(ports::ErasureState a, ports::ErasureState b) {
  if (a == ports::ErasureState::kPending || b == ports::ErasureState::kPending) return ports::ErasureState::kPending;
  return a == ports::ErasureState::kErased ? b : a;
}

}  // namespace

struct EventService::MergedSession {
  std::string id;
  std::int64_t merged_at = 0;  // offset of the newest merge
  events::EpochMs merged_at_ms = 0;
};

struct EventService::MergedSessions {
  std::vector<MergedSession> sessions;  // in the order of their merges
  bool complete = true;
  bool available = true;
};

core::Task<core::Result<EventService::MergedSessions>> EventService::merged_sessions(Subject user, core::Deadline deadline) {
  constexpr std::size_t kPage = 1'000;
  MergedSessions merged;
  std::map<std::string, MergedSession> newest;
  std::int64_t after = -1;
  for (std::size_t scanned = 0; merged.complete;) {
    auto page = co_await result_in_time(use_.log.history(user, after, kPage, early(deadline)), use_.timers, deadline);
    if (!page && page.error().code == ErrorCode::kUnsupported) {
      merged.available = merged.complete = false;
      break;
    }
    if (!page) co_return std::unexpected(std::move(page).error());
    for (const LoggedEvent& logged : *page) {
      after = std::max(after, logged.position.offset);
      if (logged.event.type != EventType::kMerge || !logged.event.session_id) continue;
      const std::string& id = logged.event.session_id->value();
      newest.insert_or_assign(id, MergedSession{id, logged.position.offset, logged.event.received_time_ms});
    }
    if (page->size() < kPage) break;
    scanned += page->size();
    merged.complete = scanned < options_.max_history_scan;
  }
  for (auto& entry : newest) merged.sessions.push_back(std::move(entry.second));
  std::ranges::sort(merged.sessions, {}, &MergedSession::merged_at);
  if (merged.sessions.size() > options_.max_merged_sessions) {
    const auto surplus = merged.sessions.size() - options_.max_merged_sessions;
    merged.sessions.erase(merged.sessions.begin(), merged.sessions.begin() + static_cast<std::ptrdiff_t>(surplus));
    merged.complete = false;
  }
  co_return merged;
}

core::Task<EventOutcome<ForgetAnswer>> EventService::run_forget(ForgetRequest request, core::Deadline deadline) {
  const Subject user = Subject::user(core::UserId(request.user_id));
  auto merged = co_await merged_sessions(user, deadline);
  if (!merged) co_return std::unexpected(refuse(std::move(merged).error(), 1));

  ForgetAnswer answer;
  answer.sessions_complete = merged->complete;
  const std::string key = request.client_event_id.value_or("");
  std::vector<events::Event> batch;
  for (MergedSession& session : merged->sessions) {
    const Subject subject = Subject::session(core::SessionId(session.id));
    batch.push_back(subject_event(EventType::kForget, subject, key.empty() ? key : fmt::format("{}\n{}", key, user.key())));
    answer.sessions.push_back(std::move(session.id));
  }
  batch.push_back(subject_event(EventType::kForget, user, key));
  const std::string made_id = batch.back().event_id;

  std::vector<Subject> subjects;
  for (const events::Event& event : batch) subjects.push_back(event.subject());
  ports::TraceContext no_trace;
  const auto appended = co_await append(std::move(batch), std::move(no_trace), deadline);
  if (!appended) co_return std::unexpected(appended.error());
  if (use_.queries != nullptr) {
    for (const Subject& subject : subjects) use_.queries->forget(subject);
  }
  std::vector<ports::WaitedEvent> barriers;
  for (std::size_t i = 0; i < appended->size(); ++i) {
    const ports::AppendedEvent& one = (*appended)[i];
    metrics_.accepted(EventType::kForget, one.duplicate);
    barriers.push_back({one.position, one.mark, subjects[i]});
  }
  answer.event = {TrackStatus::kStored, request.client_event_id.value_or(made_id), events::to_token(barriers.back().position, barriers.back().mark),
                  appended->back().duplicate};
  // The barrier is durable: whatever fails from here on only leaves the answer saying less.
  static_cast<void>(co_await finish_forget(std::move(barriers), answer, early(deadline)));
  co_return answer;
}

core::Task<core::Status> EventService::finish_forget(std::vector<ports::WaitedEvent> barriers, ForgetAnswer& answer,
                                                     core::Deadline deadline) {
  answer.applied = true;
  for (const ports::WaitedEvent& barrier : barriers) {
    const auto state = co_await result_in_time(use_.features.wait_applied(barrier, early(deadline)), use_.timers, deadline);
    answer.applied = answer.applied && state && state->reached;
  }
  answer.erasure = ports::ErasureState::kErased;
  for (const ports::WaitedEvent& barrier : barriers) {
    const auto state = co_await result_in_time(use_.log.wait_erased(barrier.position, early(deadline)), use_.timers, deadline);
    answer.erasure = worse(answer.erasure, state ? *state : ports::ErasureState::kPending);
  }
  co_return core::Status();
}

core::Task<core::Result<ExportAnswer>> EventService::run_export(ExportRequest request, core::Deadline deadline) {
  CORE_CO_CHECK(events::check_subject_id(request.user_id, "user_id"));
  if (request.limit < 1 || request.limit > kMaxExportLimit) {
    co_return core::fail(ErrorCode::kInvalidArgument, fmt::format("limit must be 1 to {}, not {}", kMaxExportLimit, request.limit),
                         "limit");
  }
  if (!request.cursor.empty()) CORE_CO_CHECK(events::parse_token(request.cursor, "cursor"));
  ExportAnswer answer;
  answer.user_id = request.user_id;
  answer.as_of_ms = now_ms();
  CORE_CO_CHECK(co_await read_features(answer, deadline));
  CORE_CO_TRY(const MergedSessions merged, co_await merged_sessions(Subject::user(core::UserId(request.user_id)), deadline));
  answer.sessions_complete = merged.complete;
  answer.events_available = merged.available;
  for (const MergedSession& session : merged.sessions) answer.sessions.push_back(session.id);
  if (merged.available) CORE_CO_CHECK(co_await export_events(request, merged, answer, deadline));
  if (request.cursor.empty()) CORE_CO_CHECK(co_await export_impressions(merged, answer, deadline));
  co_return answer;
}

core::Task<core::Result<FeaturesAnswer>> EventService::run_features(FeaturesRequest request, core::Deadline deadline) {
  CORE_CO_CHECK(events::check_subject_id(request.user_id, "user_id"));
  FeaturesAnswer answer;
  answer.user_id = request.user_id;
  answer.as_of_ms = now_ms();
  CORE_CO_TRY(answer.last_event_ms, co_await read_features(answer, deadline));
  co_return answer;
}

// The time of the newest event that they know.
core::Task<core::Result<events::EpochMs>> EventService::read_features(KnownFeatures& known, core::Deadline deadline) {
  const Subject user = Subject::user(core::UserId(known.user_id));
  CORE_CO_TRY(ports::SubjectSnapshot snapshot,
              co_await result_in_time(use_.features.read(user, early(deadline)), use_.timers, deadline));
  known.personalize = snapshot.features.personalize;
  known.recent_items = std::move(snapshot.features.recent_items);
  for (events::CategoryAffinity& affinity : snapshot.features.affinities) {
    known.affinities.push_back(
        {std::move(affinity.category), affinity.score.value_at(known.as_of_ms, use_.affinity_half_life_seconds)});
  }
  co_return snapshot.features.last_event_ms;
}

// A page of the events of the user and of the sessions up to their merges, by offset.
core::Task<core::Status> EventService::export_events(const ExportRequest& request, const MergedSessions& merged,
                                                     ExportAnswer& answer, core::Deadline deadline) {
  std::int64_t after = -1;
  if (!request.cursor.empty()) {
    CORE_CO_TRY(const events::EventPosition last, events::parse_token(request.cursor, "cursor"));
    after = last.offset;
  }
  std::vector<LoggedEvent>& list = answer.events;
  bool more = false;
  auto page = co_await result_in_time(
      use_.log.history(Subject::user(core::UserId(request.user_id)), after, request.limit, early(deadline)), use_.timers, deadline);
  if (!page) co_return std::unexpected(std::move(page).error());
  more = page->size() == request.limit;
  std::ranges::move(*page, std::back_inserter(list));

  for (const MergedSession& session : merged.sessions) {
    if (session.merged_at <= after) continue;
    page = co_await result_in_time(
        use_.log.history(Subject::session(core::SessionId(session.id)), after, request.limit, early(deadline)), use_.timers, deadline);
    if (!page) co_return std::unexpected(std::move(page).error());
    const bool reaches_merge = !page->empty() && page->back().position.offset > session.merged_at;
    more = more || (page->size() == request.limit && !reaches_merge);
    for (LoggedEvent& logged : *page) {
      if (logged.position.offset < session.merged_at) list.push_back(std::move(logged));
    }
    // Bounded however many sessions there are: no more than the page can hold is kept.
    std::ranges::sort(list, {}, [](const LoggedEvent& logged) { return logged.position.offset; });
    if (list.size() <= request.limit) continue;
    more = true;
    list.erase(list.begin() + static_cast<std::ptrdiff_t>(request.limit), list.end());
  }
  if (more && !list.empty()) answer.next_cursor = events::to_token(list.back().position);
  co_return core::Status();
}

core::Task<core::Status> EventService::export_impressions(const MergedSessions& merged, ExportAnswer& answer,
                                                          core::Deadline deadline) {
  std::vector<std::pair<Subject, events::EpochMs>> subjects{{Subject::user(core::UserId(answer.user_id)), answer.as_of_ms}};
  for (const MergedSession& session : merged.sessions) {
    subjects.emplace_back(Subject::session(core::SessionId(session.id)), session.merged_at_ms);
  }
  for (const auto& [subject, until_ms] : subjects) {
    auto found = co_await result_in_time(use_.impressions.history(subject, options_.max_export_impressions, early(deadline)),
                                         use_.timers, deadline);
    if (!found && found.error().code == ErrorCode::kUnsupported) {
      answer.impressions_available = false;
      co_return core::Status();
    }
    if (!found) co_return std::unexpected(std::move(found).error());
    for (events::Impression& impression : *found) {
      if (impression.time_ms <= until_ms) answer.impressions.push_back(std::move(impression));
    }
  }
  std::ranges::sort(answer.impressions, [](const events::Impression& a, const events::Impression& b) {
    return a.time_ms != b.time_ms ? a.time_ms > b.time_ms : a.request_id < b.request_id;
  });
  if (answer.impressions.size() > options_.max_export_impressions) {
    answer.impressions.erase(answer.impressions.begin() + static_cast<std::ptrdiff_t>(options_.max_export_impressions),
                             answer.impressions.end());
  }
  co_return core::Status();
}

}  // namespace scalestyle::search
