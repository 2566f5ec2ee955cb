// A process that dies at any point of an ingest leaves a whole generation served, and the next run ends with the same
// bytes as one that was never interrupted.

#include <gmock/gmock.h>
#include <sys/resource.h>

#include <csignal>
#include <thread>

#include "ingest/crash_fixture.hpp"
#include "ingest/work_folder.hpp"

namespace scalestyle::ingest {
namespace {

using ::testing::HasSubstr;

class CrashTest : public CrashFixture {};

TEST_F(CrashTest, KilledAtEveryStepItContinuesToTheSameBytes) {
  options_.batches_in_flight = 1;  // so that every run has the same steps
  std::vector<std::string> steps;
  before_step_ = [&](std::string_view step) { steps.emplace_back(step); };
  ASSERT_TRUE(run());
  const auto expected = current_bytes();
  ASSERT_GT(steps.size(), 20U);
  std::int64_t saved = 0;
  for (std::size_t at = 0; at < steps.size(); ++at) {
    SCOPED_TRACE(fmt::format("killed before step {}: {}", at, steps[at]));
    start_over();
    std::size_t step = 0;
    before_step_ = [&](std::string_view) {
      if (step++ == at) ::raise(SIGKILL);
    };
    const int status = run_in_child([] {});
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    expect_whole_generation();
    const bool switched = *data().read_current() != before_;
    EXPECT_EQ(switched, steps[at] == "switched" || steps[at] == "remove old files");
    before_step_ = [](std::string_view) {};
    const auto resumed = run();
    ASSERT_TRUE(resumed) << resumed.error().message;
    EXPECT_EQ(resumed->resumed_texts + resumed->embedded_texts, 19U);
    EXPECT_EQ(texts_encoded_, static_cast<std::int64_t>(resumed->embedded_texts));
    saved += static_cast<std::int64_t>(resumed->resumed_texts);
    EXPECT_EQ(work_folders(), 0U);
    expect_whole_generation();
    EXPECT_TRUE(current_bytes() == expected);
  }
  EXPECT_GT(saved, 19 * 5);  // most kills come after the first checkpoint
}

TEST_F(CrashTest, KilledAtAnyMomentItContinuesToTheSameBytes) {
  ASSERT_TRUE(run());
  const auto expected = current_bytes();
  start_over();
  int kills = 0;
  for (int attempt = 0; attempt < 12; ++attempt) {
    const int status = run_in_child([] {}, [&](pid_t child) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5 + 7 * attempt));
      ::kill(child, SIGKILL);
    });
    kills += WIFSIGNALED(status) ? 1 : 0;
    expect_whole_generation();
  }
  EXPECT_GT(kills, 0);
  const auto resumed = run();
  ASSERT_TRUE(resumed) << resumed.error().message;
  EXPECT_TRUE(current_bytes() == expected);
}

TEST_F(CrashTest, AFullDiskLeavesTheOldGenerationServed) {
  ASSERT_TRUE(run());
  const auto expected = current_bytes();
  // A limit on the size of files stands for the full disk: writes fail in the same way.
  for (const rlim_t limit_bytes : {200UL, 1000UL, 1400UL, 3000UL, 8000UL}) {
    SCOPED_TRACE(limit_bytes);
    start_over();
    const int status = run_in_child([&] {
      ::signal(SIGXFSZ, SIG_IGN);
      const rlimit limit{.rlim_cur = limit_bytes, .rlim_max = limit_bytes};
      ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
    });
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 1);
    EXPECT_EQ(*data().read_current(), before_);
    expect_whole_generation();
    const auto again = run();
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_TRUE(current_bytes() == expected);
  }
}

TEST_F(CrashTest, WorkOfAnotherPrecisionIsNeverContinued) {
  ASSERT_TRUE(run());
  const auto f32_bytes = current_bytes();
  start_over();
  options_.batches_in_flight = 1;  // what came before the failure is then on disk
  fail_after_texts_ = 12;
  ASSERT_FALSE(run());
  EXPECT_EQ(work_folders(), 1U);
  precision_ = "int8";
  fail_after_texts_ = -1;
  const auto other = run();
  ASSERT_TRUE(other) << other.error().message;
  EXPECT_EQ(other->resumed_texts, 0U);
  EXPECT_EQ(other->embedded_texts, 19U);
  EXPECT_EQ(work_folders(), 0U);
  EXPECT_FALSE(current_bytes() == f32_bytes);
}

TEST_F(CrashTest, ChangedInputDoesNotContinueOldWork) {
  options_.batches_in_flight = 1;  // what came before the failure is then on disk
  fail_after_texts_ = 12;
  ASSERT_FALSE(run());
  fail_after_texts_ = -1;
  write_text(options_.articles, articles_csv(23, " changed"));
  const auto changed = run();
  ASSERT_TRUE(changed) << changed.error().message;
  EXPECT_EQ(changed->resumed_texts, 0U);
  EXPECT_EQ(work_folders(), 0U);
}

TEST_F(CrashTest, OtherPricesContinueTheSameVectors) {
  options_.batches_in_flight = 1;  // what came before the failure is then on disk
  fail_after_texts_ = 12;
  ASSERT_FALSE(run());
  fail_after_texts_ = -1;
  options_.price_scale = 100;
  const auto changed = run();
  ASSERT_TRUE(changed) << changed.error().message;
  EXPECT_GT(changed->resumed_texts, 0U);
}

TEST_F(CrashTest, DamagedWorkIsBegunAnew) {
  ASSERT_TRUE(run());
  const auto expected = current_bytes();
  for (const bool damage_record : {false, true}) {
    SCOPED_TRACE(damage_record);
    start_over();
    options_.batches_in_flight = 1;  // what came before the failure is then on disk
    fail_after_texts_ = 12;
    ASSERT_FALSE(run());
    fail_after_texts_ = -1;
    for (const auto& entry : std::filesystem::directory_iterator(data().generations())) {
      if (!entry.path().filename().string().starts_with(".building-")) continue;
      const auto path = entry.path() / (damage_record ? "progress.json" : "vectors.work");
      std::string bytes = read_text(path);
      ASSERT_GT(bytes.size(), 50U);
      bytes[40] = static_cast<char>(bytes[40] ^ 1);
      if (damage_record) bytes.resize(30);
      write_text(path, bytes);
    }
    const auto again = run();
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(again->resumed_texts, 0U);
    EXPECT_THAT(again->notes, ::testing::Contains(HasSubstr("was damaged")));
    EXPECT_TRUE(current_bytes() == expected);
  }
}

TEST_F(CrashTest, AForeignRecordInTheRightFolderIsRefused) {
  WorkIdentity identity{.fingerprint = std::string(64, 'f'),
                        .encoder = {.model = "m", .weights_hash = "w", .precision = "int8", .dimension = 4, .max_tokens = 8},
                        .format = "product_text_v1",
                        .items = 10};
  const auto silent = [](std::string_view) {};
  {
    auto work = WorkFolder::open(folder_.path(), identity, core::GenerationId("g"), silent);
    ASSERT_TRUE(work) << work.error().message;
    ASSERT_TRUE(work->append(std::vector<float>(8, 0.5F)));
    ASSERT_TRUE(work->checkpoint());
  }
  {
    const auto same = WorkFolder::open(folder_.path(), identity, core::GenerationId("other"), silent);
    ASSERT_TRUE(same) << same.error().message;
    EXPECT_EQ(same->items_done(), 2U);
    EXPECT_EQ(same->generation().value(), "g");
  }
  identity.encoder.precision = "f32";
  const auto refused = WorkFolder::open(folder_.path(), identity, core::GenerationId("g"), silent);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, core::ErrorCode::kFailedPrecondition);
  EXPECT_THAT(refused.error().message, HasSubstr("precision f32 instead of int8"));
}

}  // namespace
}  // namespace scalestyle::ingest
