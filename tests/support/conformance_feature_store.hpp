#pragma once
// What every FeatureStore must do. An adapter's test includes this header and instantiates it:
//   INSTANTIATE_TEST_SUITE_P(Memory, FeatureStoreConformance, ::testing::Values(FeatureStoreFactory{…}));

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <semaphore>
#include <string>
#include <vector>

#include "core/task.hpp"
#include "ports/feature_store.hpp"
#include "support/feature_events.hpp"

namespace scalestyle::support {

// An engine under test. Options are the defaults, its wall clock stands at kFeatureNowMs, its log's stream is "log".
class FeatureStoreEngine {
 public:
  virtual ~FeatureStoreEngine() = default;
  [[nodiscard]] virtual ports::FeatureStore& store() = 0;
  virtual void crash_and_reopen() = 0;        // what is not durable is lost
  [[nodiscard]] virtual core::Deadline soon() = 0;  // a deadline that passes by itself or by let_pass()
  virtual void let_pass() = 0;
  [[nodiscard]] virtual std::string missing() const { return {}; }  // why it cannot be had here: its tests are skipped
};
using FeatureStoreFactory = std::function<std::unique_ptr<FeatureStoreEngine>()>;

// A wait in progress. (The callback has a name: one without linkage cannot be part of a coroutine in a header.)
struct PendingWait {
  struct Callback {
    PendingWait* wait;
    void operator()(core::Result<ports::AppliedState>&& result) const {
      wait->outcome = std::move(result);
      wait->done.release();
    }
  };
  [[nodiscard]] core::Operation start(core::Task<core::Result<ports::AppliedState>> task) {
    return core::start(std::move(task), Callback{this});
  }
  std::binary_semaphore done{0};
  std::optional<core::Result<ports::AppliedState>> outcome{};
};

class FeatureStoreConformance : public ::testing::TestWithParam<FeatureStoreFactory> {
 protected:
  FeatureStoreConformance() : engine_(GetParam()()) {}
  void SetUp() override {
    if (!engine_->missing().empty()) GTEST_SKIP() << engine_->missing();
  }
  ports::FeatureStore& store() { return engine_->store(); }

  void apply(std::vector<events::LoggedEvent> batch) {
    auto shared = std::make_shared<const std::vector<events::LoggedEvent>>(std::move(batch));
    const auto applied = core::sync_wait(store().apply(shared, core::Deadline::never()));
    ASSERT_TRUE(applied) << applied.error().message;
  }
  events::SubjectFeatures read(const events::Subject& subject) {
    auto snapshot = core::sync_wait(store().read(subject, core::Deadline::never()));
    if (!snapshot) ADD_FAILURE() << snapshot.error().message;
    return snapshot ? std::move(snapshot->features) : events::SubjectFeatures();
  }
  std::map<std::string, events::ItemPopularity> popularity() {
    auto changes = core::sync_wait(store().popularity(0, kFeatureNowMs, core::Deadline::never()));
    std::map<std::string, events::ItemPopularity> items;
    if (!changes) ADD_FAILURE() << changes.error().message;
    if (!changes) return items;
    EXPECT_TRUE(changes->complete);
    for (auto& item : changes->items) items.emplace(item.item_id, item);
    return items;
  }
  // Sums may have been made in another order.
  static void expect_same(const events::ItemPopularity& item, const events::ItemPopularity& wanted) {
    constexpr double kRounding = 1e-12;
    EXPECT_EQ(item.item_id, wanted.item_id);
    EXPECT_EQ(item.global.time_ms, wanted.global.time_ms) << item.item_id;
    EXPECT_NEAR(item.global.value, wanted.global.value, kRounding * wanted.global.value) << item.item_id;
    for (std::size_t window = 0; window < item.windows.size(); ++window) {
      EXPECT_NEAR(item.windows[window], wanted.windows[window], kRounding * wanted.windows[window]) << item.item_id;
    }
  }
  std::unique_ptr<FeatureStoreEngine> engine_;
};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(FeatureStoreConformance);

TEST_P(FeatureStoreConformance, AnUnknownSubjectHasNoFeatures) {
  EXPECT_EQ(read(user("nobody")), events::SubjectFeatures());
  EXPECT_TRUE(popularity().empty());
  EXPECT_TRUE(core::sync_wait(store().committed(core::Deadline::never()))->empty());
  EXPECT_EQ(core::sync_wait(store().read(user("nobody"), core::Deadline::never()))->newest_applied_ms, std::nullopt);
}

TEST_P(FeatureStoreConformance, AClickIsARecentItemAnAffinityAndPopularity) {
  const events::EpochMs time = kFeatureNowMs - 60'000;
  apply({logged(1, click("ann", "0000000001", "Dress", time)), logged(2, purchase("ann", "0000000002", "Dress", time + 1))});
  const events::SubjectFeatures features = read(user("ann"));
  const std::vector<events::RecentItem> recent = {{"0000000002", time + 1, events::EventType::kPurchase},
                                                  {"0000000001", time, events::EventType::kClick}};
  EXPECT_EQ(features.recent_items, recent);
  EXPECT_EQ(features.last_event_ms, time + 1);
  ASSERT_EQ(features.affinities.size(), 1U);
  EXPECT_EQ(features.affinities[0].category, "Dress");
  EXPECT_NEAR(features.affinities[0].score.value_at(kFeatureNowMs, events::FeatureOptions().affinity_half_life_seconds), 6, 1e-3);
  const auto items = popularity();
  ASSERT_EQ(items.size(), 2U);
  EXPECT_EQ(items.at("0000000001").windows, (std::array<double, 3>{1, 1, 1}));
  EXPECT_EQ(items.at("0000000002").windows, (std::array<double, 3>{5, 5, 5}));
  EXPECT_NEAR(items.at("0000000002").global.value, 5, 1e-12);
  EXPECT_EQ(core::sync_wait(store().read(user("other"), core::Deadline::never()))->newest_applied_ms, time + 1);
}

TEST_P(FeatureStoreConformance, AUserAndASessionOfOneIdAreTwoSubjects) {
  apply({logged(1, click("same", "1", "Dress", kFeatureNowMs - 5)), logged(2, session_click("same", "2", "Shirt", kFeatureNowMs - 4))});
  EXPECT_EQ(read(user("same")).recent_items.at(0).item_id, "1");
  EXPECT_EQ(read(session("same")).recent_items.at(0).item_id, "2");
}

TEST_P(FeatureStoreConformance, WhateverIsGivenAgainCountsOnce) {
  const auto all = sample_events(60, kFeatureNowMs - 1'000'000, 5);
  apply(all);
  const auto wanted = popularity();
  const events::SubjectFeatures wanted_features = read(user("u1"));
  ASSERT_FALSE(wanted_features.recent_items.empty());
  // A fresh engine, and every prefix given again before going on.
  engine_ = GetParam()();
  for (std::size_t end = 1; end <= all.size(); ++end) {
    apply({all.begin() + static_cast<std::ptrdiff_t>(end / 2), all.begin() + static_cast<std::ptrdiff_t>(end)});
    apply({all.begin(), all.begin() + static_cast<std::ptrdiff_t>(end)});
    if (end == 20) {
      ASSERT_TRUE(core::sync_wait(store().checkpoint(core::Deadline::never())));
    }
    if (end == 30 || end == 40) engine_->crash_and_reopen();
    if (end == 30 || end == 40) apply({all.begin(), all.begin() + static_cast<std::ptrdiff_t>(end)});
  }
  const auto items = popularity();
  ASSERT_EQ(items.size(), wanted.size());
  for (const auto& [id, item] : items) expect_same(item, wanted.at(id));
  EXPECT_EQ(read(user("u1")), wanted_features);
}

TEST_P(FeatureStoreConformance, ACheckpointOutlivesACrashTogetherWithItsPosition) {
  apply({logged(3, click("ann", "1", "Dress", kFeatureNowMs - 9)), logged(7, click("ann", "2", "Dress", kFeatureNowMs - 8))});
  const auto positions = core::sync_wait(store().checkpoint(core::Deadline::never()));
  ASSERT_TRUE(positions) << positions.error().message;
  EXPECT_EQ(*positions, (std::vector<events::EventPosition>{{"log", 0, 7}}));
  engine_->crash_and_reopen();
  EXPECT_EQ(*core::sync_wait(store().committed(core::Deadline::never())), *positions);
  EXPECT_EQ(read(user("ann")).recent_items.size(), 2U);
  EXPECT_EQ(popularity().size(), 2U);
}

TEST_P(FeatureStoreConformance, AMergeMovesASessionIntoItsUser) {
  const events::EpochMs time = kFeatureNowMs - 100;
  apply({logged(1, session_click("s", "1", "Dress", time)), logged(2, click("ann", "2", "Dress", time + 1)),
         logged(3, merge("ann", "s", time + 2))});
  EXPECT_EQ(read(session("s")), events::SubjectFeatures());
  const events::SubjectFeatures merged = read(user("ann"));
  EXPECT_EQ(merged.recent_items, (std::vector<events::RecentItem>{{"2", time + 1, events::EventType::kClick}, {"1", time, events::EventType::kClick}}));
  ASSERT_EQ(merged.affinities.size(), 1U);
  EXPECT_NEAR(merged.affinities[0].score.value, 2, 1e-6);
  apply({logged(3, merge("ann", "s", time + 2)), logged(4, merge("ann", "s", time + 3))});
  EXPECT_EQ(read(user("ann")), merged);
  EXPECT_EQ(popularity().size(), 2U) << "popularity is the items' own";
}

TEST_P(FeatureStoreConformance, ForgetIsABarrierForTheSubjectAlone) {
  const events::EpochMs time = kFeatureNowMs - 100;
  apply({logged(1, click("ann", "1", "Dress", time)), logged(2, click("bob", "1", "Dress", time)),
         logged(3, preferences("ann", false, time)), logged(4, forget("ann", time + 1))});
  EXPECT_EQ(read(user("ann")), events::SubjectFeatures());
  EXPECT_EQ(read(user("bob")).recent_items.size(), 1U);
  EXPECT_EQ(popularity().at("1").windows[0], 2);
  apply({logged(1, click("ann", "1", "Dress", time)), logged(5, click("ann", "2", "Dress", time + 2))});
  EXPECT_EQ(read(user("ann")).recent_items.size(), 1U);
}

TEST_P(FeatureStoreConformance, AWishNotToBePersonalisedIsKept) {
  apply({logged(1, preferences("ann", false, kFeatureNowMs - 2))});
  EXPECT_FALSE(read(user("ann")).personalize);
  apply({logged(2, click("ann", "1", "Dress", kFeatureNowMs - 1))});
  EXPECT_FALSE(read(user("ann")).personalize);
  EXPECT_EQ(read(user("ann")).recent_items.size(), 1U);
  apply({logged(3, preferences("ann", true, kFeatureNowMs))});
  EXPECT_TRUE(read(user("ann")).personalize);
}

TEST_P(FeatureStoreConformance, AnEventWhoseSubjectWasErasedStillCountsForItsItem) {
  events::Event anonymous = click("ann", "1", "Dress", kFeatureNowMs - 1);
  anonymous.user_id.reset();
  anonymous.event_id.clear();
  events::Event gone = forget("ann", kFeatureNowMs);
  gone.user_id.reset();
  apply({logged(1, anonymous), logged(2, gone)});
  EXPECT_EQ(read(user("ann")), events::SubjectFeatures());
  EXPECT_EQ(popularity().at("1").windows[0], 1);
}

TEST_P(FeatureStoreConformance, ASessionThatWasQuietForItsTimeToLiveIsGone) {
  const events::EpochMs old = kFeatureNowMs - events::FeatureOptions().session_ttl_seconds * 1'000;
  apply({logged(1, session_click("old", "1", "Dress", old - 1)), logged(2, session_click("young", "1", "Dress", old))});
  EXPECT_EQ(read(session("old")), events::SubjectFeatures());
  EXPECT_EQ(read(session("young")).recent_items.size(), 1U);
}

TEST_P(FeatureStoreConformance, PopularityTellsWhatChanged) {
  apply({logged(1, click("ann", "1", "Dress", kFeatureNowMs - 5)), logged(2, click("ann", "2", "Dress", kFeatureNowMs - 4))});
  const auto all = core::sync_wait(store().popularity(0, kFeatureNowMs, core::Deadline::never()));
  ASSERT_TRUE(all);
  EXPECT_TRUE(all->complete);
  EXPECT_EQ(all->items.size(), 2U);
  const auto nothing = core::sync_wait(store().popularity(all->version, kFeatureNowMs, core::Deadline::never()));
  ASSERT_TRUE(nothing);
  EXPECT_FALSE(nothing->complete);
  EXPECT_TRUE(nothing->items.empty());
  apply({logged(3, click("bob", "2", "Dress", kFeatureNowMs - 3)), logged(4, click("bob", "2", "Dress", kFeatureNowMs - 2))});
  const auto one = core::sync_wait(store().popularity(nothing->version, kFeatureNowMs, core::Deadline::never()));
  ASSERT_TRUE(one);
  EXPECT_FALSE(one->complete);
  ASSERT_EQ(one->items.size(), 1U);
  EXPECT_EQ(one->items[0].item_id, "2");
  EXPECT_EQ(one->items[0].windows[0], 3);
  // Two hours later all of it has left the shortest window, without any event.
  const auto later = core::sync_wait(store().popularity(one->version, kFeatureNowMs + 7'200'000, core::Deadline::never()));
  ASSERT_TRUE(later);
  ASSERT_EQ(later->items.size(), 2U);
  for (const auto& item : later->items) EXPECT_EQ(item.windows[0], 0) << item.item_id;
}

TEST_P(FeatureStoreConformance, WaitingEndsWithTheEventItself) {
  apply({logged(1, click("ann", "1", "Dress", kFeatureNowMs - 5))});
  EXPECT_TRUE(core::sync_wait(store().wait_applied({"log", 0, 1}, core::Deadline::never()))->reached);
  PendingWait wait;
  auto waiting = wait.start(store().wait_applied({"log", 0, 3}, core::Deadline::never()));
  apply({logged(2, click("ann", "2", "Dress", kFeatureNowMs - 4))});
  EXPECT_FALSE(wait.done.try_acquire());
  apply({logged(3, click("ann", "3", "Dress", kFeatureNowMs - 3))});
  wait.done.acquire();
  waiting.detach();
  ASSERT_TRUE(*wait.outcome);
  EXPECT_TRUE((*wait.outcome)->reached);
  EXPECT_EQ((*wait.outcome)->newest_applied_ms, kFeatureNowMs - 3);
}

TEST_P(FeatureStoreConformance, WaitingEndsAtTheDeadlineAndAtOnceForAnotherLog) {
  apply({logged(1, click("ann", "1", "Dress", kFeatureNowMs - 5))});
  EXPECT_FALSE(core::sync_wait(store().wait_applied({"other", 0, 1}, core::Deadline::never()))->reached);
  PendingWait wait;
  auto waiting = wait.start(store().wait_applied({"log", 0, 9}, engine_->soon()));
  engine_->let_pass();
  wait.done.acquire();
  waiting.detach();
  ASSERT_TRUE(*wait.outcome);
  EXPECT_FALSE((*wait.outcome)->reached);
  EXPECT_EQ((*wait.outcome)->newest_applied_ms, kFeatureNowMs - 5);
}

TEST_P(FeatureStoreConformance, ADroppedWaitIsOver) {
  PendingWait wait;
  {
    const auto dropped = wait.start(store().wait_applied({"log", 0, 1}, core::Deadline::never()));
  }
  apply({logged(1, click("ann", "1", "Dress", kFeatureNowMs - 5))});
  EXPECT_TRUE(core::sync_wait(store().wait_applied({"log", 0, 1}, core::Deadline::never()))->reached);
  EXPECT_FALSE(wait.outcome.has_value());
}

}  // namespace scalestyle::support
