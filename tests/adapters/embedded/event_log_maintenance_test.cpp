#include "adapters/embedded/event_log_maintenance.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <thread>

#include "adapters/embedded/event_log_support.hpp"
#include "adapters/embedded/page_gaps.hpp"
#include "core/crash_point.hpp"

namespace scalestyle::adapters::embedded {
namespace {

using support::kSampleTimeMs;
using support::sample_click;
using support::sample_merge;
using support::sample_session_click;
using support::sample_subject_event;

core::Status nothing_else(const Forgotten&) { return {}; }

void expect_sound(const std::filesystem::path& folder) {
  const auto report = verify_event_log(folder);
  ASSERT_TRUE(report) << report.error().message;
  for (const auto& problem : report->problems) ADD_FAILURE() << problem;
}

TEST(EventLogMaintenance, TheWriteAheadLogStaysBoundedWhileEventsKeepComing) {
  OpenLog log;
  std::atomic<bool> done{false};
  std::thread caller([&] {
    for (int i = 0; i < 3'000; ++i) log.append_one(sample_click("e" + std::to_string(i)));
    done = true;
  });
  std::size_t runs = 0;
  while (!done) {
    const auto report = checkpoint_wal(*log, {.wal_bytes = 256 << 10});
    ASSERT_TRUE(report) << report.error().message;
    if (report->restarted) ++runs;
  }
  caller.join();
  EXPECT_GT(runs, 2U);
  const auto now = figures(*log);
  ASSERT_TRUE(now) << now.error().message;
  EXPECT_LT(now->wal_bytes, 16U << 20);
  EXPECT_EQ(now->last_offset, 3'000);
  EXPECT_EQ(log.everything().size(), 3'000U);
}

TEST(EventLogMaintenance, RetentionGoesByAgeOnlyAsFarAsTheConsumerIs) {
  OpenLog log;
  for (int i = 0; i < 300; ++i) {
    auto event = sample_click("e" + std::to_string(i));
    event.received_time_ms = kSampleTimeMs + i * 1'000;
    log.append_one(event);
  }
  const RetentionRule rule{.max_age = std::chrono::seconds(100), .max_bytes = 1U << 30};
  const auto now = kSampleTimeMs + 300'000;
  EXPECT_EQ(*past_retention(*log, rule, now), std::nullopt);  // nothing is committed
  EXPECT_EQ(remove_through(*log, 1).error().code, core::ErrorCode::kFailedPrecondition);
  log.commit(50);
  EXPECT_EQ(*past_retention(*log, rule, now), std::optional<std::int64_t>(50));
  log.commit(300);
  ASSERT_EQ(*past_retention(*log, rule, now), std::optional<std::int64_t>(200));
  EXPECT_EQ(*remove_through(*log, 200), 200U);
  EXPECT_EQ(*remove_through(*log, 200), 0U);
  EXPECT_EQ(log.everything().size(), 100U);
  EXPECT_EQ(*past_retention(*log, rule, now), std::nullopt);

  const auto gone = core::sync_wait(log->stream().seek({.stream = log->name(), .partition = 0, .offset = 100}, core::Deadline::never()));
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, core::ErrorCode::kNotFound);
  EXPECT_TRUE(core::sync_wait(log->stream().seek({.stream = log->name(), .partition = 0, .offset = 200}, core::Deadline::never())));
  expect_sound(log.folder());
}

TEST(EventLogMaintenance, OffsetsGoOnAfterEverythingWasRemovedAndTheLogWasReopened) {
  OpenLog log;
  for (int i = 0; i < 10; ++i) log.append_one(sample_click("e" + std::to_string(i)));
  log.commit(10);
  ASSERT_EQ(*remove_through(*log, 10), 10U);
  log.reopen();
  EXPECT_EQ(log.append_one(sample_click("e3")), 11);  // the id's time is over with its row
  EXPECT_EQ(figures(*log)->removed_through, 10);
}

TEST(EventLogMaintenance, RetentionGoesBySize) {
  OpenLog log;
  for (int i = 0; i < 40; ++i) {
    std::vector<events::Event> batch;
    for (int j = 0; j < 50; ++j) batch.push_back(sample_click("e" + std::to_string(i * 50 + j)));
    ASSERT_TRUE(log.append(batch));
  }
  log.commit(2'000);
  const auto before = figures(*log);
  const RetentionRule rule{.max_age = std::chrono::hours(24 * 365'000 / 10), .max_bytes = before->used_bytes / 2};
  const auto through = past_retention(*log, rule, kSampleTimeMs);
  ASSERT_TRUE(through) << through.error().message;
  ASSERT_TRUE(through->has_value());
  EXPECT_NEAR(static_cast<double>(**through), 1'000, 150);
  ASSERT_TRUE(remove_through(*log, **through));
  EXPECT_LT(figures(*log)->used_bytes, before->used_bytes * 2 / 3);
}

// Two subjects of which one asks to be forgotten, with a session that became part of it.
struct ForgetCase {
  OpenLog log;
  std::int64_t forget = 0;

  ForgetCase() {
    log.append_one(sample_session_click("s-before-other-login", "laptop"));
    log.append_one(sample_merge("merge-bob", "bob", "laptop"));
    log.append_one(sample_session_click("s1", "laptop"));
    log.append_one(sample_click("a1", "ann-the-forgotten"));
    log.append_one(sample_click("b1", "bob"));
    log.append_one(sample_merge("merge-ann", "ann-the-forgotten", "laptop"));
    auto wish = sample_subject_event(events::EventType::kPreferences, "p1", "ann-the-forgotten");
    wish.personalize = false;
    log.append_one(wish);
    log.append_one(sample_click("a2", "ann-the-forgotten"));
    forget = log.append_one(sample_subject_event(events::EventType::kForget, "forget-ann", "ann-the-forgotten", kSampleTimeMs + 10));
    log.append_one(sample_session_click("s2", "laptop"));
    auto later = sample_click("a3", "ann-the-forgotten");
    later.received_time_ms = kSampleTimeMs + 20;
    log.append_one(later);
  }
  void expect_forgotten(bool forget_is_anonymous) const {
    const auto all = log.everything();
    std::map<std::int64_t, events::Event> by_offset;
    for (const auto& logged : all) by_offset[logged.position.offset] = logged.event;
    ASSERT_EQ(by_offset.size(), 11U);
    for (const std::int64_t offset : {6, 7}) {  // ann's merge and preferences
      const events::Event& event = by_offset.at(offset);
      EXPECT_TRUE(event.event_id.starts_with("scalestyle:anonymous:")) << event.event_id;
      EXPECT_EQ(event.type, events::EventType::kForget);
      EXPECT_FALSE(event.user_id || event.session_id || event.personalize);
    }
    for (const std::int64_t offset : {3, 4, 8}) {
      const events::Event& event = by_offset.at(offset);
      EXPECT_TRUE(event.event_id.starts_with("scalestyle:anonymous:")) << event.event_id;
      EXPECT_FALSE(event.user_id || event.session_id);
      EXPECT_EQ(event.item_id, "0108775015");
      EXPECT_EQ(event.category, "Vest top");
      EXPECT_EQ(event.weight, 1);
      EXPECT_EQ(event.query, "");
      EXPECT_EQ(event.request_id, "");
      EXPECT_EQ(event.position, std::nullopt);
    }
    EXPECT_EQ(by_offset.at(1).session_id->value(), "laptop");  // became bob's before
    EXPECT_EQ(by_offset.at(2).event_id, "merge-bob");
    EXPECT_EQ(by_offset.at(5).event_id, "b1");
    EXPECT_EQ(by_offset.at(forget).user_id.has_value(), !forget_is_anonymous);
    EXPECT_EQ(by_offset.at(10).event_id, "s2");
    EXPECT_EQ(by_offset.at(11).event_id, "a3");
  }
};

TEST(EventLogErasure, ReadersSeeNothingOfTheSubjectWhileItIsPending) {
  ForgetCase test;
  test.expect_forgotten(false);
}

TEST(EventLogErasure, WaitsForTheConsumerThenTellsWhoIsForgottenAndLeavesNoTrace) {
  ForgetCase test;
  OpenLog& log = test.log;
  EXPECT_EQ(*erase_pending(*log, nothing_else), 0U);
  log.commit(test.forget);
  // A scrub that fails leaves it pending.
  EXPECT_FALSE(erase_pending(*log, [](const Forgotten&) { return core::fail(core::ErrorCode::kUnavailable, "away"); }));
  std::vector<Forgotten> told;
  EXPECT_EQ(*erase_pending(*log, [&](const Forgotten& forgotten) {
    told.push_back(forgotten);
    return core::Status{};
  }), 1U);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].subject, (events::Subject{events::SubjectKind::kUser, "ann-the-forgotten"}));
  ASSERT_EQ(told[0].sessions.size(), 1U);
  EXPECT_EQ(told[0].sessions[0].subject.id, "laptop");
  EXPECT_EQ(told[0].sessions[0].above_offset, 2);
  EXPECT_EQ(told[0].sessions[0].merge_offset, 6);
  EXPECT_EQ(told[0].barrier_offset, test.forget);
  EXPECT_EQ(told[0].barrier_ms, kSampleTimeMs + 10);
  test.expect_forgotten(true);
  EXPECT_EQ(*erase_pending(*log, nothing_else), 0U);
  EXPECT_EQ(figures(*log)->pending_erasures, 0U);
  expect_sound(log.folder());
}

TEST(EventLogErasure, TheBytesAreGoneFromTheFiles) {
  OpenLog log;
  for (int i = 0; i < 400; ++i) {
    auto secret = sample_click("id-of-ann-" + std::to_string(i), "ann-the-forgotten");
    secret.query = "what only ann asked";
    log.append_one(secret);
    log.append_one(sample_click("id-of-bob-" + std::to_string(i), "bob"));
  }
  log.commit(log.append_one(sample_subject_event(events::EventType::kForget, "forget-me", "ann-the-forgotten")));
  const auto traces = [&](const std::string& text) {
    return bytes_of_file(log.folder() / "events.db").find(text) != std::string::npos ||
           bytes_of_file(log.folder() / "events.db-wal").find(text) != std::string::npos;
  };
  ASSERT_TRUE(traces("ann-the-forgotten"));
  ASSERT_EQ(*erase_pending(*log, nothing_else), 1U);
  for (const char* text : {"ann-the-forgotten", "what only ann asked", "id-of-ann", "forget-me"}) EXPECT_FALSE(traces(text)) << text;
  EXPECT_TRUE(traces("id-of-bob-399"));
  // The ids are known still.
  EXPECT_TRUE(log.append({sample_click("id-of-ann-7")})->front().duplicate);
}

// As a page keeps the bytes of a row that was moved to another page (page_gaps.hpp).
void plant_old_copy(const std::filesystem::path& path, const std::string& text) {
  auto database = SqliteDatabase::open(path, SqliteMode::kReadWrite).value();
  ASSERT_TRUE(database.checkpoint(SqliteCheckpoint::kTruncate).value().complete);
  const std::int64_t page_bytes = database.integer("PRAGMA page_size").value();
  std::vector<std::uint8_t> page(static_cast<std::size_t>(page_bytes));
  for (std::int64_t begin = 0; begin < database.file_bytes().value(); begin += page_bytes) {
    ASSERT_TRUE(database.read_file(begin, page));
    const auto gap = table_leaf_gap(page, static_cast<std::uint32_t>(begin / page_bytes + 1));
    if (!gap || gap->end - gap->begin < text.size()) continue;
    std::ranges::copy(text, page.begin() + static_cast<std::ptrdiff_t>(gap->begin));
    ASSERT_TRUE(database.write_file(begin, page));
    return;
  }
  FAIL() << "no page has room";
}

TEST(EventLogErasure, OldCopiesOfRowsThatWereMovedAreGoneToo) {
  ForgetCase test;
  const auto path = test.log.folder() / "events.db";
  test.log.close();
  plant_old_copy(path, "an old copy of ann-the-forgotten");
  test.log.reopen();
  test.log.append_one(sample_click("later", "zoe"));
  test.log.commit(test.forget);
  EXPECT_NE(bytes_of_file(path).find("an old copy"), std::string::npos);
  ASSERT_EQ(*erase_pending(*test.log, nothing_else), 1U);
  EXPECT_EQ(bytes_of_file(path).find("an old copy"), std::string::npos);
  // The writer goes on with pages as they are now.
  for (int i = 0; i < 200; ++i) test.log.append_one(sample_click("afterwards-" + std::to_string(i), "zoe"));
  ASSERT_TRUE(checkpoint_wal(*test.log, {.wal_bytes = 1}));
  EXPECT_EQ(bytes_of_file(path).find("an old copy"), std::string::npos);
  expect_sound(test.log.folder());
}

struct Stop : std::runtime_error {
  using std::runtime_error::runtime_error;
};
std::string stop_at;

TEST(EventLogErasure, CanBeStoppedAtEveryStepAndGoesOnAfterARestart) {
  for (const char* point : {"erasure.begin", "erasure.scrubbed", "erasure.slice", "erasure.marked", "erasure.truncated"}) {
    ForgetCase test;
    test.log.commit(test.forget);
    stop_at = point;
    core::set_crash_hook([](std::string_view reached) {
      if (reached == stop_at) throw Stop("stopped");
    });
    EXPECT_THROW((void)erase_pending(*test.log, nothing_else), Stop) << point;
    core::set_crash_hook(nullptr);
    test.log.reopen();
    test.log.commit(test.forget);
    EXPECT_EQ(*erase_pending(*test.log, nothing_else), 1U) << point;
    test.expect_forgotten(true);
    const auto state = core::sync_wait(test.log->wait_erased({.stream = test.log->name(), .partition = 0, .offset = test.forget}, core::Deadline::never()));
    EXPECT_EQ(*state, ports::ErasureState::kErased) << point;
    expect_sound(test.log.folder());
  }
}

TEST(EventLogErasure, WhoWaitsIsTold) {
  ForgetCase test;
  test.log.commit(test.forget);
  std::atomic<int> state{-1};
  std::binary_semaphore done(0);
  core::start(test.log->wait_erased({.stream = test.log->name(), .partition = 0, .offset = test.forget}, core::Deadline::never()),
              [&](const core::Result<ports::ErasureState>& result) {
                state = result ? static_cast<int>(*result) : -2;
                done.release();
              }).detach();
  ASSERT_TRUE(erase_pending(*test.log, nothing_else));
  done.acquire();
  EXPECT_EQ(state, static_cast<int>(ports::ErasureState::kErased));
  EXPECT_EQ(core::sync_wait(test.log->wait_erased({.stream = test.log->name(), .partition = 0, .offset = 5}, core::Deadline::never())).error().code,
            core::ErrorCode::kNotFound);
}

TEST(EventLogErasure, RetentionStopsBelowAPendingErasure) {
  ForgetCase test;
  test.log.commit(11);
  const RetentionRule all{.max_age = std::chrono::milliseconds(1), .max_bytes = 1U << 30};
  EXPECT_EQ(*past_retention(*test.log, all, kSampleTimeMs + 1'000'000), std::optional<std::int64_t>(test.forget - 1));
  EXPECT_EQ(remove_through(*test.log, test.forget).error().code, core::ErrorCode::kFailedPrecondition);
  ASSERT_TRUE(erase_pending(*test.log, nothing_else));
  EXPECT_EQ(*past_retention(*test.log, all, kSampleTimeMs + 1'000'000), std::optional<std::int64_t>(11));
}

std::vector<events::Event> without_positions(const std::vector<events::LoggedEvent>& logged) {
  std::vector<events::Event> events;
  for (const auto& one : logged) events.push_back(one.event);
  return events;
}

std::vector<ImportOutcome> import(OpenLog& log, const std::vector<events::Event>& batch) {
  const auto result = core::sync_wait(log->import(batch, core::Deadline::never()));
  EXPECT_TRUE(result) << result.error().error.message;
  std::vector<ImportOutcome> outcomes;
  for (const auto& one : *result) outcomes.push_back(one.outcome);
  return outcomes;
}

TEST(EventLogImport, AnExportComesBackEqualAndASecondTimeAddsNothing) {
  ForgetCase test;
  test.log.commit(test.forget);
  ASSERT_TRUE(erase_pending(*test.log, nothing_else));
  const auto exported = without_positions(test.log.everything());
  EXPECT_EQ(import(test.log, exported), std::vector<ImportOutcome>(exported.size(), ImportOutcome::kDuplicate));

  OpenLog fresh;
  EXPECT_EQ(import(fresh, exported), std::vector<ImportOutcome>(exported.size(), ImportOutcome::kKept));
  const auto again = fresh.everything();
  ASSERT_EQ(again.size(), exported.size());
  for (std::size_t i = 0; i < again.size(); ++i) EXPECT_EQ(again[i].event, exported[i]);
  EXPECT_EQ(import(fresh, exported), std::vector<ImportOutcome>(exported.size(), ImportOutcome::kDuplicate));
  EXPECT_NE(fresh->name(), test.log->name());
  expect_sound(fresh.folder());
}

TEST(EventLogErasure, ARepetitionOfWhatWasErasedIsStillKnown) {
  ForgetCase test;
  test.log.commit(test.forget);
  ASSERT_TRUE(erase_pending(*test.log, nothing_else));
  auto wish = sample_subject_event(events::EventType::kPreferences, "p1", "ann-the-forgotten");
  wish.personalize = false;
  const auto again = test.log.append({sample_click("a1", "ann-the-forgotten"), sample_merge("merge-ann", "ann-the-forgotten", "laptop"), wish});
  ASSERT_TRUE(again) << again.error().error.message;
  for (const auto& one : *again) EXPECT_TRUE(one.duplicate) << one.position.offset;
  test.expect_forgotten(true);
}

TEST(EventLogImport, EventsOfBeforeABarrierArePassedOverAlsoAfterTheSubjectIsNoLongerKnown) {
  OpenLog log;
  log.commit(log.append_one(sample_subject_event(events::EventType::kForget, "forget", "ann", kSampleTimeMs + 100)));
  ASSERT_EQ(*erase_pending(*log, nothing_else), 1U);
  auto old = sample_click("old", "ann");
  auto young = sample_click("young", "ann");
  young.received_time_ms = kSampleTimeMs + 101;
  EXPECT_EQ(import(log, {old, young, sample_click("other", "bob")}),
            (std::vector{ImportOutcome::kForgotten, ImportOutcome::kKept, ImportOutcome::kKept}));
}

TEST(EventLogImport, AnAnonymousBarrierForgetsWhatTheLogStillHoldsOfItsSubject) {
  ForgetCase test;
  test.log.commit(test.forget);
  ASSERT_TRUE(erase_pending(*test.log, nothing_else));
  const auto exported = without_positions(test.log.everything());

  OpenLog backup;  // from before the request
  backup.append_one(sample_click("kept-in-backup", "ann-the-forgotten"));
  import(backup, {exported[8]});
  EXPECT_EQ(exported[8].type, events::EventType::kForget);
  EXPECT_EQ(figures(*backup)->pending_erasures, 1U);
  backup.commit(2);
  std::string told;
  ASSERT_EQ(*erase_pending(*backup, [&](const Forgotten& forgotten) {
    told = forgotten.subject.id;
    return core::Status{};
  }), 1U);
  EXPECT_EQ(told, "ann-the-forgotten");
  for (const auto& logged : backup.everything()) EXPECT_FALSE(logged.event.user_id);
}

}  // namespace
}  // namespace scalestyle::adapters::embedded
