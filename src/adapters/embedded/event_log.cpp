#include "adapters/embedded/event_log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <system_error>
#include <utility>

#include "adapters/embedded/event_log_engine.hpp"
#include "adapters/embedded/event_log_queue.hpp"
#include "adapters/embedded/event_stream.hpp"
#include "core/crash_point.hpp"
#include "events/validation.hpp"
#include "telemetry/trace.hpp"

namespace scalestyle::adapters::embedded {

namespace {

using event_log::Insertion;
using event_log::PendingAppend;
using event_log::Written;
using event_log::WrittenOrFailure;

std::unexpected<ports::AppendFailure> not_kept(core::Error error) {
  return std::unexpected(ports::AppendFailure{ports::AppendOutcome::kNotKept, std::move(error)});
}

// The batch as rows; kInvalidArgument names the first event that the log cannot hold.
core::Result<std::vector<event_log::Row>> make_rows(std::vector<events::Event> batch, bool anonymous_too) {
  if (batch.size() > SqliteEventLog::kMaxBatchEvents) {
    return core::fail(core::ErrorCode::kInvalidArgument,
                      fmt::format("a batch holds at most {} events, this one {}", SqliteEventLog::kMaxBatchEvents, batch.size()), "events");
  }
  std::vector<event_log::Row> rows;
  rows.reserve(batch.size());
  for (std::size_t i = 0; i < batch.size(); ++i) {
    auto checked = events::check_event(batch[i]);
    if (checked && !anonymous_too && !event_log::has_subject(batch[i])) {
      checked = core::fail(core::ErrorCode::kInvalidArgument, "an event needs a user or a session", "user_id");
    }
    if (!checked) {
      auto error = std::move(checked).error();
      error.message = fmt::format("event {} of the batch: {}", i, error.message);
      return std::unexpected(std::move(error));
    }
    rows.push_back(event_log::make_row(std::move(batch[i])));
  }
  return rows;
}

// Queues the rows and waits for what becomes of them.
core::Task<WrittenOrFailure> write_rows(event_log::Engine& engine, event_log::AppendQueue& queue, std::shared_ptr<PendingAppend> append,
                                        core::Deadline deadline) {
  if (deadline.expired(engine.services().clock)) {
    co_return not_kept(core::fail(core::ErrorCode::kDeadlineExceeded, "the deadline passed before the events were written").error());
  }
  if (const std::string refusal = engine.refusal(); !refusal.empty()) {
    co_return not_kept(core::fail(core::ErrorCode::kUnavailable, refusal).error());
  }
  const std::size_t count = append->rows.size();
  if (auto pushed = queue.push(append); !pushed) {
    engine.metrics().not_kept.add(static_cast<double>(count));
    co_return not_kept(std::move(pushed).error());
  }
  const auto late = [append] { append->withdraw(core::ErrorCode::kDeadlineExceeded); };
  const auto cancelled = [append] { append->withdraw(core::ErrorCode::kCancelled); };
  auto outcome = co_await core::wait_for(append->waiter, deadline, engine.services().timers, late, cancelled);
  if (!outcome) {
    const bool unknown = outcome.error().outcome == ports::AppendOutcome::kUnknown;
    (unknown ? engine.metrics().unknown : engine.metrics().not_kept).add(static_cast<double>(count));
  }
  co_return outcome;
}

// What the stream is to be given of a transaction: the events that were added, in order.
struct Added {
  std::vector<events::LoggedEvent> events;
  std::size_t duplicates = 0;
  bool forgets = false;
};

Added take_added(std::vector<Insertion>& insertions, const std::string& name) {
  Added added;
  for (Insertion& insertion : insertions) {
    for (std::size_t i = 0; i < insertion.rows.size(); ++i) {
      const Written& written = insertion.written[i];
      added.duplicates += written.duplicate ? 1 : 0;
      if (written.duplicate || written.forgotten) continue;
      events::Event& event = insertion.rows[i].event;
      added.forgets = added.forgets || event.type == events::EventType::kForget;
      added.events.push_back({{.stream = name, .partition = 0, .offset = written.offset}, std::move(event)});
      added.events.back().delivery.traceparent = insertion.traceparent;
    }
  }
  return added;
}

}  // namespace

core::Status SqliteEventLog::Options::validate() const {
  const auto positive = [](std::size_t value, const char* field) -> core::Status {
    if (value == 0) return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("{} must be at least 1", field), field);
    return {};
  };
  CORE_CHECK(positive(max_queued_bytes, "max_queued_bytes"));
  CORE_CHECK(positive(max_transaction_events, "max_transaction_events"));
  if (max_queued_events < kMaxBatchEvents) {
    return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("max_queued_events must be at least {}", kMaxBatchEvents),
                      "max_queued_events");
  }
  return {};
}

core::Result<std::unique_ptr<SqliteEventLog>> SqliteEventLog::open(Options options, Services services) {
  CORE_CHECK(options.validate());
  std::error_code error;
  if (!std::filesystem::is_directory(options.folder, error)) {
    return core::fail(core::ErrorCode::kNotFound, fmt::format("no such folder: {}", options.folder.string()), "folder");
  }
  CORE_TRY(auto engine, event_log::Engine::open(std::move(options), services));
  return std::unique_ptr<SqliteEventLog>(new SqliteEventLog(std::move(engine)));
}

SqliteEventLog::SqliteEventLog(std::unique_ptr<event_log::Engine> engine)
    : engine_(std::move(engine)),
      stream_(std::make_unique<event_log::Stream>(*engine_)),
      queue_(std::make_unique<event_log::AppendQueue>(
          event_log::AppendQueue::Bounds{engine_->options().max_queued_events, engine_->options().max_queued_bytes},
          engine_->metrics().queued_events)) {}

SqliteEventLog::~SqliteEventLog() = default;

void SqliteEventLog::run() {
  while (true) {
    auto appends = queue_->take(engine_->options().max_transaction_events);
    if (appends.empty()) return;
    std::vector<Insertion> insertions;
    insertions.reserve(appends.size());
    for (const auto& append : appends) {
      insertions.push_back({.rows = append->rows, .imported = append->imported, .traceparent = append->traceparent});
    }
    auto written = engine_->write(insertions);
    if (!written) {
      for (const auto& append : appends) append->finish(std::unexpected(written.error()));
      continue;
    }
    Added added = take_added(insertions, engine_->name());
    engine_->metrics().appended.add(static_cast<double>(added.events.size()));
    engine_->metrics().duplicates.add(static_cast<double>(added.duplicates));
    stream_->publish(std::move(added.events), added.forgets);
    core::crash_point("log.published");
    for (std::size_t i = 0; i < appends.size(); ++i) {
      core::crash_point("log.before_ack");
      appends[i]->finish(std::move(insertions[i].written));
    }
  }
}

void SqliteEventLog::stop() { queue_->close(); }

core::Task<ports::AppendResult> SqliteEventLog::append(std::vector<events::Event> batch, core::Deadline deadline) {
  return append_traced(std::move(batch), ports::TraceContext{}, deadline);
}

core::Task<ports::AppendResult> SqliteEventLog::append_traced(std::vector<events::Event> batch, ports::TraceContext trace,
                                                              core::Deadline deadline) {
  if (batch.empty()) co_return std::vector<ports::AppendedEvent>{};
  const std::shared_ptr<core::TaskContext> context = co_await core::current_context();
  telemetry::ActiveSpan span(context, "append events", telemetry::SpanKind::kProducer);
  span.set("messaging.batch.message_count", static_cast<std::int64_t>(batch.size()));
  if (span.recording()) trace.traceparent = span.traceparent();
  auto rows = make_rows(std::move(batch), false);
  if (!rows) co_return not_kept(std::move(rows).error());
  const auto pending = std::make_shared<PendingAppend>(std::move(*rows), false);
  const auto parent = telemetry::parse_traceparent(trace.traceparent);
  if (parent && parent->sampled) pending->traceparent = std::move(trace.traceparent);
  auto outcome = co_await write_rows(*engine_, *queue_, pending, deadline);
  if (!outcome) {
    span.fail(core::to_string(outcome.error().error.code));
    co_return std::unexpected(std::move(outcome).error());
  }
  span.end();
  std::vector<ports::AppendedEvent> appended;
  appended.reserve(outcome->size());
  for (const Written& written : *outcome) {
    appended.push_back({{.stream = engine_->name(), .partition = 0, .offset = written.offset}, written.duplicate});
  }
  co_return appended;
}

core::Task<ImportResult> SqliteEventLog::import(std::vector<events::Event> batch, core::Deadline deadline) {
  if (batch.empty()) co_return std::vector<ImportedEvent>{};
  auto rows = make_rows(std::move(batch), true);
  if (!rows) co_return not_kept(std::move(rows).error());
  const auto pending = std::make_shared<PendingAppend>(std::move(*rows), true);
  auto outcome = co_await write_rows(*engine_, *queue_, pending, deadline);
  if (!outcome) co_return std::unexpected(std::move(outcome).error());
  std::vector<ImportedEvent> imported;
  imported.reserve(outcome->size());
  for (const Written& written : *outcome) {
    const ImportOutcome what = written.forgotten ? ImportOutcome::kForgotten
                               : written.duplicate ? ImportOutcome::kDuplicate
                                                   : ImportOutcome::kKept;
    imported.push_back({what, written.offset});
  }
  co_return imported;
}

core::Task<core::Result<std::vector<events::LoggedEvent>>> SqliteEventLog::history(events::Subject subject, std::int64_t after_offset,
                                                                                  std::size_t limit, core::Deadline deadline) {
  if (limit == 0 || limit > 10'000) {
    co_return core::fail(core::ErrorCode::kInvalidArgument, "a history gives 1 to 10,000 events", "limit");
  }
  CORE_CO_CHECK(co_await engine_->services().pool.schedule(deadline));
  co_return engine_->readers().with([&](event_log::ReadConnection& connection) {
    return connection.history(subject, {.name = engine_->name(), .after = after_offset, .through = 0, .limit = limit});
  });
}

core::Task<core::Result<ports::ErasureState>> SqliteEventLog::wait_erased(events::EventPosition position, core::Deadline deadline) {
  if (position.stream != engine_->name() || position.partition != 0) {
    co_return core::fail(core::ErrorCode::kInvalidArgument, "the position is of another log", "position");
  }
  if (auto scheduled = co_await engine_->services().pool.schedule(deadline); !scheduled) {
    if (scheduled.error().code == core::ErrorCode::kDeadlineExceeded) co_return ports::ErasureState::kPending;
    co_return std::unexpected(std::move(scheduled).error());
  }
  // Registered before looking, so that an erasure that ends in between is not missed.
  const auto waiter = std::make_shared<core::Waiter<ports::ErasureState>>();
  engine_->wait_for_erasure(position.offset, waiter);
  auto state = engine_->readers().with([&](event_log::ReadConnection& connection) { return connection.erasure(position.offset); });
  if (!state || !*state || **state == event_log::Erasure::kErased) {
    engine_->leave_erasure(position.offset, waiter);
    if (!state) co_return std::unexpected(std::move(state).error());
    if (!*state) co_return core::fail(core::ErrorCode::kNotFound, "no request to be forgotten is kept at this position", "position");
    co_return ports::ErasureState::kErased;
  }
  const auto leave = [waiter] { waiter->settle(ports::ErasureState::kPending); };
  const auto answer = co_await core::wait_for(waiter, deadline, engine_->services().timers, leave, leave);
  engine_->leave_erasure(position.offset, waiter);
  co_return answer;
}

std::string SqliteEventLog::refusal() const { return engine_->refusal(); }
ports::EventStream& SqliteEventLog::stream() { return *stream_; }
const std::string& SqliteEventLog::name() const { return engine_->name(); }
std::vector<std::string> SqliteEventLog::findings() const { return engine_->findings(); }

}  // namespace scalestyle::adapters::embedded
