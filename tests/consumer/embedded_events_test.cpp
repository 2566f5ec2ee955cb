// Start-up repair, retention, erasure, rebuild, verification and export over real files.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "adapters/embedded/event_log_reader.hpp"
#include "consumer/event_export.hpp"
#include "consumer/event_verify.hpp"
#include "consumer/rebuild.hpp"
#include "consumer/work_folder.hpp"
#include "event_server.hpp"
#include "support/cut_off_transaction.hpp"
#include "support/fake_clock.hpp"
#include "support/temporary_folder.hpp"

namespace scalestyle::consumer {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using adapters::embedded::EventLogFigures;
using testing::HasSubstr;

constexpr events::EpochMs kHourMs = 3'600'000;

std::string bytes_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

void damage(const fs::path& path) {
  std::string bytes = bytes_of(path);
  ASSERT_GT(bytes.size(), 8192u);
  for (std::size_t at = 4096; at < bytes.size(); at += 512) bytes.replace(at, 64, std::string(64, '\x5a'));
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

class EmbeddedEventsTest : public testing::Test {
 protected:
  EmbeddedEventsTest() { testing::internal::CaptureStderr(); }
  ~EmbeddedEventsTest() override {
    const std::string log = testing::internal::GetCapturedStderr();
    if (HasFailure()) std::fputs(log.c_str(), stderr);
  }

  std::unique_ptr<EventServer> serve() {
    auto server = std::make_unique<EventServer>(folder_.path(), clock_);
    const auto started = server->start();
    EXPECT_TRUE(started) << (started ? "" : started.error().message);
    return server;
  }
  core::Error refused() {
    EventServer server(folder_.path(), clock_);
    const auto started = server.start();
    EXPECT_FALSE(started);
    return started ? core::Error{} : started.error();
  }
  // `count` events of several users and items, from now on, a minute apart.
  void append(EventServer& server, int count) {
    std::vector<events::Event> batch;
    for (int i = 0; i < count; ++i, ++next_) {
      const std::string user = "user-" + std::to_string(next_ % 7);
      const std::string item = "01087750" + std::to_string(10 + next_ % 13);
      auto event = next_ % 5 == 0 ? support::purchase(user, item, "Sweater", clock_.now_ms)
                                  : support::click(user, item, next_ % 2 == 0 ? "Dress" : "Trousers", clock_.now_ms);
      event.event_id = "event-" + std::to_string(next_);
      batch.push_back(std::move(event));
      clock_.now_ms += 60'000;
      if (batch.size() == 50 || i + 1 == count) server.append(std::exchange(batch, {}));
    }
  }
  // "equal", or how the rebuilt features differ from the checkpoint.
  std::string rebuild_and_compare() {
    const auto result = [this]() -> core::Result<std::string> {
      CORE_TRY(const auto work, WorkFolder::open(folder_.path()));
      CORE_TRY(auto tool, FeatureRebuild::open({.data = folder_.path(), .work = work.path()}, environment()));
      CORE_TRY(const auto checkpoint, tool.load_checkpoint());
      CORE_TRY(const auto rebuilt, tool.rebuild(applied_offset(*checkpoint)));
      return first_difference(*rebuilt.store, *checkpoint, kRebuildTolerance).value_or("equal");
    }();
    return result ? *result : result.error().message;
  }
  EventVerification verify() {
    const auto work = WorkFolder::open(folder_.path()).value();
    return verify_events(folder_.path(), work.path(), {}, environment()).value();
  }
  std::string exported() {
    auto reader = adapters::embedded::EventLogReader::open(folder_.path()).value();
    std::string text;
    ExportCounts counts;
    const auto done = export_events(reader, {.write = [&](std::string_view lines) -> core::Status { text += lines; return {}; },
                                             .reject = [](const std::string& message) { ADD_FAILURE() << message; }},
                                    counts);
    EXPECT_TRUE(done);
    EXPECT_EQ(counts.events, static_cast<std::uint64_t>(std::ranges::count(text, '\n')));
    return text;
  }
  adapters::embedded::MemoryFeatureStore::Environment environment() {
    return {.pool = tools_.pool(), .timers = tools_.timers(), .clock = clock_, .metrics = tool_metrics_};
  }
  // Names of the folder's files that begin and end so.
  std::vector<std::string> files(const std::string& prefix, const std::string& suffix = ".db") const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_.path())) {
      const auto name = entry.path().filename().string();
      if (name.starts_with(prefix) && name.ends_with(suffix)) names.push_back(name);
    }
    return names;
  }
  std::int64_t newest_candidate() const {
    const auto candidates = FeatureFiles(folder_.path()).candidates().value();
    return candidates.empty() ? 0 : candidates.back().offset;
  }
  // A server that runs until events have left the log, with all that is needed before.
  void serve_until_retention() {
    const auto server = serve();
    append(*server, 100);
    const std::int64_t old = adapters::embedded::figures(server->events().log()).value().last_offset;
    clock_.now_ms += 13 * kHourMs;  // more than half of the retention: a candidate
    append(*server, 20);
    server->wait_until([&](const auto&) { return newest_candidate() >= old; });
    append(*server, 20);
    clock_.now_ms += 30 * kHourMs;
    server->wait_until([&](const EventLogFigures& now) { return now.removed_through >= old; });
    append(*server, 30);
  }

  support::TemporaryFolder folder_;
  MovedClock clock_;
  int next_ = 0;
  support::ComputeThreads tools_{1};
  telemetry::Metrics tool_metrics_;
};

TEST_F(EmbeddedEventsTest, ARestartGoesOnAndARebuildGivesTheSame) {
  {
    const auto server = serve();
    append(*server, 120);
    server->wait_until([&](const auto&) { return server->events().loop().applied_events() == 120; });
  }
  EXPECT_EQ(rebuild_and_compare(), "equal");
  {
    const auto server = serve();
    EXPECT_EQ(server->events().loop().applied_events(), 0u);  // the graceful end kept what had taken effect
    append(*server, 30);
  }
  EXPECT_EQ(rebuild_and_compare(), "equal");
  EXPECT_TRUE(verify().sound());
}

TEST_F(EmbeddedEventsTest, AMissingCheckpointIsReplayedFromTheLog) {
  { append(*serve(), 120); }
  ASSERT_TRUE(FeatureFiles(folder_.path()).remove(folder_ / "features.db"));
  EXPECT_THAT(verify().notes, testing::Contains(HasSubstr("features.db is missing")));
  {
    const auto server = serve();
    EXPECT_EQ(server->events().loop().applied_events(), 120u);
  }
  EXPECT_EQ(rebuild_and_compare(), "equal");
}

TEST_F(EmbeddedEventsTest, ADamagedCheckpointIsPutAsideAndMadeAnew) {
  { append(*serve(), 120); }
  damage(folder_ / "features.db");
  EXPECT_FALSE(verify().sound());
  { const auto server = serve(); }
  EXPECT_EQ(files("features.damaged-").size(), 1u);
  EXPECT_EQ(rebuild_and_compare(), "equal");
  std::ofstream(folder_ / "features.db", std::ios::trunc) << "this is not a database at all, whatever its name may say";
  clock_.now_ms += 1'000;
  { const auto server = serve(); }
  EXPECT_EQ(files("features.damaged-").size(), 2u);
  EXPECT_EQ(rebuild_and_compare(), "equal");
}

TEST_F(EmbeddedEventsTest, FeaturesThatAreAheadOfTheLogAreRefused) {
  { append(*serve(), 50); }
  const auto log_files = files("events.db", "");
  fs::create_directory(folder_ / "old");
  for (const auto& file : log_files) fs::copy_file(folder_ / file, folder_ / "old" / file);
  { append(*serve(), 50); }
  for (const auto& file : files("events.db", "")) fs::remove(folder_ / file);
  for (const auto& file : log_files) fs::rename(folder_ / "old" / file, folder_ / file);
  const auto error = refused();
  EXPECT_EQ(error.code, core::ErrorCode::kFailedPrecondition);
  EXPECT_THAT(error.message, HasSubstr("includes events up to position 100, but events.db ends at 50"));
  EXPECT_THAT(error.message, HasSubstr("Put the events.db that belongs to it back"));
  EXPECT_FALSE(verify().sound());
}

TEST_F(EmbeddedEventsTest, FeaturesOfAnotherLogAreRefused) {
  { append(*serve(), 50); }
  for (const auto& file : files("events.db", "")) fs::remove(folder_ / file);
  const auto error = refused();
  EXPECT_EQ(error.code, core::ErrorCode::kFailedPrecondition);
  EXPECT_THAT(error.message, HasSubstr("belongs to the event log"));
}

TEST_F(EmbeddedEventsTest, RetentionKeepsWhatARebuildNeeds) {
  serve_until_retention();
  EXPECT_TRUE(fs::exists(folder_ / "features.horizon.db"));
  EXPECT_EQ(rebuild_and_compare(), "equal");
  const auto found = verify();
  EXPECT_TRUE(found.sound());
  EXPECT_GT(found.log.first_offset, 1);
  EXPECT_LT(found.log.events, 170u);
}

TEST_F(EmbeddedEventsTest, AfterRetentionADamagedCheckpointBeginsFromTheHorizon) {
  serve_until_retention();
  damage(folder_ / "features.db");
  {
    const auto server = serve();
    EXPECT_GT(server->events().loop().applied_events(), 0u);
    EXPECT_LT(server->events().loop().applied_events(), 170u);
  }
  EXPECT_EQ(rebuild_and_compare(), "equal");
}

TEST_F(EmbeddedEventsTest, ACheckpointOlderThanTheLogIsPutAside) {
  { append(*serve(), 10); }
  ASSERT_TRUE(snapshot(folder_ / "features.db", folder_ / "old.db"));
  serve_until_retention();
  ASSERT_TRUE(FeatureFiles(folder_.path()).install(folder_ / "old.db", folder_ / "features.db"));
  { const auto server = serve(); }
  EXPECT_EQ(files("features.outdated-").size(), 1u);
  EXPECT_EQ(rebuild_and_compare(), "equal");
}

TEST_F(EmbeddedEventsTest, VerifyNamesADamagedOrMissingHorizon) {
  serve_until_retention();
  damage(folder_ / "features.horizon.db");
  EXPECT_THAT(verify().problems, testing::Contains(HasSubstr("features.horizon.db")));
  fs::remove(folder_ / "features.horizon.db");
  EXPECT_THAT(verify().problems, testing::Contains(HasSubstr("features.horizon.db is missing")));
  EXPECT_THAT(rebuild_and_compare(), HasSubstr("features.horizon.db that stands for them is missing"));
}

TEST_F(EmbeddedEventsTest, OtherFeatureSettingsAskForARebuildWhichMakesThemCount) {
  serve_until_retention();
  events::FeatureOptions other;
  other.affinity_half_life_seconds = 3'600;
  {
    EventServer server(folder_.path(), clock_);
    server.options().features = other;
    const auto started = server.start();
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().code, core::ErrorCode::kFailedPrecondition);
    EXPECT_THAT(started.error().message, HasSubstr("scalestyle events rebuild"));
  }
  {
    const auto work = WorkFolder::open(folder_.path()).value();
    auto tool = FeatureRebuild::open({.data = folder_.path(), .work = work.path(), .options = other}, environment()).value();
    EXPECT_THAT(tool.rebuild(std::nullopt).error().message, HasSubstr("other feature settings"));
  }
  {
    const auto work = WorkFolder::open(folder_.path()).value();
    auto tool = FeatureRebuild::open({.data = folder_.path(), .work = work.path(), .options = other}, environment()).value();
    tool.allow_other_horizon();
    auto rebuilt = tool.rebuild(std::nullopt).value();
    EXPECT_THAT(tool.horizon_left_out(), HasSubstr("features.horizon.db"));
    ASSERT_TRUE(tool.install(std::move(rebuilt)));
  }
  EventServer server(folder_.path(), clock_);
  server.options().features = other;
  const auto started = server.start();
  EXPECT_TRUE(started) << (started ? "" : started.error().message);
}

TEST_F(EmbeddedEventsTest, AForgottenShopperIsInNoFileAndARebuildKnowsIt) {
  const std::string name = "shopper-who-will-be-forgotten";
  serve_until_retention();
  {
    const auto server = serve();
    std::vector<events::Event> batch{support::click(name, "0108775015", "Dress", clock_.now_ms)};
    batch.front().event_id = "of-the-forgotten";
    server->append(batch);
    append(*server, 20);
    clock_.now_ms += 13 * kHourMs;
    append(*server, 5);
    const std::int64_t clicked = adapters::embedded::figures(server->events().log()).value().last_offset - 25;
    server->wait_until([&](const auto&) { return newest_candidate() >= clicked; });  // the shopper is in a copy
    server->events().impressions().note({.request_id = "r-1", .user_id = core::UserId(name), .time_ms = clock_.now_ms,
                                         .items = {{"0108775015", 1}}});
    auto wish = support::forget(name, clock_.now_ms);
    wish.event_id = "the-wish";
    const auto position = server->append({wish});
    const auto erased = core::sync_wait(server->events().log().wait_erased(position, core::Deadline::never()));
    ASSERT_TRUE(erased);
    EXPECT_EQ(*erased, ports::ErasureState::kErased);
    append(*server, 5);
  }
  for (const auto& file : files("", "")) {
    if (!fs::is_regular_file(folder_ / file)) continue;
    EXPECT_EQ(bytes_of(folder_ / file).find(name), std::string::npos) << file;
  }
  EXPECT_EQ(exported().find(name), std::string::npos);
  EXPECT_EQ(rebuild_and_compare(), "equal");
  EXPECT_TRUE(verify().sound());
}

// Each feature file may be what a process was changing under a rollback journal when it died: its change to a
// write-ahead file is made so. Erasure and retention must go on.
TEST_F(EmbeddedEventsTest, CopiesThatADeadProcessWasChangingAreReadAndScrubbed) {
  const std::string name = "shopper-who-will-be-forgotten";
  auto click = support::click(name, "0108775015", "Dress", clock_.now_ms);
  click.event_id = "of-the-forgotten";
  { serve()->append({click}); }
  serve_until_retention();
  std::size_t cut_off = 0;
  for (const auto& file : files("features.")) {
    support::cut_off_transaction(folder_ / file, "UPDATE meta SET watermark_ms = 0; DELETE FROM subjects; DELETE FROM items;");
    ++cut_off;
  }
  ASSERT_GE(cut_off, 2u);  // the horizon, the checkpoint
  {
    const auto server = serve();
    auto wish = support::forget(name, clock_.now_ms);
    wish.event_id = "the-wish";
    const auto position = server->append({wish});
    const auto erased = core::sync_wait(server->events().log().wait_erased(position, core::Deadline::after(30s, clock_)));
    ASSERT_TRUE(erased);
    EXPECT_EQ(*erased, ports::ErasureState::kErased);
    clock_.now_ms += 13 * kHourMs;
    append(*server, 5);
    server->wait_until([&](const auto&) { return newest_candidate() >= position.offset; });
  }
  EXPECT_EQ(files("features.damaged-").size(), 0u);
  for (const auto& file : files("", "")) {
    if (!fs::is_regular_file(folder_ / file)) continue;
    EXPECT_EQ(bytes_of(folder_ / file).find(name), std::string::npos) << file;
  }
  EXPECT_EQ(rebuild_and_compare(), "equal");
  EXPECT_TRUE(verify().sound());
}

TEST_F(EmbeddedEventsTest, ACheckpointWhoseMakingWasCutOffIsMadeAnew) {
  { append(*serve(), 50); }
  ASSERT_TRUE(FeatureFiles(folder_.path()).remove(folder_ / "features.db"));
  std::ofstream(folder_ / "features.db");  // as the first thing that SQLite's file is
  EXPECT_THAT(verify().notes, testing::Contains(HasSubstr("features.db")));
  {
    const auto server = serve();
    EXPECT_EQ(server->events().loop().applied_events(), 50u);
  }
  EXPECT_EQ(files("features.damaged-").size(), 0u);
  EXPECT_EQ(rebuild_and_compare(), "equal");
}

TEST_F(EmbeddedEventsTest, AnExportHasEveryEventInOrderAlsoWhileAServerRuns) {
  const auto server = serve();
  append(*server, 120);
  const std::string text = exported();
  std::size_t at = 0;
  for (int i = 0; i < 120; ++i) {
    at = text.find("\"event-" + std::to_string(i) + "\"", at);
    ASSERT_NE(at, std::string::npos) << i;
  }
}

TEST_F(EmbeddedEventsTest, OneToolAtATimeAndNothingIsLeft) {
  std::ofstream(folder_ / "x.txt") << "x";
  {
    const auto work = WorkFolder::open(folder_.path()).value();
    std::ofstream(work.path() / "copy.db") << "people";
    EXPECT_EQ(WorkFolder::open(folder_.path()).error().code, core::ErrorCode::kFailedPrecondition);
    ASSERT_TRUE(WorkFolder::remove_leftovers(folder_.path()));
    EXPECT_TRUE(fs::exists(work.path() / "copy.db"));
  }
  EXPECT_FALSE(fs::exists(folder_ / ".events-work" / "copy.db"));
  std::ofstream(folder_ / ".events-work" / "left.db") << "of a tool that was killed";
  ASSERT_TRUE(WorkFolder::remove_leftovers(folder_.path()));
  EXPECT_FALSE(fs::exists(folder_ / ".events-work" / "left.db"));
  EXPECT_EQ(WorkFolder::open(folder_ / "nowhere").error().code, core::ErrorCode::kNotFound);
}

}  // namespace
}  // namespace scalestyle::consumer
