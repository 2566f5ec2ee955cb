#include "adapters/embedded/event_log.hpp"

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <semaphore>

#include "adapters/embedded/event_log_support.hpp"
#include "support/conformance_event_log.hpp"
#include "support/conformance_event_stream.hpp"
#include "support/fault_vfs.hpp"

namespace scalestyle::support {
namespace {

class SqliteEngine final : public EventLogEngine {
 public:
  explicit SqliteEngine(adapters::embedded::SqliteEventLog::Options options = {}) : log_(std::move(options)) {}
  ports::EventLog& log() override { return *log_; }
  ports::EventStream& stream() override { return log_->stream(); }
  void reopen() override { log_.reopen(); }
  void erase() override {
    const auto erased = erase_pending(*log_, [](const adapters::embedded::Forgotten&) { return core::Status{}; });
    EXPECT_TRUE(erased) << erased.error().message;
  }

 private:
  adapters::embedded::OpenLog log_;
};

EventLogFactory sqlite() {
  return [] { return std::make_unique<SqliteEngine>(); };
}
// Nothing stays in memory for the stream: it reads everything from disk.
EventLogFactory sqlite_from_disk() {
  return [] { return std::make_unique<SqliteEngine>(adapters::embedded::SqliteEventLog::Options{.max_tail_events = 0}); };
}

INSTANTIATE_TEST_SUITE_P(Sqlite, EventLogConformance, ::testing::Values(sqlite(), sqlite_from_disk()));
INSTANTIATE_TEST_SUITE_P(Sqlite, EventStreamConformance, ::testing::Values(sqlite(), sqlite_from_disk()));

}  // namespace
}  // namespace scalestyle::support

namespace scalestyle::adapters::embedded {
namespace {

using support::sample_click;

// Holds up the syncs of the write-ahead log until it is opened. What a sync in progress uses outlives the gate.
class Gate {
 public:
  explicit Gate(support::FaultVfs& vfs) : vfs_(vfs) {
    vfs.on_sync([state = state_](const std::string& path) {
      if (!path.ends_with("-wal")) return;
      std::unique_lock lock(state->mutex);
      state->waiting = true;
      state->changed.notify_all();
      state->changed.wait(lock, [&] { return state->open; });
    });
  }
  ~Gate() {
    open();
    vfs_.on_sync({});
  }
  void wait_until_reached() {
    std::unique_lock lock(state_->mutex);
    state_->changed.wait(lock, [this] { return state_->waiting; });
  }
  void open() {
    const std::lock_guard lock(state_->mutex);
    state_->open = true;
    state_->changed.notify_all();
  }

 private:
  struct State {
    std::mutex mutex;
    std::condition_variable changed;
    bool waiting = false;
    bool open = false;
  };
  support::FaultVfs& vfs_;
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

TEST(SqliteEventLog, ADeadlineInsideATransactionIsUnknownAndOneInTheQueueIsNotKept) {
  support::FaultVfs vfs;
  OpenLog log({.vfs = vfs.name()});
  {
    Gate gate(vfs);
    std::binary_semaphore writing_done(0);
    std::optional<ports::AppendResult> writing;
    const auto soon = [&] { return core::Deadline::after(std::chrono::milliseconds(50), log.clock()); };
    core::start(log->append({sample_click("written")}, soon()), [&](ports::AppendResult result) {
      writing.emplace(std::move(result));
      writing_done.release();
    }).detach();
    gate.wait_until_reached();
    const auto queued = core::sync_wait(log->append({sample_click("queued")}, soon()));
    ASSERT_FALSE(queued);
    EXPECT_EQ(queued.error().outcome, ports::AppendOutcome::kNotKept);
    EXPECT_EQ(queued.error().error.code, core::ErrorCode::kDeadlineExceeded);
    writing_done.acquire();
    ASSERT_FALSE(*writing);
    EXPECT_EQ(writing->error().outcome, ports::AppendOutcome::kUnknown);
  }
  const auto again = log.append({sample_click("written"), sample_click("queued")});
  ASSERT_TRUE(again) << again.error().error.message;
  EXPECT_TRUE((*again)[0].duplicate);
  EXPECT_FALSE((*again)[1].duplicate);
}

TEST(SqliteEventLog, AFullQueueShedsByEventsAndByBytes) {
  support::FaultVfs vfs;
  OpenLog by_events({.max_queued_events = 500, .vfs = vfs.name()});
  OpenLog by_bytes({.max_queued_bytes = 4'000, .vfs = vfs.name()});
  for (OpenLog* log : {&by_events, &by_bytes}) {
    Gate gate(vfs);
    std::atomic<int> kept{0};
    std::atomic<int> shed{0};
    std::counting_semaphore<> done(0);
    const auto send = [&](int index) {
      core::start((*log)->append({sample_click("e" + std::to_string(index))}, core::Deadline::never()), [&](const ports::AppendResult& result) {
        if (result) ++kept;
        if (!result) {
          EXPECT_EQ(result.error().outcome, ports::AppendOutcome::kNotKept);
          EXPECT_EQ(result.error().error.code, core::ErrorCode::kResourceExhausted);
          ++shed;
        }
        done.release();
      }).detach();
    };
    send(0);
    gate.wait_until_reached();
    for (int i = 1; i <= 600; ++i) send(i);
    EXPECT_GT(shed, 0);
    gate.open();
    for (int i = 0; i <= 600; ++i) done.acquire();
    EXPECT_EQ(kept + shed, 601);
    EXPECT_EQ(static_cast<std::size_t>(kept), log->everything().size());
  }
}

TEST(SqliteEventLog, AppendsThatWaitTogetherShareOneSync) {
  support::FaultVfs vfs;
  OpenLog log({.vfs = vfs.name()});
  log.append_one(sample_click("warm"));
  std::counting_semaphore<> done(0);
  std::uint64_t before = 0;
  {
    Gate gate(vfs);
    const auto send = [&](int index) {
      core::start(log->append({sample_click("e" + std::to_string(index))}, core::Deadline::never()),
                  [&](const ports::AppendResult& result) {
                    EXPECT_TRUE(result);
                    done.release();
                  }).detach();
    };
    send(0);
    gate.wait_until_reached();
    before = vfs.syncs();
    for (int i = 1; i < 100; ++i) send(i);
  }
  for (int i = 0; i < 100; ++i) done.acquire();
  EXPECT_EQ(vfs.syncs() - before, 2U);  // of the first, and of the 99 that waited
}

TEST(SqliteEventLog, TheStreamHasAnEventBeforeItsAppenderKnows) {
  OpenLog log;
  std::atomic<bool> seen{false};
  auto poll = core::start(log->stream().poll(10, core::Deadline::never()), [&](const core::Result<ports::StreamBatch>&) { seen = true; });
  std::binary_semaphore done(0);
  bool seen_at_ack = false;
  core::start(log->append({sample_click("a")}, core::Deadline::never()), [&](const ports::AppendResult&) {
    seen_at_ack = seen;
    done.release();
  }).detach();
  done.acquire();
  EXPECT_TRUE(seen_at_ack);
}

// From memory; the file does not hold it.
TEST(SqliteEventLog, TheStreamGivesTheTraceOfARequestThatIsSampled) {
  OpenLog log;
  const std::string trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b71692033";
  const auto append = [&](const std::string& id, const std::string& parent) {
    return core::sync_wait(log->append_traced({sample_click(id)}, {parent, ""}, core::Deadline::never())).has_value();
  };
  ASSERT_TRUE(append("a", trace + "31-01"));
  ASSERT_TRUE(append("b", trace + "32-00"));
  ASSERT_TRUE(append("c", "hostile"));
  const auto batch = core::sync_wait(log->stream().poll(10, core::Deadline::never()));
  ASSERT_TRUE(batch) << batch.error().message;
  ASSERT_EQ(batch->events.size(), 3U);
  EXPECT_EQ(batch->events[0].delivery.traceparent, trace + "31-01");
  EXPECT_EQ(batch->events[1].delivery.traceparent, "");
  EXPECT_EQ(batch->events[2].delivery.traceparent, "");
}

TEST(SqliteEventLog, AConsumerThatIsFarBehindReadsFromDiskAndCatchesUp) {
  OpenLog log({.max_tail_events = 10});
  std::vector<std::int64_t> sent;
  for (int i = 0; i < 100; ++i) sent.push_back(log.append_one(sample_click("e" + std::to_string(i))));
  std::vector<std::int64_t> got;
  for (int i = 100; got.size() < 200;) {
    const auto batch = core::sync_wait(log->stream().poll(7, core::Deadline::never()));
    ASSERT_TRUE(batch) << batch.error().message;
    for (const auto& event : batch->events) got.push_back(event.position.offset);
    for (int more = 0; more < 5 && i < 200; ++more, ++i) sent.push_back(log.append_one(sample_click("e" + std::to_string(i))));
  }
  EXPECT_EQ(got, sent);
}

TEST(SqliteEventLog, ASecondProcessIsKeptOut) {
  OpenLog log;
  support::ComputeThreads threads;
  telemetry::Metrics metrics;
  const auto second = SqliteEventLog::open({.folder = log.folder()}, {threads.clock(), threads.timers(), threads.pool(), metrics});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, core::ErrorCode::kFailedPrecondition);
}

TEST(SqliteEventLog, AfterStopAppendsAreRefusedAndWhatWasQueuedIsKept) {
  OpenLog log;
  std::counting_semaphore<> done(0);
  std::atomic<int> kept{0};
  for (int i = 0; i < 50; ++i) {
    core::start(log->append({sample_click("e" + std::to_string(i))}, core::Deadline::never()), [&](const ports::AppendResult& result) {
      if (result) ++kept;
      done.release();
    }).detach();
  }
  log->stop();
  const auto late = log.append({sample_click("late")});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().outcome, ports::AppendOutcome::kNotKept);
  EXPECT_EQ(late.error().error.code, core::ErrorCode::kUnavailable);
  for (int i = 0; i < 50; ++i) done.acquire();
  EXPECT_EQ(kept, 50);
  log.reopen();
  EXPECT_EQ(log.everything().size(), 50U);
}

TEST(SqliteEventLog, ThePositionBehindTheEndIsSaidToBeLost) {
  OpenLog log;
  const std::int64_t last = log.append_one(sample_click("a"));
  const auto sought = core::sync_wait(log->stream().seek({.stream = log->name(), .partition = 0, .offset = last + 5}, core::Deadline::never()));
  ASSERT_FALSE(sought);
  EXPECT_EQ(sought.error().code, core::ErrorCode::kDataLoss);
}

TEST(SqliteEventLog, CountsWhatItDoes) {
  OpenLog log;
  ASSERT_TRUE(log.append({sample_click("a"), sample_click("b"), sample_click("a")}));
  const std::string text = log.metrics().render();
  EXPECT_NE(text.find("scalestyle_event_log_appended_total 2"), std::string::npos) << text;
  EXPECT_NE(text.find("scalestyle_event_log_duplicates_total 1"), std::string::npos);
  EXPECT_NE(text.find("scalestyle_event_log_commit_seconds_count 1"), std::string::npos);
}

}  // namespace
}  // namespace scalestyle::adapters::embedded
