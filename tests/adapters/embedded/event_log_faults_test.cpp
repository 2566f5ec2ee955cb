// What the event log keeps through a power cut, failed syncs, a full disk and damage.

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <thread>

#include "adapters/embedded/event_log_support.hpp"
#include "adapters/embedded/sqlite_database.hpp"
#include "adapters/embedded/wal_inspection.hpp"
#include "core/disk_full.hpp"
#include "support/fault_vfs.hpp"

namespace scalestyle::adapters::embedded {
namespace {

using support::sample_click;

void expect_sound(const std::filesystem::path& folder) {
  const auto report = verify_event_log(folder);
  ASSERT_TRUE(report) << report.error().message;
  for (const auto& problem : report->problems) ADD_FAILURE() << problem;
}

// What callers were told, from several threads.
struct Told {
  std::mutex mutex;
  std::map<std::string, std::int64_t> acknowledged;
  std::set<std::string> not_kept;

  void note(const std::string& id, const ports::AppendResult& result) {
    const std::lock_guard lock(mutex);
    if (result) acknowledged[id] = result->front().position.offset;
    if (!result && result.error().outcome == ports::AppendOutcome::kNotKept) not_kept.insert(id);
  }
};

class PowerCut : public ::testing::TestWithParam<unsigned> {};

TEST_P(PowerCut, LosesNothingThatWasAcknowledgedAndKeepsNothingThatWasDenied) {
  std::mt19937_64 random(GetParam());
  support::TemporaryFolder folder;
  support::FaultVfs vfs;
  OpenLog log({.folder = folder.path(), .vfs = vfs.name()});
  std::map<std::string, std::int64_t> acknowledged;
  for (int round = 0; round < 3; ++round) {
    Told told;
    std::atomic<bool> cut{false};
    std::vector<std::thread> callers;
    for (int caller = 0; caller < 3; ++caller) {
      callers.emplace_back([&, caller] {
        for (int i = 0; !cut; ++i) {
          const std::string id = std::to_string(round) + "-" + std::to_string(caller) + "-" + std::to_string(i);
          told.note(id, log.append({sample_click(id, "user-" + std::to_string(i % 7))}));
        }
      });
    }
    const std::uint64_t until = vfs.syncs() + 5 + random() % 60;
    while (vfs.syncs() < until) {
      if (random() % 2 == 0) {
        EXPECT_TRUE(checkpoint_wal(*log, {.wal_bytes = 1}));
      } else {
        std::this_thread::yield();
      }
    }
    vfs.cut_power();
    cut = true;
    for (auto& caller : callers) caller.join();
    log.close();
    vfs.restore(random());

    acknowledged.insert(told.acknowledged.begin(), told.acknowledged.end());
    expect_sound(folder.path());
    std::map<std::string, std::int64_t> kept;
    for (const auto& logged : OpenLog::all_events(folder.path())) kept[logged.event.event_id] = logged.position.offset;
    for (const auto& [id, offset] : acknowledged) {
      ASSERT_TRUE(kept.contains(id)) << id << " was acknowledged at " << offset << " and is gone";
      EXPECT_EQ(kept[id], offset);
    }
    for (const auto& id : told.not_kept) EXPECT_FALSE(kept.contains(id)) << id << " was said not to be kept";
    log.open();
    EXPECT_TRUE(log->findings().empty()) << log->findings().front();
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, PowerCut, ::testing::Range(1U, 16U));

TEST(EventLogFaults, AfterAFailedSyncTheLogRefusesUntilItIsOpenedAgain) {
  support::TemporaryFolder folder;
  support::FaultVfs vfs;
  OpenLog log({.folder = folder.path(), .vfs = vfs.name()});
  log.append_one(sample_click("before"));
  EXPECT_EQ(log->refusal(), "");
  vfs.fail_sync(1, "-wal");
  const auto unknown = log.append({sample_click("unknown")});
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().outcome, ports::AppendOutcome::kUnknown);
  EXPECT_EQ(unknown.error().error.code, core::ErrorCode::kUnavailable);
  EXPECT_NE(log->refusal(), "");
  const auto refused = log.append({sample_click("refused")});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().outcome, ports::AppendOutcome::kNotKept);
  EXPECT_EQ(refused.error().error.code, core::ErrorCode::kUnavailable);
  const auto edited = remove_through(*log, 0);
  log.reopen();
  EXPECT_EQ(log->refusal(), "");
  const auto again = log.append({sample_click("unknown"), sample_click("refused")});
  ASSERT_TRUE(again) << again.error().error.message;
  EXPECT_FALSE((*again)[1].duplicate);
  EXPECT_EQ(log.everything().size(), 3U);
  log.close();
  expect_sound(folder.path());
}

TEST(EventLogFaults, AfterAFailedSyncAndAPowerCutWhatWasAcknowledgedIsThere) {
  for (unsigned seed = 1; seed <= 10; ++seed) {
    support::TemporaryFolder folder;
    support::FaultVfs vfs;
    OpenLog log({.folder = folder.path(), .vfs = vfs.name()});
    log.append_one(sample_click("before"));
    vfs.fail_sync(1, "-wal");
    ASSERT_FALSE(log.append({sample_click("unknown")}));
    vfs.cut_power();
    log.close();
    vfs.restore(seed);
    log.open();
    const auto all = log.everything();
    ASSERT_GE(all.size(), 1U);
    EXPECT_EQ(all[0].event.event_id, "before");
    EXPECT_LE(all.size(), 2U);
  }
}

TEST(EventLogFaults, AFullDiskKeepsNothingOfTheBatchAndTheLogGoesOnOnceThereIsSpace) {
  for (const std::int64_t space : {0, 20, 24, 100, 4'100, 4'120, 8'240, 12'000}) {
    support::TemporaryFolder folder;
    support::FaultVfs vfs;
    OpenLog log({.folder = folder.path(), .vfs = vfs.name()});
    const std::int64_t first = log.append_one(sample_click("first"));
    vfs.set_space(space);
    std::vector<events::Event> batch;
    for (int i = 0; i < 40; ++i) batch.push_back(sample_click("full-" + std::to_string(i)));
    const auto full = log.append(batch);
    ASSERT_FALSE(full) << space;
    EXPECT_EQ(full.error().outcome, ports::AppendOutcome::kNotKept);
    EXPECT_TRUE(core::is_disk_full(full.error().error)) << full.error().error.message;
    EXPECT_EQ(log->refusal(), "");
    vfs.set_space_unlimited();
    const std::int64_t next = log.append_one(sample_click("next"));
    EXPECT_GT(next, first);
    ASSERT_EQ(log.everything().size(), 2U);
    log.reopen();
    EXPECT_TRUE(log->findings().empty());
    EXPECT_EQ(log.everything().size(), 2U);
    log.close();
    expect_sound(folder.path());
  }
}

TEST(EventLogFaults, AFailedCheckpointHarmsNothing) {
  support::TemporaryFolder folder;
  support::FaultVfs vfs;
  OpenLog log({.folder = folder.path(), .vfs = vfs.name()});
  for (int i = 0; i < 20; ++i) log.append_one(sample_click("e" + std::to_string(i)));
  vfs.fail_sync(1, "events.db");
  EXPECT_FALSE(checkpoint_wal(*log, {.wal_bytes = 1}));
  EXPECT_EQ(log->refusal(), "");
  log.append_one(sample_click("after"));
  EXPECT_TRUE(checkpoint_wal(*log, {.wal_bytes = 1}));
  vfs.cut_power();
  log.close();
  vfs.restore(3);
  expect_sound(folder.path());
  EXPECT_EQ(OpenLog::all_events(folder.path()).size(), 21U);
}

// The files as a killed process leaves them.
void copy_files(const std::filesystem::path& from, const std::filesystem::path& to) {
  for (const char* name : {"events.db", "events.db-wal"}) std::filesystem::copy_file(from / name, to / name);
}

void flip_byte(const std::filesystem::path& path, std::uintmax_t at) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(static_cast<std::streamoff>(at));
  const char byte = static_cast<char>(file.get());
  file.seekp(static_cast<std::streamoff>(at));
  file.put(static_cast<char>(byte ^ 0x5a));
}

TEST(EventLogFaults, ADamagedPageInTheWriteAheadLogIsFoundAndNoPositionIsGivenTwice) {
  OpenLog source;
  std::int64_t last = 0;
  for (int i = 0; i < 30; ++i) last = source.append_one(sample_click("e" + std::to_string(i)));
  support::TemporaryFolder folder;
  copy_files(source.folder(), folder.path());
  const auto wal = folder / "events.db-wal";
  const auto whole = inspect_wal(wal);
  ASSERT_TRUE(whole) << whole.error().message;
  EXPECT_GE(whole->commits, 30U);
  EXPECT_EQ(whole->lost_commits, 0U);
  flip_byte(wal, std::filesystem::file_size(wal) / 2);
  const auto damaged = inspect_wal(wal);
  ASSERT_TRUE(damaged);
  EXPECT_GT(damaged->certainly_lost(), 5U);
  const auto verified = verify_event_log(folder.path());
  ASSERT_TRUE(verified) << verified.error().message;
  EXPECT_FALSE(verified->problems.empty());

  OpenLog log({.folder = folder.path()});
  ASSERT_EQ(log->findings().size(), 1U);
  EXPECT_NE(log->findings()[0].find("events.db-wal"), std::string::npos);
  const auto kept = log.everything();
  EXPECT_GT(kept.size(), 5U);
  EXPECT_LT(kept.size(), 30U);
  EXPECT_GT(log.append_one(sample_click("new")), last);
  EXPECT_TRUE(std::filesystem::exists(folder / "events.db-wal.damaged"));
  log.reopen();
  EXPECT_TRUE(log->findings().empty());
}

TEST(EventLogFaults, ATornEndOfTheWriteAheadLogIsNoDamage) {
  OpenLog source;
  for (int i = 0; i < 5; ++i) source.append_one(sample_click("e" + std::to_string(i)));
  for (const std::uintmax_t missing : {1U, 100U, 4'000U, 4'110U}) {
    support::TemporaryFolder folder;
    copy_files(source.folder(), folder.path());
    std::filesystem::resize_file(folder / "events.db-wal", std::filesystem::file_size(folder / "events.db-wal") - missing);
    OpenLog log({.folder = folder.path()});
    EXPECT_TRUE(log->findings().empty());
    EXPECT_EQ(log.everything().size(), 4U);
  }
}

TEST(EventLogFaults, OffsetsThatDoNotAscendAreDamage) {
  OpenLog log;
  for (int i = 0; i < 5; ++i) log.append_one(sample_click("e" + std::to_string(i)));
  log.close();
  const auto path = log.folder() / "events.db";
  // The third row gets the first one's number: in its cell, behind the length of its record.
  const auto page = [&] {
    auto database = SqliteDatabase::open(path, SqliteMode::kReadOnly).value();
    return static_cast<std::size_t>(database.integer("SELECT rootpage FROM sqlite_schema WHERE name = 'events'").value() - 1) * 4'096;
  }();
  std::string bytes = bytes_of_file(path);
  const auto byte = [&bytes](std::size_t at) { return std::size_t{static_cast<unsigned char>(bytes[at])}; };
  ASSERT_EQ(byte(page), 0x0DU) << "a leaf";
  std::size_t cell = page + (byte(page + 8 + 4) << 8U | byte(page + 8 + 5));
  while (byte(cell) >= 0x80) ++cell;
  ASSERT_EQ(byte(cell + 1), 3U);
  bytes[cell + 1] = 1;
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;

  auto reader = EventLogReader::open(log.folder()).value();
  const auto read = reader.read_page(0, 10);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, core::ErrorCode::kDataLoss);
  EXPECT_NE(read.error().message.find("events.db: damaged: offset 1 follows 2"), std::string::npos) << read.error().message;
}

TEST(EventLogFaults, VerificationNamesADamagedRow) {
  support::TemporaryFolder folder;
  {
    OpenLog log({.folder = folder.path()});
    for (int i = 0; i < 200; ++i) log.append_one(sample_click("event-" + std::to_string(i)));
  }
  expect_sound(folder.path());
  const std::string bytes = bytes_of_file(folder / "events.db");
  const auto at = bytes.find("\"event-77\"");
  ASSERT_NE(at, std::string::npos);
  flip_byte(folder / "events.db", at + 3);
  const auto report = verify_event_log(folder.path());
  ASSERT_TRUE(report) << report.error().message;
  ASSERT_FALSE(report->problems.empty());
  EXPECT_NE(report->problems[0].find("78"), std::string::npos) << report->problems[0];
}

TEST(EventLogFaults, AFileThatIsNoLogIsRefused) {
  support::ComputeThreads threads;
  telemetry::Metrics metrics;
  support::TemporaryFolder folder;
  std::ofstream(folder / "events.db") << std::string(5'000, 'x');
  const auto opened = SqliteEventLog::open({.folder = folder.path()}, {threads.clock(), threads.timers(), threads.pool(), metrics});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, core::ErrorCode::kDataLoss);
  EXPECT_EQ(verify_event_log(folder.path()).error().code, core::ErrorCode::kDataLoss);
  support::TemporaryFolder empty;
  EXPECT_EQ(EventLogReader::open(empty.path()).error().code, core::ErrorCode::kNotFound);
  EXPECT_EQ(SqliteEventLog::open({.folder = empty / "missing"}, {threads.clock(), threads.timers(), threads.pool(), metrics}).error().code,
            core::ErrorCode::kNotFound);
}

}  // namespace
}  // namespace scalestyle::adapters::embedded
