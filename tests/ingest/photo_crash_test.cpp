// A process that dies while it embeds photos: the next run ends with the same bytes as one that was never interrupted.

#include <gmock/gmock.h>

#include <csignal>

#include "ingest/photo_fixture.hpp"
#include "ingest/work_folder.hpp"

namespace scalestyle::ingest {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

class PhotoCrashTest : public PhotoFixture {};

TEST_F(PhotoCrashTest, KilledAtEveryStepItContinuesToTheSameBytes) {
  options_.batches_in_flight = 1;  // so that every run has the same steps
  std::vector<std::string> steps;
  before_step_ = [&](std::string_view step) { steps.emplace_back(step); };
  ASSERT_TRUE(run());
  const auto expected = current_bytes();
  ASSERT_EQ(expected.size(), 7U);
  EXPECT_THAT(expected.at("rejects"), HasSubstr("images,"));
  std::uint64_t saved = 0;
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
    before_step_ = [](std::string_view) {};
    const auto resumed = run();
    ASSERT_TRUE(resumed) << resumed.error().message;
    EXPECT_EQ(resumed->resumed_photos + resumed->embedded_photos, 17U);
    EXPECT_EQ(images_encoded_, static_cast<std::int64_t>(resumed->embedded_photos));
    saved += resumed->resumed_photos;
    EXPECT_EQ(work_folders(), 0U);
    expect_whole_generation();
    EXPECT_TRUE(current_bytes() == expected);
  }
  EXPECT_GT(saved, 17U * 5);
}

TEST_F(PhotoCrashTest, WorkOfAnotherPrecisionIsNeverContinued) {
  options_.batches_in_flight = 1;
  fail_after_images_ = 9;
  ASSERT_FALSE(run());
  EXPECT_EQ(work_folders(), 2U);
  fail_after_images_ = -1;
  vision_precision_ = "bf16";
  const auto other = run();
  ASSERT_TRUE(other) << other.error().message;
  EXPECT_EQ(other->resumed_texts, 19U);
  EXPECT_EQ(other->resumed_photos, 0U);
  EXPECT_EQ(work_folders(), 0U);
}

TEST_F(PhotoCrashTest, DamagedWorkIsBegunAnew) {
  options_.batches_in_flight = 1;
  ASSERT_TRUE(run());
  const auto expected = current_bytes();
  // A vector that is not what was written; a rejected photo that is not known any more; one rejected too many.
  for (const int damage : {0, 1, 2}) {
    SCOPED_TRACE(damage);
    start_over();
    fail_after_images_ = 12;
    ASSERT_FALSE(run());
    fail_after_images_ = -1;
    bool done = false;
    for (const auto& entry : std::filesystem::directory_iterator(data().generations())) {
      if (!entry.path().filename().string().starts_with(".building-")) continue;
      std::string record = read_text(entry.path() / "progress.json");
      if (record.find("photo_v1") == std::string::npos) continue;
      const std::string rejected = ",\"rejected\":[[";
      const std::size_t at = record.find(rejected);
      ASSERT_NE(at, std::string::npos) << record;
      if (damage == 0) {
        std::string bytes = read_text(entry.path() / "vectors.work");
        bytes[70] = static_cast<char>(bytes[70] ^ 1);
        write_text(entry.path() / "vectors.work", bytes);
      } else if (damage == 1) {
        write_text(entry.path() / "progress.json", record.substr(0, at) + "}\n");
      } else {
        record.insert(at + rejected.size() - 1, "[0,\"invented\"],");
        write_text(entry.path() / "progress.json", record);
      }
      done = true;
    }
    ASSERT_TRUE(done);
    const auto again = run();
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(again->resumed_photos, 0U);
    EXPECT_EQ(again->resumed_texts, 19U);
    EXPECT_THAT(again->notes, Contains(HasSubstr("every photo is embedded again")));
    EXPECT_TRUE(current_bytes() == expected);
  }
}

}  // namespace
}  // namespace scalestyle::ingest
