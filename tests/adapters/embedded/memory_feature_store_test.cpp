// MemoryFeatureStore: the port's conformance suite, and what is its own: bounds, expiry, files.

#include "adapters/embedded/memory_feature_store.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <semaphore>
#include <string>

#include "adapters/embedded/feature_file.hpp"
#include "feature_store_support.hpp"
#include "support/conformance_feature_store.hpp"

namespace scalestyle::support {
namespace {

using adapters::embedded::read_feature_file_info;
using adapters::embedded::scrub_subject;
constexpr events::EpochMs kDayMs = 86'400'000;

class MemoryFeatureStoreEngine final : public FeatureStoreEngine {
 public:
  ports::FeatureStore& store() override { return *fixture_; }
  void crash_and_reopen() override { fixture_.reopen(); }
  core::Deadline soon() override { return core::Deadline::after(std::chrono::milliseconds(50), fixture_.clock()); }
  void let_pass() override {
    fixture_.clock().advance(std::chrono::milliseconds(51));
    fixture_.run_timers();
  }

 private:
  FeatureStoreFixture fixture_;
};

INSTANTIATE_TEST_SUITE_P(Memory, FeatureStoreConformance, ::testing::Values(FeatureStoreFactory([] {
                           return std::make_unique<MemoryFeatureStoreEngine>();
                         })));

std::string content(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string all_bytes(const FeatureStoreFixture& store) {
  std::string bytes;
  for (const auto& entry : std::filesystem::directory_iterator(store.folder())) bytes += content(entry.path());
  return bytes;
}

TEST(MemoryFeatureStoreTest, ExpiryGoesByTheReceiptOfEventsAndReadingByTheClock) {
  FeatureStoreFixture store;
  store.apply({logged(1, click("ann", "1", "Dress", kFeatureNowMs)), logged(2, session_click("s", "1", "Dress", kFeatureNowMs)),
               logged(3, preferences("bob", false, kFeatureNowMs)), logged(4, click("bob", "1", "Dress", kFeatureNowMs))});
  EXPECT_EQ(store->usage().subjects, 3U);
  store.clock().advance(std::chrono::hours(1));
  EXPECT_TRUE(store.read(session("s")).recent_items.empty()) << "hidden by the clock";
  EXPECT_EQ(store->usage().subjects, 3U) << "and still there";
  store.apply({logged(5, click("eve", "2", "Dress", kFeatureNowMs + 3'600'000))});
  EXPECT_EQ(store->usage().subjects, 3U) << "the session is gone, eve is new";
  EXPECT_EQ(store->usage().expired_subjects, 1U);

  const events::EpochMs later = kFeatureNowMs + events::FeatureOptions().user_ttl_seconds * 1'000 + 2 * kDayMs;
  store.apply({logged(6, click("zoe", "3", "Dress", later))});
  EXPECT_EQ(store.read(user("ann")), events::SubjectFeatures());
  EXPECT_FALSE(store.read(user("bob")).personalize) << "a wish outlives what it was about";
  EXPECT_TRUE(store.read(user("bob")).recent_items.empty());
  EXPECT_EQ(store->usage().subjects, 2U);
  EXPECT_EQ(store->usage().items, 1U) << "items without events for 60 days are gone";
}

TEST(MemoryFeatureStoreTest, AnIdleNightIsClearedAwayAFewAtATimeAndNeverSeen) {
  FeatureStoreFixture store;
  std::vector<events::LoggedEvent> batch;
  for (int i = 0; i < 100; ++i) batch.push_back(logged(i, session_click("s" + std::to_string(i), "1", "Dress", kFeatureNowMs)));
  store.apply(batch);
  const events::EpochMs morning = kFeatureNowMs + kDayMs / 2;
  store.apply({logged(100, session_click("s99", "2", "Dress", morning))});
  EXPECT_EQ(store->usage().subjects, 84U);
  EXPECT_EQ(store.read(session("s99")).recent_items.size(), 1U) << "what it had before the night had expired";
  for (int i = 1; i <= 7; ++i) store.apply({logged(100 + i, session_click("day", "2", "Dress", morning))});
  EXPECT_EQ(store->usage().subjects, 2U);
}

TEST(MemoryFeatureStoreTest, ARevivedSubjectDoesNotComeBackWithWhatHadExpired) {
  FeatureStoreFixture store;
  const events::EpochMs next = kFeatureNowMs + 2'000'000;
  store.apply({logged(1, session_click("s", "1", "Dress", kFeatureNowMs)), logged(2, session_click("s", "2", "Dress", next))});
  const auto features = store.read(session("s"));
  ASSERT_EQ(features.recent_items.size(), 1U);
  EXPECT_EQ(features.recent_items[0].item_id, "2");
}

TEST(MemoryFeatureStoreTest, AClockThatWasWrongOnceDoesNoLastingHarm) {
  FeatureStoreFixture store;
  store.apply({logged(1, click("ann", "1", "Dress", kFeatureNowMs + 100'000 * kDayMs))});
  store.apply({logged(2, session_click("s", "2", "Dress", kFeatureNowMs)), logged(3, session_click("s", "3", "Dress", kFeatureNowMs + 1))});
  EXPECT_EQ(store.read(session("s")).recent_items.size(), 2U);
}

TEST(MemoryFeatureStoreTest, TheLeastRecentlyActiveGoForLackOfMemory) {
  events::FeatureOptions options;
  options.max_memory_bytes = 1u << 20;
  FeatureStoreFixture store(options);
  store.apply({logged(0, preferences("u1", false, kFeatureNowMs - 10))});
  for (int i = 1; i <= 20'000; ++i) {
    store.apply({logged(i, click("u" + std::to_string(i), std::to_string(i % 50), "Dress", kFeatureNowMs + i))});
    ASSERT_LE(store->usage().memory_bytes, options.max_memory_bytes);
  }
  const auto usage = store->usage();
  EXPECT_GT(usage.subjects, 5'000U);
  EXPECT_EQ(usage.subjects + usage.evicted_subjects, 20'001U) << "u1's features went, their wish stayed";
  EXPECT_EQ(usage.items, 50U);
  EXPECT_EQ(store.read(user("u20000")).recent_items.size(), 1U);
  EXPECT_TRUE(store.read(user("u2")).recent_items.empty());
  EXPECT_TRUE(store.read(user("u1")).recent_items.empty());
  EXPECT_FALSE(store.read(user("u1")).personalize);
  // Exactly the most recent ones are left.
  const auto oldest = static_cast<int>(20'000 - usage.subjects + 2);
  EXPECT_TRUE(store.read(user("u" + std::to_string(oldest - 1))).recent_items.empty());
  EXPECT_FALSE(store.read(user("u" + std::to_string(oldest))).recent_items.empty());
  EXPECT_NE(store.metrics().render().find("scalestyle_features_evicted_total{kind=\"subject\"}"), std::string::npos);
}

TEST(MemoryFeatureStoreTest, ItemsTakeAtMostHalfOfTheMemory) {
  events::FeatureOptions options;
  options.max_memory_bytes = 1u << 20;
  FeatureStoreFixture store(options);
  store.apply({logged(0, click("ann", "0", "Dress", kFeatureNowMs))});
  const auto before = core::sync_wait(store->popularity(0, kFeatureNowMs, core::Deadline::never()));
  std::vector<events::LoggedEvent> batch;
  for (int i = 1; i <= 5'000; ++i) {
    auto event = click("ann", std::to_string(i), "Dress", kFeatureNowMs + i);
    event.user_id.reset();
    batch.push_back(logged(i, event));
  }
  store.apply(batch);
  EXPECT_GT(store->usage().evicted_items, 3'000U);
  EXPECT_GT(store->usage().items, 500U);
  EXPECT_EQ(store.read(user("ann")).recent_items.size(), 1U);
  const auto after = core::sync_wait(store->popularity(before->version, kFeatureNowMs, core::Deadline::never()));
  EXPECT_TRUE(after->complete) << "readers must learn of items that went";
}

TEST(MemoryFeatureStoreTest, ADamagedFileIsDataLossAndOtherOptionsNameTheRebuild) {
  FeatureStoreFixture store;
  store.apply(sample_events(3'000, kFeatureNowMs - 4'000'000, 1));
  ASSERT_TRUE(store->checkpoint_now());
  store.close();
  const std::string good = content(store.path());
  ASSERT_GT(good.size(), 20'000U);
  const auto open_with = [&](const std::string& bytes) {
    std::ofstream(store.path(), std::ios::binary | std::ios::trunc) << bytes;
    for (const char* suffix : {"-wal", "-shm"}) std::filesystem::remove(store.path().string() + suffix);
    return store.try_open();
  };
  ASSERT_TRUE(open_with(good));
  // Wherever a page is overwritten, nothing that differs is ever loaded.
  std::size_t refused = 0;
  for (std::size_t at = 0; at + 4'096 <= good.size(); at += 4'096) {
    std::string damaged = good;
    for (std::size_t i = 0; i < 200; ++i) damaged[at + 2'000 + i * 9] = static_cast<char>(~damaged[at + 2'000 + i * 9]);
    store.close();
    const auto opened = open_with(damaged);
    if (!opened) {
      EXPECT_EQ(opened.error().code, core::ErrorCode::kDataLoss) << opened.error().message;
      EXPECT_NE(opened.error().message.find("features.db"), std::string::npos);
      ++refused;
    }
  }
  EXPECT_GT(refused, good.size() / 4'096 / 2);
  for (const std::string& bytes : {good.substr(0, good.size() / 2), std::string(5'000, 'x')}) {
    const auto opened = open_with(bytes);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, core::ErrorCode::kDataLoss) << opened.error().message;
  }
  std::ofstream(store.path(), std::ios::binary | std::ios::trunc) << good;
  events::FeatureOptions other;
  other.max_affinities = 5;
  const auto opened = store.try_open(store.path(), other);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, core::ErrorCode::kFailedPrecondition);
  EXPECT_NE(opened.error().message.find("scalestyle events rebuild"), std::string::npos);
}

TEST(MemoryFeatureStoreTest, ACopyOpensLikeTheOriginalAndTellsItsPosition) {
  FeatureStoreFixture store;
  store.apply(sample_events(500, kFeatureNowMs - 1'000'000, 2));
  ASSERT_TRUE(store->checkpoint_now());
  const auto copy = store.folder() / "features.next.db";
  std::ofstream(copy) << "what was there before";
  const auto positions = store->copy_to(copy);
  ASSERT_TRUE(positions) << positions.error().message;
  EXPECT_EQ(*positions, store->applied());
  const auto info = read_feature_file_info(copy);
  ASSERT_TRUE(info) << info.error().message;
  EXPECT_EQ(info->positions, *positions);
  EXPECT_EQ(info->subjects, store->usage().subjects);
  EXPECT_EQ(info->items, store->usage().items);
  EXPECT_EQ(info->options, adapters::embedded::fingerprint(store->options()));
  auto opened = store.try_open(copy, store->options());
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_EQ(difference(*store, **opened), "");
  EXPECT_FALSE(std::filesystem::exists(copy.string() + ".new"));
  EXPECT_EQ(read_feature_file_info(store.folder() / "missing.db").error().code, core::ErrorCode::kNotFound);
}

TEST(MemoryFeatureStoreTest, AForgottenSubjectLeavesNoBytes) {
  const std::string secret = "a-very-identifying-name@example.org";
  FeatureStoreFixture store;
  auto batch = sample_events(500, kFeatureNowMs - 1'000'000, 3);
  batch.push_back(logged(5'000, click(secret, "7", "Dress", kFeatureNowMs)));
  store.apply(batch);
  ASSERT_TRUE(store->checkpoint_now());
  const auto copy = store.folder() / "features.horizon.db";
  ASSERT_TRUE(store->copy_to(copy));
  ASSERT_NE(content(store.path()).find(secret), std::string::npos);
  ASSERT_NE(content(copy).find(secret), std::string::npos);
  store.apply({logged(5'001, forget(secret, kFeatureNowMs + 1))});
  ASSERT_TRUE(store->scrub_now());
  const auto scrubbed = scrub_subject(copy, user(secret));
  ASSERT_TRUE(scrubbed) << scrubbed.error().message;
  EXPECT_TRUE(scrub_subject(copy, user(secret))) << "once more changes nothing";
  EXPECT_TRUE(scrub_subject(store.folder() / "missing.db", user(secret)));
  EXPECT_EQ(all_bytes(store).find(secret), std::string::npos);
  auto opened = store.try_open(copy, store->options());
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_EQ((*opened)->usage().subjects, store->usage().subjects);
}

TEST(MemoryFeatureStoreTest, TheDifferenceOfTwoStoresIsToldInWords) {
  FeatureStoreFixture left;
  FeatureStoreFixture right;
  EXPECT_EQ(difference(*left, *right), "");
  left.apply({logged(1, click("ann", "1", "Dress", kFeatureNowMs))});
  EXPECT_EQ(difference(*left, *right), "positions applied: log/0/1 and none");
  right.apply({logged(1, click("ann", "2", "Dress", kFeatureNowMs))});
  EXPECT_EQ(difference(*left, *right), "item 1: only in the first");
  left.apply({logged(2, click("bob", "2", "Dress", kFeatureNowMs))});
  right.apply({logged(2, click("ann", "1", "Dress", kFeatureNowMs))});
  EXPECT_EQ(difference(*left, *right), "u:ann: recent item 2: none and click 2 at 1772366400000");
}

TEST(MemoryFeatureStoreTest, CheckpointRunsWhereItIsTold) {
  FeatureStoreFixture store;
  store.apply(sample_events(50, kFeatureNowMs - 1'000'000, 4));
  const auto expired = core::Deadline::at(store.clock().steady_now());
  EXPECT_EQ(core::sync_wait(store->checkpoint(expired)).error().code, core::ErrorCode::kDeadlineExceeded);
  EXPECT_EQ(core::sync_wait(store->read(user("u1"), expired)).error().code, core::ErrorCode::kDeadlineExceeded);
  EXPECT_EQ(*core::sync_wait(store->checkpoint(core::Deadline::never())), store->applied());
  EXPECT_EQ(*core::sync_wait(store->checkpoint(core::Deadline::never())), store->applied()) << "nothing to write";
}

}  // namespace
}  // namespace scalestyle::support
