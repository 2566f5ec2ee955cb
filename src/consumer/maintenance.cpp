#include "consumer/maintenance.hpp"

#include <algorithm>
#include <cassert>
#include <exception>
#include <optional>
#include <utility>

namespace scalestyle::consumer {

// What run() keeps of a chore; touched by its thread alone.
struct Maintenance::Entry {
  Entry(Chore what, Backoff retry_delay, core::SteadyTime first) : chore(std::move(what)), delay(retry_delay), due(first) {}

  Chore chore;
  Backoff delay;
  core::SteadyTime due;
  std::string trouble{};  // of the last run
  telemetry::Histogram seconds{};
  telemetry::Counter failures{};
  telemetry::Gauge failing{};
};

Maintenance::Maintenance(Dependencies dependencies, Options options, std::vector<Chore> chores)
    : use_(dependencies), options_(options) {
  const auto now = use_.clock.steady_now();
  for (auto& chore : chores) {
    assert(!chore.name.empty() && chore.work);
    const telemetry::Labels labels{{"chore", chore.name}};
    const auto first = now + chore.interval;
    auto entry = std::make_unique<Entry>(std::move(chore), Backoff(options_.retry, options_.seed + entries_.size()), first);
    entry->seconds = use_.metrics.histogram({"scalestyle_maintenance_seconds", "Duration of the runs of a chore.", labels});
    entry->failures = use_.metrics.counter({"scalestyle_maintenance_failures_total", "Runs of a chore that failed.", labels});
    entry->failing = use_.metrics.gauge({"scalestyle_maintenance_failing", "1 while the last run of a chore failed.", labels});
    entries_.push_back(std::move(entry));
  }
}

Maintenance::~Maintenance() = default;

void Maintenance::run() {
  while (true) {
    run_due();
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, options_.tick, [this] { return stopping_ || !requested_.empty(); });
    if (stopping_) break;
  }
  [[maybe_unused]] const auto ended = run_at_end();  // each failure is logged
}

void Maintenance::stop() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  wake_.notify_all();
}

void Maintenance::request(std::string_view chore) {
  assert(std::ranges::any_of(entries_, [&](const auto& entry) { return entry->chore.name == chore; }));
  const std::lock_guard lock(mutex_);
  requested_.emplace(chore);
  wake_.notify_all();
}

void Maintenance::run_due() {
  std::set<std::string, std::less<>> requested;
  {
    const std::lock_guard lock(mutex_);
    requested.swap(requested_);
  }
  for (const auto& entry : entries_) {
    const bool waits_after_failure = !entry->trouble.empty();
    const bool early = !waits_after_failure && entry->chore.due_early && entry->chore.due_early();
    const bool due = early || requested.contains(entry->chore.name) || use_.clock.steady_now() >= entry->due;
    if (due) [[maybe_unused]] const auto done = do_chore(*entry);
  }
}

core::Status Maintenance::run_at_end() {
  core::Status first;
  for (const auto& entry : entries_) {
    if (!entry->chore.at_end) continue;
    if (auto done = do_chore(*entry); !done && first) first = std::move(done);
  }
  return first;
}

core::Status Maintenance::do_chore(Entry& entry) {
  const auto begun = use_.clock.steady_now();
  core::Status done;
  try {
    done = entry.chore.work();
  } catch (const std::exception& failure) {
    done = core::fail(core::ErrorCode::kInternal, failure.what());
  }
  const auto ended = use_.clock.steady_now();
  entry.seconds.observe(std::chrono::duration<double>(ended - begun).count());
  entry.failing.set(done ? 0 : 1);
  if (done) {
    if (!entry.trouble.empty()) use_.log.info("a chore succeeds again", {{"chore", entry.chore.name}});
    entry.trouble.clear();
    entry.delay.reset();
    entry.due = ended + entry.chore.interval;
    return done;
  }
  entry.failures.add();
  entry.due = ended + entry.delay.next();
  if (entry.trouble != done.error().message) {
    entry.trouble = done.error().message;
    use_.log.error("a chore failed; it will be tried again", {{"chore", entry.chore.name}, {"cause", entry.trouble}});
  }
  return done;
}

}  // namespace scalestyle::consumer
