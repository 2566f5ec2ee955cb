#include "crash/event_stack.hpp"

namespace scalestyle::crash {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kPoolThreads = 2;
constexpr auto kCatchUpDeadline = std::chrono::seconds(60);

// Intervals differ a little, so that chores come in all orders.
consumer::EmbeddedEvents::Options busy_options(const StackOptions& options) {
  consumer::EmbeddedEvents::Options busy;
  busy.use_folder(options.folder);
  busy.features = options.features;
  busy.maintenance.tick = milliseconds(2);
  busy.chores.checkpoint.events = 300;
  busy.chores.checkpoint_interval = options.chore_interval + milliseconds(3);
  busy.chores.retention_interval = options.chore_interval + milliseconds(7);
  busy.chores.flush_interval = options.chore_interval + milliseconds(4);
  busy.chores.wal_interval = options.chore_interval + milliseconds(1);
  busy.chores.erasure_interval = options.chore_interval;
  busy.chores.wal.wal_bytes = 64 << 10;
  busy.chores.event_retention.max_age = options.retention;
  return busy;
}

}  // namespace

EventStack::EventStack(const core::Clock& clock)
    : clock_(clock), logger_({telemetry::LogLevel::kError, telemetry::LogFormat::kHuman}, clock),
      pool_({.threads = kPoolThreads, .queue_capacity = 1'024}, clock), timers_(clock) {}

core::Result<std::unique_ptr<EventStack>> EventStack::open(const StackOptions& options, const core::Clock& clock) {
  std::unique_ptr<EventStack> stack(new EventStack(clock));
  CORE_CHECK(stack->start(options));
  return stack;
}

core::Status EventStack::start(const StackOptions& options) {
  for (std::size_t i = 0; i < kPoolThreads; ++i) background_.emplace_back([this] { pool_.run(); });
  background_.emplace_back([this] { timers_.run(); });
  CORE_TRY(events_, consumer::EmbeddedEvents::open(busy_options(options), {.pool = pool_, .timers = timers_, .clock = clock_,
                                                                           .metrics = metrics_, .log = logger_}));
  writer_ = std::thread([this] { events_->write(); });
  keeper_ = std::thread([this] { events_->maintain(); });
  return events_->start(core::Deadline::after(kCatchUpDeadline, clock_));
}

void EventStack::close() {
  if (keeper_.joinable()) {
    events_->stop_maintenance();
    keeper_.join();
  }
  if (writer_.joinable()) {
    events_->stop_writing();
    writer_.join();
  }
  timers_.stop();
  pool_.stop();
  for (auto& thread : background_) thread.join();
  background_.clear();
}

EventStack::~EventStack() { close(); }

}  // namespace scalestyle::crash
