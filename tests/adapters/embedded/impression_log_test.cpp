#include "adapters/embedded/impression_log.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "core/task.hpp"
#include "support/compute_threads.hpp"
#include "support/fault_vfs.hpp"
#include "support/temporary_folder.hpp"

namespace scalestyle::adapters::embedded {
namespace {

constexpr events::EpochMs kTimeMs = 1'772'366'400'000;

events::Impression impression(const std::string& request, const std::string& user, events::EpochMs time_ms = kTimeMs) {
  events::Impression shown;
  shown.request_id = request;
  shown.user_id = core::UserId(user);
  shown.session_id = core::SessionId("session-of-" + user);
  shown.time_ms = time_ms;
  shown.query = "query of " + user;
  shown.generation = "g1";
  shown.personalized = true;
  shown.arms = {{"ranking", "b"}};
  shown.items = {{"0108775015", 1}, {"0108775044", 2}};
  return shown;
}

class Impressions : public ::testing::Test {
 protected:
  std::unique_ptr<SqliteImpressionLog> open(SqliteImpressionLog::Options options = {}) {
    options.folder = folder_.path();
    auto opened = SqliteImpressionLog::open(options, threads_.pool(), metrics_);
    EXPECT_TRUE(opened) << opened.error().message;
    return std::move(*opened);
  }
  static std::vector<events::Impression> history(SqliteImpressionLog& log, const events::Subject& subject, std::size_t limit = 100) {
    auto found = core::sync_wait(log.history(subject, limit, core::Deadline::never()));
    EXPECT_TRUE(found) << found.error().message;
    return *found;
  }
  bool on_disk(const std::string& text) {
    for (const char* name : {"impressions.db", "impressions.db-wal"}) {
      std::ifstream file(folder_ / name, std::ios::binary);
      const std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
      if (bytes.find(text) != std::string::npos) return true;
    }
    return false;
  }

  support::FaultVfs vfs_;
  support::TemporaryFolder folder_;
  support::ComputeThreads threads_;
  telemetry::Metrics metrics_;
};

const events::Subject kAnn{events::SubjectKind::kUser, "ann"};

TEST_F(Impressions, AreKeptUnchangedAndFoundByRequestUserAndSession) {
  const auto first = impression("r1", "ann", kTimeMs);
  const auto second = impression("r2", "ann", kTimeMs + 5);
  {
    auto log = open();
    ASSERT_TRUE(log->note(first));
    EXPECT_EQ(*log->find("r1"), std::optional(first));  // queued still
    ASSERT_TRUE(log->flush());
    ASSERT_TRUE(log->note(second));
    ASSERT_TRUE(log->note(impression("r3", "bob")));
    ASSERT_TRUE(log->flush());
  }
  auto log = open();
  EXPECT_EQ(*log->find("r1"), std::optional(first));
  EXPECT_EQ(*log->find("r9"), std::nullopt);
  EXPECT_EQ(history(*log, kAnn), (std::vector{second, first}));
  EXPECT_EQ(history(*log, kAnn, 1), std::vector{second});
  EXPECT_EQ(history(*log, {events::SubjectKind::kSession, "session-of-bob"}).size(), 1U);
  EXPECT_TRUE(history(*log, {events::SubjectKind::kUser, "session-of-bob"}).empty());
}

TEST_F(Impressions, AFullQueueDropsAndCounts) {
  auto log = open({.max_queued = 2});
  EXPECT_TRUE(log->note(impression("r1", "ann")));
  EXPECT_TRUE(log->note(impression("r2", "ann")));
  EXPECT_FALSE(log->note(impression("r3", "ann")));
  ASSERT_TRUE(log->flush());
  EXPECT_TRUE(log->note(impression("r4", "ann")));
  EXPECT_NE(metrics_.render().find("scalestyle_impressions_dropped_total{reason=\"full\"} 1"), std::string::npos);
  auto small = SqliteImpressionLog::Options{.max_queued_bytes = 10};
  log.reset();
  EXPECT_FALSE(open(small)->note(impression("r5", "ann")));
}

TEST_F(Impressions, GoByAge) {
  auto log = open({.max_age = std::chrono::seconds(10)});
  for (int i = 0; i < 2'500; ++i) ASSERT_TRUE(log->note(impression("r" + std::to_string(i), "ann", kTimeMs + i * 10)));
  ASSERT_TRUE(log->flush());
  EXPECT_EQ(*log->retain(kTimeMs + 25'000), 1'500U);
  EXPECT_EQ(*log->find("r1499"), std::nullopt);
  EXPECT_TRUE(log->find("r1500")->has_value());
  EXPECT_EQ(*log->retain(kTimeMs + 25'000), 0U);
}

TEST_F(Impressions, GoBySizeOldestFirst) {
  auto log = open({.max_bytes = 800'000});
  for (int i = 0; i < 4'000; ++i) ASSERT_TRUE(log->note(impression("r" + std::to_string(i), "ann", kTimeMs + i)));
  ASSERT_TRUE(log->flush());
  const auto removed = log->retain(kTimeMs);
  ASSERT_TRUE(removed) << removed.error().message;
  EXPECT_GT(*removed, 1'000U);
  EXPECT_LT(*removed, 4'000U);
  EXPECT_EQ(*log->find("r0"), std::nullopt);
  EXPECT_TRUE(log->find("r3999")->has_value());
}

TEST_F(Impressions, ErasingASubjectTakesItsRecordsQueuedOnesTooAndTheirBytes) {
  auto log = open();
  for (int i = 0; i < 300; ++i) {
    ASSERT_TRUE(log->note(impression("a" + std::to_string(i), "ann")));
    ASSERT_TRUE(log->note(impression("b" + std::to_string(i), "bob")));
  }
  ASSERT_TRUE(log->flush());
  ASSERT_TRUE(log->note(impression("queued", "ann")));
  ASSERT_TRUE(log->note(impression("later", "ann", kTimeMs + 1)));
  ASSERT_TRUE(on_disk("query of ann"));
  ASSERT_TRUE(log->erase(kAnn, kTimeMs));
  EXPECT_FALSE(on_disk("query of ann"));
  ASSERT_TRUE(log->flush());
  const auto left = history(*log, kAnn);
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left[0].request_id, "later");
  EXPECT_EQ(history(*log, {events::SubjectKind::kUser, "bob"}, 1'000).size(), 300U);
}

TEST_F(Impressions, AFullDiskDropsTheRecordsAndTheLogGoesOn) {
  auto log = open({.vfs = vfs_.name()});
  ASSERT_TRUE(log->note(impression("r1", "ann")));
  vfs_.set_space(100);
  const auto full = log->flush();
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, core::ErrorCode::kResourceExhausted);
  vfs_.set_space_unlimited();
  ASSERT_TRUE(log->note(impression("r2", "ann")));
  ASSERT_TRUE(log->flush());
  EXPECT_EQ(history(*log, kAnn).size(), 1U);
  EXPECT_NE(metrics_.render().find("scalestyle_impressions_dropped_total{reason=\"failed\"} 1"), std::string::npos);
  log.reset();
}

TEST_F(Impressions, APowerCutLeavesAFileThatOpens) {
  for (unsigned seed = 1; seed <= 10; ++seed) {
    auto log = open({.vfs = vfs_.name()});
    EXPECT_EQ(log->restarted(), "");
    for (int i = 0; i < 200; ++i) ASSERT_TRUE(log->note(impression("r" + std::to_string(i), "ann")));
    ASSERT_TRUE(log->flush());
    vfs_.cut_power();
    log.reset();
    vfs_.restore(seed);
  }
  EXPECT_EQ(open()->restarted(), "");
}

TEST_F(Impressions, ADamagedFileIsPutAsideAndSaidSo) {
  std::ofstream(folder_ / "impressions.db") << std::string(5'000, 'x');
  auto log = open();
  EXPECT_NE(log->restarted(), "");
  EXPECT_TRUE(std::filesystem::exists(folder_ / "impressions.db.damaged"));
  ASSERT_TRUE(log->note(impression("r1", "ann")));
  ASSERT_TRUE(log->flush());
  EXPECT_EQ(history(*log, kAnn).size(), 1U);
}

}  // namespace
}  // namespace scalestyle::adapters::embedded
