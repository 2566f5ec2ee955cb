#include "adapters/embedded/catalog_change_log.hpp"

#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/embedded/sqlite_database.hpp"
#include "core/clock.hpp"
#include "core/crash_point.hpp"
#include "core/disk_full.hpp"
#include "support/conformance_catalog_changes.hpp"
#include "support/fake_catalog_changes.hpp"
#include "support/fault_vfs.hpp"
#include "support/temporary_folder.hpp"

namespace scalestyle::adapters::embedded {
namespace {

class SqliteEngine final : public support::CatalogChangesEngine {
 public:
  SqliteEngine() { reopen(); }
  ports::CatalogChanges& changes() override { return *changes_; }
  void reopen() override {
    changes_.reset();
    changes_ = SqliteCatalogChanges::open({.folder = folder_.path()}, clock_).value();
  }

 private:
  core::SystemClock clock_;
  support::TemporaryFolder folder_;
  std::unique_ptr<SqliteCatalogChanges> changes_;
};

class FakeEngine final : public support::CatalogChangesEngine {
 public:
  ports::CatalogChanges& changes() override { return changes_; }
  void reopen() override {}

 private:
  support::FakeCatalogChanges changes_;
};

}  // namespace
}  // namespace scalestyle::adapters::embedded

namespace scalestyle::support {
namespace {

using adapters::embedded::FakeEngine;
using adapters::embedded::SqliteEngine;

INSTANTIATE_TEST_SUITE_P(Sqlite, CatalogChangesConformance,
                         ::testing::Values(CatalogChangesFactory{[] { return std::make_unique<SqliteEngine>(); }}));
INSTANTIATE_TEST_SUITE_P(Fake, CatalogChangesConformance,
                         ::testing::Values(CatalogChangesFactory{[] { return std::make_unique<FakeEngine>(); }}));

}  // namespace
}  // namespace scalestyle::support

namespace scalestyle::adapters::embedded {
namespace {

class CatalogChangeLogTest : public testing::Test {
 protected:
  static catalog::ArticleChange price(int number, double value) {
    return {.id = catalog::ArticleId::parse(std::to_string(number)).value(), .sets_price = true, .price = value};
  }
  [[nodiscard]] core::Result<std::unique_ptr<SqliteCatalogChanges>> open(std::size_t max_changes = 500'000) {
    return SqliteCatalogChanges::open({.folder = folder_.path(), .max_changes = max_changes}, clock_);
  }
  static std::expected<std::int64_t, ports::AppendFailure> append(SqliteCatalogChanges& log, std::vector<catalog::ArticleChange> changes) {
    return core::sync_wait(log.append({.changes = std::move(changes)}, core::Deadline::never()));
  }

  core::SystemClock clock_;
  support::TemporaryFolder folder_;
};

TEST_F(CatalogChangeLogTest, OneProcessWrites) {
  const auto log = open();
  ASSERT_TRUE(log);
  const auto second = open();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, core::ErrorCode::kFailedPrecondition);
}

TEST_F(CatalogChangeLogTest, IsPrivate) {
  const auto log = open();
  ASSERT_TRUE(log);
  EXPECT_EQ(std::filesystem::status(folder_.path() / "changes.db").permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST_F(CatalogChangeLogTest, KeepsAtMostSoManyAndOneOfRepeatedPatches) {
  const auto log = open(3).value();
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(append(*log, {price(1, i)}));
  ASSERT_TRUE(append(*log, {price(2, 1), price(3, 1)}));
  const auto refused = append(*log, {price(4, 1)});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().error.code, core::ErrorCode::kResourceExhausted);
  EXPECT_EQ(refused.error().outcome, ports::AppendOutcome::kNotKept);
  ASSERT_TRUE(core::sync_wait(log->settle(11, 0, core::Deadline::never())));
  EXPECT_TRUE(append(*log, {price(4, 1)}));
}

TEST_F(CatalogChangeLogTest, ABatchIsRefusedWholeAtItsDeadline) {
  const auto log = open().value();
  const auto late = core::sync_wait(log->append({.changes = {price(1, 1)}}, core::Deadline::at(clock_.steady_now())));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().error.code, core::ErrorCode::kDeadlineExceeded);
  EXPECT_EQ(late.error().outcome, ports::AppendOutcome::kNotKept);
}

TEST_F(CatalogChangeLogTest, IsReadBesideItsWriter) {
  EXPECT_EQ(read_kept_changes(folder_.path())->last_sequence, 0);
  const auto log = open().value();
  ASSERT_TRUE(append(*log, {price(1, 1), price(2, 2)}));
  const auto kept = read_kept_changes(folder_.path());
  ASSERT_TRUE(kept) << kept.error().message;
  EXPECT_EQ(kept->last_sequence, 2);
  ASSERT_EQ(kept->changes.size(), 2U);
  EXPECT_EQ(kept->changes[1].change, price(2, 2));
  ASSERT_TRUE(core::sync_wait(log->settle(2, 0, core::Deadline::never())));
  EXPECT_EQ(read_kept_changes(folder_.path())->last_sequence, 2);
}

TEST_F(CatalogChangeLogTest, OtherFilesAreRefused) {
  std::ofstream(folder_.path() / "changes.db") << std::string(4096, 'x');
  const auto damaged = open();
  ASSERT_FALSE(damaged);
  EXPECT_EQ(damaged.error().code, core::ErrorCode::kDataLoss);
  EXPECT_NE(damaged.error().message.find("changes.db"), std::string::npos);
  EXPECT_EQ(read_kept_changes(folder_.path()).error().code, core::ErrorCode::kDataLoss);
}

TEST_F(CatalogChangeLogTest, WhatCannotHaveBeenWrittenIsNamed) {
  { ASSERT_TRUE(append(*open().value(), {price(1, 1)})); }
  const std::vector<std::string> damages{"kind = 7", "article_id = ''", "price = -1", "texts = '{'", "texts = '{\"x\":\"y\"}'",
                                         "texts = '{\"prod_name\":1}'", "columns = 9"};
  for (const std::string& damage : damages) {
    auto database = SqliteDatabase::open(folder_.path() / "changes.db", SqliteMode::kReadWrite).value();
    ASSERT_TRUE(database.execute("BEGIN; UPDATE change SET " + damage));
    ASSERT_TRUE(database.execute("COMMIT"));
    const auto kept = read_kept_changes(folder_.path());
    ASSERT_FALSE(kept) << damage;
    EXPECT_EQ(kept.error().code, core::ErrorCode::kDataLoss);
    EXPECT_NE(kept.error().message.find("change 1"), std::string::npos) << kept.error().message;
    ASSERT_TRUE(database.execute("UPDATE change SET kind = 1, article_id = '0000000001', price = 1, texts = '{}', columns = 8"));
    EXPECT_TRUE(read_kept_changes(folder_.path()));
  }
}

TEST_F(CatalogChangeLogTest, AFailedSyncLeavesTheOutcomeUnknownAndRefusesWhatFollows) {
  support::FaultVfs vfs;
  {
    const auto log = SqliteCatalogChanges::open({.folder = folder_.path(), .vfs = vfs.name()}, clock_).value();
    ASSERT_TRUE(append(*log, {price(1, 1)}));
    vfs.fail_sync(1, "-wal");
    const auto failed = append(*log, {price(2, 2)});
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().outcome, ports::AppendOutcome::kUnknown);
    const auto refused = append(*log, {price(3, 3)});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().error.code, core::ErrorCode::kUnavailable);
    EXPECT_EQ(refused.error().outcome, ports::AppendOutcome::kNotKept);
  }
  const auto kept = read_kept_changes(folder_.path()).value();
  ASSERT_GE(kept.changes.size(), 1U);
  EXPECT_EQ(kept.changes[0].change, price(1, 1));
  EXPECT_LE(kept.changes.size(), 2U);
}

TEST_F(CatalogChangeLogTest, AFullDiskKeepsNothingAndHarmsNothing) {
  support::FaultVfs vfs;
  const auto log = SqliteCatalogChanges::open({.folder = folder_.path(), .vfs = vfs.name()}, clock_).value();
  ASSERT_TRUE(append(*log, {price(1, 1)}));
  vfs.set_space(100);
  const auto full = append(*log, {price(2, 2)});
  ASSERT_FALSE(full);
  EXPECT_TRUE(core::is_disk_full(full.error().error)) << full.error().error.message;
  EXPECT_EQ(full.error().outcome, ports::AppendOutcome::kNotKept);
  vfs.set_space_unlimited();
  EXPECT_EQ(append(*log, {price(3, 3)}).value(), 2);
}

TEST_F(CatalogChangeLogTest, AfterAPowerCutEverythingAcknowledgedIsThereWhole) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const support::TemporaryFolder folder;
    support::FaultVfs vfs;
    const SqliteCatalogChanges::Options options{.folder = folder.path(), .vfs = vfs.name()};
    int acknowledged = 0;
    {
      const auto log = SqliteCatalogChanges::open(options, clock_).value();
      int sent = 0;
      vfs.on_sync([&](const std::string&) {
        if (sent == static_cast<int>(seed)) vfs.cut_power();
      });
      for (; sent < 12; ++sent) {
        if (append(*log, {price(2 * sent + 1, sent), price(2 * sent + 2, sent)})) acknowledged = sent + 1;
        else break;
      }
    }
    vfs.on_sync({});
    vfs.restore(seed);
    const auto log = SqliteCatalogChanges::open(options, clock_);
    ASSERT_TRUE(log) << log.error().message;
    const auto kept = core::sync_wait((*log)->read(0, 1'000, core::Deadline::never())).value();
    EXPECT_EQ(kept.size() % 2, 0U) << "half a batch";
    EXPECT_GE(kept.size(), static_cast<std::size_t>(2 * acknowledged));
    for (std::size_t i = 0; i < kept.size(); ++i) EXPECT_EQ(kept[i].sequence, static_cast<std::int64_t>(i + 1));
  }
}

int points_left = 0;
std::string_view wanted_point;

// What a child that is killed at the n-th passing of a crash point had acknowledged before.
int acknowledged_by_killed_child(const SqliteCatalogChanges::Options& options, const core::Clock& clock, std::string_view point, int nth) {
  int pipe[2];
  EXPECT_EQ(::pipe(pipe), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    points_left = nth;
    wanted_point = point;
    core::set_crash_hook([](std::string_view passed) {
      if (passed == wanted_point && --points_left == 0) ::raise(SIGKILL);
    });
    const auto log = SqliteCatalogChanges::open(options, clock).value();
    for (int i = 0; i < 20; ++i) {
      catalog::ArticleChange change{.id = catalog::ArticleId::parse(std::to_string(i + 1)).value(), .sets_price = true, .price = i};
      if (!core::sync_wait(log->append({.changes = {change}, .time_ms = 5}, core::Deadline::never()))) ::_exit(1);
      if (::write(pipe[1], "k", 1) != 1) ::_exit(1);
      if (i % 5 == 4 && !core::sync_wait(log->settle(i - 2, 5, core::Deadline::never()))) ::_exit(1);
    }
    ::_exit(0);
  }
  ::close(pipe[1]);
  int acknowledged = 0;
  char byte = 0;
  while (::read(pipe[0], &byte, 1) == 1) ++acknowledged;
  ::close(pipe[0]);
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << point;
  return acknowledged;
}

TEST_F(CatalogChangeLogTest, KilledAtAnyPointItHasWhatWasAcknowledged) {
  for (const std::string_view point : {"changes.before_commit", "changes.committed", "changes.before_removal", "changes.removed"}) {
    for (const int nth : {1, 3}) {
      const support::TemporaryFolder folder;
      const int acknowledged = acknowledged_by_killed_child({.folder = folder.path()}, clock_, point, nth);
      const auto log = SqliteCatalogChanges::open({.folder = folder.path()}, clock_);
      ASSERT_TRUE(log) << log.error().message;
      const auto kept = read_kept_changes(folder.path()).value();
      const std::int64_t extra = point == "changes.committed" ? 1 : 0;  // written, and killed before it could say so
      EXPECT_EQ(kept.last_sequence, acknowledged + extra) << point;
      // Settled through 2, 7, 12 after the 5th, 10th, 15th: everything later is there.
      const int settled = acknowledged / 5 * 5 - 3;
      std::int64_t expected = kept.last_sequence;
      for (auto change = kept.changes.rbegin(); change != kept.changes.rend(); ++change) EXPECT_EQ(change->sequence, expected--);
      EXPECT_LE(expected, std::max(0, settled)) << point;
    }
  }
}

}  // namespace
}  // namespace scalestyle::adapters::embedded
