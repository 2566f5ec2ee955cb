#include "crash/victim.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <mutex>
#include <thread>

#include "core/crash_point.hpp"
#include "core/task.hpp"
#include "events/impression.hpp"

namespace scalestyle::crash {
namespace {

constexpr std::size_t kMostAhead = 20;  // batches that an appender may be before the slowest: times stay close
constexpr auto kAppendDeadline = std::chrono::seconds(30);

// Of the one victim that this process is.
Ledger* crash_ledger = nullptr;
std::string crash_target;
std::uint64_t crash_pass = 0;

void on_crash_point(std::string_view point) {
  const std::uint64_t pass = crash_ledger->pass(point);
  if (point == crash_target && pass == crash_pass) ::kill(::getpid(), SIGKILL);
}

// Batch numbers of the appenders.
class Progress {
 public:
  explicit Progress(std::size_t appenders) : next_(appenders) {}
  void set(std::size_t appender, std::size_t batch) { next_[appender].store(batch); }
  [[nodiscard]] std::size_t slowest() const {
    std::size_t least = next_[0].load();
    for (const auto& next : next_) least = std::min(least, next.load());
    return least;
  }

 private:
  std::vector<std::atomic<std::size_t>> next_;
};

events::Impression impression_of(const events::Event& event) {
  events::Impression shown;
  shown.request_id = "shown-to-" + event.subject().id;
  shown.user_id = event.user_id;
  shown.session_id = event.session_id;
  shown.time_ms = event.received_time_ms;
  shown.query = event.query;
  shown.items = {{event.item_id, 1}};
  return shown;
}

void append_all(const Plan& plan, Ledger& ledger, const VictimOptions& options, EventStack& stack, std::size_t appender,
                Progress& progress) {
  const auto& batches = plan.appenders[appender];
  const std::size_t first = first_open_batch(plan, ledger, appender);
  const std::size_t end = std::min(batches.size(), first + options.batches);
  for (std::size_t i = first; i < end; ++i) {
    progress.set(appender, i);
    while (i > progress.slowest() + kMostAhead) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    const auto& batch = batches[i];
    // Not of what is sent again: its subject may have been forgotten by now.
    const bool is_new = batch.events[0].received_time_ms == batch.now_ms;
    if (is_new && events::concerns_item(batch.events[0].type)) stack.impressions().note(impression_of(batch.events[0]));
    if (const std::string problem = send_batch(stack, batch, ledger); !problem.empty()) {
      ledger.complain(fmt::format("appender {}, batch {}: {}", appender, i, problem));
      break;
    }
  }
  progress.set(appender, batches.size() + kMostAhead);
}

int run_victim(const Plan& plan, Ledger& ledger, const VictimOptions& options) {
  crash_ledger = &ledger;
  crash_target = options.kill_point;
  crash_pass = options.kill_pass;
  core::set_crash_hook(&on_crash_point);
  const GivenWallClock clock([&ledger] { return ledger.now_ms(); });
  auto stack = EventStack::open(options.stack, clock);
  if (!stack) {
    ledger.complain("open: " + stack.error().message);
    return 1;
  }
  Progress progress(plan.appenders.size());
  for (std::size_t i = 0; i < plan.appenders.size(); ++i) progress.set(i, first_open_batch(plan, ledger, i));
  std::vector<std::thread> appenders;
  for (std::size_t i = 0; i < plan.appenders.size(); ++i) {
    appenders.emplace_back([&, i] { append_all(plan, ledger, options, **stack, i, progress); });
  }
  for (auto& appender : appenders) appender.join();
  (*stack)->close();
  return ledger.problem().empty() ? 0 : 1;
}

}  // namespace

std::size_t first_open_batch(const Plan& plan, const Ledger& ledger, std::size_t appender) {
  const auto& batches = plan.appenders[appender];
  for (std::size_t i = 0; i < batches.size(); ++i) {
    for (std::size_t j = 0; j < batches[i].events.size(); ++j) {
      if (!ledger.offset(batches[i].first_entry + j)) return i;
    }
  }
  return batches.size();
}

std::string send_batch(EventStack& stack, const PlannedBatch& batch, Ledger& ledger) {
  ledger.advance(batch.now_ms);
  for (std::size_t i = 0; i < batch.events.size(); ++i) ledger.sent(batch.first_entry + i);
  const auto deadline = core::Deadline::at(std::chrono::steady_clock::now() + kAppendDeadline);
  const ports::AppendResult result = core::sync_wait(stack.log().append(batch.events, deadline));
  if (!result) return result.error().error.message;
  if (result->size() != batch.events.size()) return "not one result an event";
  for (std::size_t i = 0; i < batch.events.size(); ++i) {
    ledger.acknowledged(batch.first_entry + i, (*result)[i].position.offset);
  }
  return {};
}

pid_t start_victim(const Plan& plan, Ledger& ledger, const VictimOptions& options) {
  const pid_t child = ::fork();
  if (child != 0) return child;
  ::_exit(run_victim(plan, ledger, options));
}

}  // namespace scalestyle::crash
