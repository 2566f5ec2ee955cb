#include "search/event_service.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <tuple>
#include <utility>

#include "core/disk_full.hpp"
#include "events/event_id.hpp"
#include "events/event_position.hpp"
#include "events/timestamp.hpp"
#include "search/in_time.hpp"

namespace scalestyle::search {

namespace {

using core::ErrorCode;
using events::EventType;
using ports::AppendOutcome;

std::chrono::seconds retry_after(const core::Error& error) {
  constexpr std::chrono::seconds kWhenSomebodyActed(5);
  if (core::is_disk_full(error)) return kWhenSomebodyActed;
  switch (error.code) {
    case ErrorCode::kInvalidArgument: return std::chrono::seconds(0);
    case ErrorCode::kResourceExhausted:
    case ErrorCode::kDeadlineExceeded:
    case ErrorCode::kCancelled: return std::chrono::seconds(1);
    default: return kWhenSomebodyActed;
  }
}

core::Status check_client_key(const std::optional<std::string>& key) {
  return key ? events::check_client_event_id(*key, "event_id") : core::Status();
}

}  // namespace

std::string_view to_string(TrackStatus status) {
  switch (status) {
    case TrackStatus::kStored: return "stored";
    case TrackStatus::kAccepted: return "accepted";
    case TrackStatus::kDropped: return "dropped";
  }
  return "dropped";
}

core::Status EventOptions::validate() const {
  const auto invalid = [](std::string_view name, std::string problem) {
    return core::fail(ErrorCode::kInvalidArgument, fmt::format("{} {}", name, problem), std::string(name));
  };
  const std::array<std::pair<std::string_view, double>, 4> weights{{{"event_weight_click", click_weight},
                                                                    {"event_weight_view", view_weight},
                                                                    {"event_weight_add_to_cart", add_to_cart_weight},
                                                                    {"event_weight_purchase", purchase_weight}}};
  for (const auto& [name, weight] : weights) {
    constexpr double kMaxWeight = 1'000;
    if (!std::isfinite(weight) || weight < 0 || weight > kMaxWeight) return invalid(name, fmt::format("must be 0 to {}", kMaxWeight));
  }
  CORE_CHECK(receipt.validate());
  if (deadline < std::chrono::milliseconds(10) || deadline > std::chrono::seconds(60)) {
    return invalid("event_deadline_ms", "must be 10 to 60000");
  }
  const std::array<std::tuple<std::string_view, std::size_t, std::size_t>, 5> counts{
      {{"max_events_in_progress", max_in_progress, 100'000},
       {"max_user_reads_in_progress", max_readers_in_progress, 1'000},
       {"max_merged_sessions", max_merged_sessions, events::kMaxBatchEvents - 1},
       {"max_history_scan", max_history_scan, 1'000'000},
       {"max_export_impressions", max_export_impressions, 10'000}}};
  for (const auto& [name, value, maximum] : counts) {
    if (value < 1 || value > maximum) return invalid(name, fmt::format("must be 1 to {}, not {}", maximum, value));
  }
  return {};
}

// What a request comes to: events for the log, impressions for the light path, and a result for each, in order.
struct EventService::Prepared {
  std::string prefix(std::size_t index) const { return single ? std::string() : fmt::format("events[{}].", index); }

  bool single = false;
  events::EpochMs received_ms = 0;
  std::shared_ptr<const ServingGeneration> generation;
  std::vector<events::Event> durable;
  std::vector<std::size_t> durable_index;  // of the result
  std::vector<events::Impression> impressions;
  std::vector<std::vector<std::size_t>> impression_index;  // of the results, a list an impression
  std::vector<TrackedEvent> results;
};

EventService::EventService(Dependencies dependencies, EventOptions options)
    : use_(dependencies),
      options_(options),
      admission_(options_.max_in_progress),
      readers_(options_.max_readers_in_progress),
      metrics_(dependencies.metrics) {}

events::EpochMs EventService::now_ms() const { return events::to_epoch_ms(use_.clock.wall_now()); }

// A dependency's deadline: a little before the request's, so that what it has to say (kept or not) is still heard.
core::Deadline EventService::early(core::Deadline deadline) const {
  constexpr std::chrono::nanoseconds kMostBefore = std::chrono::milliseconds(50);
  if (deadline.is_never()) return deadline;
  const auto before = std::min(kMostBefore, deadline.remaining(use_.clock) / 8);
  return core::Deadline::at(deadline.time() - std::chrono::duration_cast<core::SteadyTime::duration>(before));
}

// Of what was refused before anything was given to the log.
EventFailure EventService::refuse(core::Error error, std::size_t events) const {
  metrics_.refused(refusal_of(error), events);
  if (error.code == ErrorCode::kNotFound) error.code = ErrorCode::kInvalidArgument;  // an item that is no article
  const bool wrong = error.code == ErrorCode::kInvalidArgument;
  const auto retry = retry_after(error);
  return {std::move(error), wrong ? std::nullopt : std::optional(AppendOutcome::kNotKept), retry};
}

EventFailure EventService::refuse_full(const AdmissionLimit& limit, std::size_t events) const {
  return refuse(core::fail(ErrorCode::kResourceExhausted,
                           fmt::format("{} requests of this kind are in progress, which is this server's limit; try again later",
                                       limit.limit()))
                    .error(),
                events);
}

core::Task<EventOutcome<std::vector<TrackedEvent>>> EventService::track(TrackRequest request) {
  const auto ticket = admission_.enter();
  if (!ticket) co_return std::unexpected(refuse_full(admission_, request.events.size()));
  const core::Deadline deadline = own_deadline(request.deadline);
  co_return co_await run_track(std::move(request), deadline);
}

core::Task<EventOutcome<std::vector<TrackedEvent>>> EventService::run_track(TrackRequest request, core::Deadline deadline) {
  auto prepared = prepare(request);
  if (!prepared) co_return std::unexpected(refuse(std::move(prepared).error(), request.events.size()));
  if (!prepared->durable.empty()) {
    std::vector<EventType> types;
    for (const events::Event& event : prepared->durable) types.push_back(event.type);
    const auto appended = co_await append(std::move(prepared->durable), std::move(request.trace), deadline);
    if (!appended) co_return std::unexpected(appended.error());
    for (std::size_t i = 0; i < appended->size(); ++i) {
      TrackedEvent& result = prepared->results[prepared->durable_index[i]];
      result.token = events::to_token((*appended)[i].position, (*appended)[i].mark);
      result.duplicate = (*appended)[i].duplicate;
      metrics_.accepted(types[i], result.duplicate);
    }
  }
  note_impressions(*prepared);
  co_return std::move(prepared->results);
}

core::Result<EventService::Prepared> EventService::prepare(const TrackRequest& request) const {
  const std::size_t count = request.events.size();
  if (count < 1 || count > events::kMaxBatchEvents) {
    return core::fail(ErrorCode::kInvalidArgument, fmt::format("events must be 1 to {}, not {}", events::kMaxBatchEvents, count),
                      "events");
  }
  Prepared prepared;
  prepared.single = request.single && count == 1;
  prepared.received_ms = now_ms();
  prepared.generation = use_.generations.serving();
  if (prepared.generation == nullptr) {
    const std::string cause = use_.generations.last_error();
    return core::fail(ErrorCode::kUnavailable, cause.empty() ? "no catalogue is loaded yet; try again later"
                                                             : fmt::format("no catalogue is loaded: {}", cause));
  }
  prepared.results.resize(count);
  for (std::size_t i = 0; i < count; ++i) CORE_CHECK(take(request.events[i], i, prepared));
  return prepared;
}

core::Status EventService::take(const events::EventInput& input, std::size_t index, Prepared& prepared) const {
  const std::string prefix = prepared.prefix(index);
  CORE_TRY(events::CheckedInput checked, events::check_input(input, prepared.received_ms, options_.receipt, prefix));
  events::Event& event = checked.event;
  CORE_CHECK(enrich(event, *prepared.generation, prefix));
  TrackedEvent& result = prepared.results[index];
  if (!checked.impression) {
    if (event.event_id.empty()) event.event_id = events::make_event_id();
    event.weight = weight_of(event.type);
    result.event_id = event.event_id;
    prepared.durable.push_back(std::move(event));
    prepared.durable_index.push_back(index);
    return {};
  }
  // Items that one answer showed are one record.
  result.event_id = event.event_id;
  const auto same = [&](const events::Impression& one) {
    return one.request_id == event.request_id && one.user_id == event.user_id && one.session_id == event.session_id &&
           one.source == event.source && one.time_ms == event.event_time_ms && one.query == event.query;
  };
  auto found = std::ranges::find_if(prepared.impressions, same);
  if (found == prepared.impressions.end()) {
    events::Impression impression{.request_id = std::move(event.request_id), .user_id = std::move(event.user_id),
                                  .session_id = std::move(event.session_id), .time_ms = event.event_time_ms};
    impression.source = event.source;
    impression.query = std::move(event.query);
    impression.generation = prepared.generation->info().id.value();
    prepared.impressions.push_back(std::move(impression));
    prepared.impression_index.emplace_back();
    found = std::prev(prepared.impressions.end());
  }
  prepared.impression_index[static_cast<std::size_t>(found - prepared.impressions.begin())].push_back(index);
  found->items.push_back({std::move(event.item_id), event.position.value_or(0)});
  return {};
}

// kNotFound for an item that is no article.
core::Status EventService::enrich(events::Event& event, const ServingGeneration& generation, const std::string& prefix) const {
  const auto row = generation.catalog().find(event.item_id);
  if (!row) {
    const std::string field = prefix + "item_id";
    return core::fail(ErrorCode::kNotFound, fmt::format("{}: the catalogue has no article {}", field, event.item_id), field);
  }
  const std::string_view category = generation.catalog().row(*row).product_type();
  if (events::is_category(category)) event.category = category;
  return {};
}

double EventService::weight_of(EventType type) const {
  switch (type) {
    case EventType::kClick: return options_.click_weight;
    case EventType::kView: return options_.view_weight;
    case EventType::kAddToCart: return options_.add_to_cart_weight;
    case EventType::kPurchase: return options_.purchase_weight;
    default: return 0;
  }
}

void EventService::note_impressions(Prepared& prepared) const {
  std::size_t accepted = 0;
  std::size_t dropped = 0;
  for (std::size_t i = 0; i < prepared.impressions.size(); ++i) {
    const bool taken = use_.impressions.note(std::move(prepared.impressions[i]));
    for (const std::size_t index : prepared.impression_index[i]) {
      prepared.results[index].status = taken ? TrackStatus::kAccepted : TrackStatus::kDropped;
      ++(taken ? accepted : dropped);
    }
  }
  metrics_.impressions(accepted, dropped);
}

core::Task<EventOutcome<std::vector<ports::AppendedEvent>>> EventService::append(std::vector<events::Event> batch,
                                                                                 ports::TraceContext trace,
                                                                                 core::Deadline deadline) {
  const std::size_t count = batch.size();
  if (deadline.expired(use_.clock)) {
    const auto late = core::fail(ErrorCode::kDeadlineExceeded, "the deadline passed before the events were written");
    co_return std::unexpected(refuse(late.error(), count));
  }
  const auto failed = [&](core::Error error, AppendOutcome outcome) {
    metrics_.refused(refusal_of(error), count);
    const auto retry = retry_after(error);
    return std::unexpected(EventFailure{std::move(error), outcome, retry});
  };
  const core::SteadyTime started = use_.clock.steady_now();
  auto appended = co_await in_time(use_.log.append_traced(std::move(batch), std::move(trace), early(deadline)), use_.timers, deadline);
  if (!appended) co_return failed(std::move(appended).error(), AppendOutcome::kUnknown);
  if (!*appended) co_return failed(std::move(appended->error().error), appended->error().outcome);
  if ((*appended)->size() != count) {
    const auto odd = core::fail(ErrorCode::kInternal,
                                fmt::format("the event log answered for {} of {} events", (*appended)->size(), count));
    co_return failed(odd.error(), AppendOutcome::kUnknown);
  }
  metrics_.acknowledged(use_.clock.steady_now() - started);
  co_return std::move(**appended);
}

core::Task<EventOutcome<TrackedEvent>> EventService::append_one(events::Event event, std::string shown_id, core::Deadline deadline) {
  const EventType type = event.type;
  std::vector<events::Event> batch;
  batch.push_back(std::move(event));
  ports::TraceContext no_trace;
  const auto appended = co_await append(std::move(batch), std::move(no_trace), deadline);
  if (!appended) co_return std::unexpected(appended.error());
  const ports::AppendedEvent& one = appended->front();
  metrics_.accepted(type, one.duplicate);
  co_return TrackedEvent{TrackStatus::kStored, std::move(shown_id), events::to_token(one.position, one.mark), one.duplicate};
}

// `name`: of the request, the same whenever the client repeats it with its key; empty without one.
events::Event EventService::subject_event(EventType type, const events::Subject& subject, const std::string& name) const {
  events::Event event;
  event.type = type;
  event.event_id = name.empty() ? events::make_event_id()
                                : events::derived_event_id(to_string(type), fmt::format("{}\n{}", subject.key(), name));
  if (subject.kind == events::SubjectKind::kUser) {
    event.user_id.emplace(subject.id);
  } else {
    event.session_id.emplace(subject.id);
  }
  event.event_time_ms = event.received_time_ms = now_ms();
  return event;
}

core::Task<EventOutcome<TrackedEvent>> EventService::merge(MergeRequest request) {
  const auto ticket = admission_.enter();
  if (!ticket) co_return std::unexpected(refuse_full(admission_, 1));
  const core::Deadline deadline = own_deadline(request.deadline);
  auto valid = events::check_subject_id(request.user_id, "user_id");
  if (valid) valid = events::check_subject_id(request.session_id, "session_id");
  if (valid) valid = check_client_key(request.client_event_id);
  if (!valid) co_return std::unexpected(refuse(std::move(valid).error(), 1));
  const std::string name = request.client_event_id ? fmt::format("{}\n{}", *request.client_event_id, request.session_id) : "";
  events::Event event = subject_event(EventType::kMerge, events::Subject::user(core::UserId(request.user_id)), name);
  event.session_id.emplace(request.session_id);
  std::string shown_id = request.client_event_id.value_or(event.event_id);
  co_return co_await append_one(std::move(event), std::move(shown_id), deadline);
}

core::Task<EventOutcome<TrackedEvent>> EventService::set_preferences(PreferencesRequest request) {
  const auto ticket = admission_.enter();
  if (!ticket) co_return std::unexpected(refuse_full(admission_, 1));
  const core::Deadline deadline = own_deadline(request.deadline);
  auto valid = events::check_subject_id(request.user_id, "user_id");
  if (valid) valid = check_client_key(request.client_event_id);
  if (!valid) co_return std::unexpected(refuse(std::move(valid).error(), 1));
  const std::string name = request.client_event_id ? fmt::format("{}\n{}", *request.client_event_id, request.personalize) : "";
  events::Event event = subject_event(EventType::kPreferences, events::Subject::user(core::UserId(request.user_id)), name);
  event.personalize = request.personalize;
  std::string shown_id = request.client_event_id.value_or(event.event_id);
  co_return co_await append_one(std::move(event), std::move(shown_id), deadline);
}

core::Task<EventOutcome<ForgetAnswer>> EventService::forget(ForgetRequest request) {
  const auto ticket = readers_.enter();
  if (!ticket) co_return std::unexpected(refuse_full(readers_, 1));
  const core::Deadline deadline = own_deadline(request.deadline);
  auto valid = events::check_subject_id(request.user_id, "user_id");
  if (valid) valid = check_client_key(request.client_event_id);
  if (!valid) co_return std::unexpected(refuse(std::move(valid).error(), 1));
  co_return co_await run_forget(std::move(request), deadline);
}

core::Task<EventOutcome<ExportAnswer>> EventService::export_user(ExportRequest request) {
  const auto ticket = readers_.enter();
  if (!ticket) {
    EventFailure full = refuse_full(readers_, 0);
    full.outcome.reset();
    co_return std::unexpected(std::move(full));
  }
  const core::Deadline deadline = own_deadline(request.deadline);
  auto answer = co_await run_export(std::move(request), deadline);
  if (answer) co_return std::move(*answer);
  const auto retry = retry_after(answer.error());
  co_return std::unexpected(EventFailure{std::move(answer).error(), std::nullopt, retry});
}

core::Task<EventOutcome<FeaturesAnswer>> EventService::features_of(FeaturesRequest request) {
  const auto ticket = readers_.enter();
  if (!ticket) {
    EventFailure full = refuse_full(readers_, 0);
    full.outcome.reset();
    co_return std::unexpected(std::move(full));
  }
  const core::Deadline deadline = own_deadline(request.deadline);
  auto answer = co_await run_features(std::move(request), deadline);
  if (answer) co_return std::move(*answer);
  const auto retry = retry_after(answer.error());
  co_return std::unexpected(EventFailure{std::move(answer).error(), std::nullopt, retry});
}

}  // namespace scalestyle::search
