#include "ingest/progress.hpp"

#include <gmock/gmock.h>

#include <string>

namespace scalestyle::ingest {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ManualClock final : public core::Clock {
 public:
  [[nodiscard]] core::SteadyTime steady_now() const override { return now; }
  [[nodiscard]] core::WallTime wall_now() const override { return {}; }
  core::SteadyTime now{std::chrono::hours(1)};
};

class ProgressTest : public ::testing::Test {
 protected:
  TextProgress make(bool terminal) {
    return {{.terminal = terminal}, clock_, [this](std::string_view text) { out_ += text; }};
  }
  ManualClock clock_;
  std::string out_;
};

TEST_F(ProgressTest, PlainLinesComeEverySoOftenWithRateAndTimeLeft) {
  auto progress = make(false);
  progress.embedding({.total = 1000, .done = 100, .resumed = 100});
  EXPECT_EQ(out_, "embedding 100/1000 texts, 10 %\n");
  clock_.now += std::chrono::seconds(2);
  progress.embedding({.total = 1000, .done = 200, .resumed = 100, .tokens_done = 8000});
  EXPECT_EQ(out_, "embedding 100/1000 texts, 10 %\n");
  clock_.now += std::chrono::seconds(8);
  out_.clear();
  progress.embedding({.total = 1000, .done = 600, .resumed = 100, .tokens_done = 40000});
  EXPECT_EQ(out_, "embedding 600/1000 texts, 60 %, 50 texts/s, 4000 tokens/s, 8 s left\n");
  out_.clear();
  progress.embedding({.total = 1000, .done = 1000, .resumed = 100, .tokens_done = 72000});
  EXPECT_EQ(out_, "embedding 1000/1000 texts, 100 %, 90 texts/s, 7200 tokens/s\n");
}

TEST_F(ProgressTest, PhotosHaveARateOfTheirOwn) {
  auto progress = make(false);
  progress.embedding({.total = 10, .done = 10, .tokens_done = 100});
  clock_.now += std::chrono::seconds(60);
  progress.embedding({.noun = "photo", .total = 100, .done = 0});
  clock_.now += std::chrono::seconds(10);
  out_.clear();
  progress.embedding({.noun = "photo", .total = 100, .done = 25});
  EXPECT_EQ(out_, "embedding 25/100 photos, 25 %, 2.5 photos/s, 30 s left\n");
}

TEST_F(ProgressTest, ATerminalLineIsRedrawnAndEndedBeforeANote) {
  auto progress = make(true);
  progress.reading("articles", 2048, 0.25);
  EXPECT_EQ(out_, "\rreading articles: 2048 rows, 25 %\x1b[K");
  progress.note("hello");
  EXPECT_THAT(out_, ::testing::EndsWith("\x1b[K\nhello\n"));
  out_.clear();
  clock_.now += std::chrono::seconds(1);
  progress.embedding({.total = 4, .done = 2});
  EXPECT_THAT(out_, HasSubstr("[############............]"));
  EXPECT_THAT(out_, Not(HasSubstr("\n")));
  progress.embedding({.total = 4, .done = 4});
  EXPECT_THAT(out_, ::testing::EndsWith("\n"));
}

TEST(FormatDuration, UsesTheUnitThatFits) {
  EXPECT_EQ(format_duration(-1), "0 s");
  EXPECT_EQ(format_duration(59.4), "59 s");
  EXPECT_EQ(format_duration(365), "6 min 05 s");
  EXPECT_EQ(format_duration(3725), "1 h 02 min");
}

}  // namespace
}  // namespace scalestyle::ingest
