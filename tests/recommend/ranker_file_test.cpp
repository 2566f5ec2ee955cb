#include "recommend/ranker_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "core/files.hpp"
#include "support/temporary_folder.hpp"

namespace scalestyle::recommend {
namespace {

using testing::HasSubstr;

ranking::Ranker ranker(std::string id, double low) {
  return {.id = std::move(id),
          .trees = ranking::TreeEnsemble::make({{{.value = 1}}}, ranking::kRankerFeatureCount, 0).value(),
          .weights = ranking::ForYouOptions::default_weights(),
          .verdict = {.difference = 0.01, .low = low, .high = 0.02}};
}

class RankerFileTest : public testing::Test {
 protected:
  void write(const std::string& id, double low) {
    const auto written = write_ranker(folder_.path(), ranker(id, low), "{}");
    ASSERT_TRUE(written.has_value()) << written.error().message;
  }
  [[nodiscard]] std::filesystem::path model(const std::string& id) const { return folder_ / ("rankers/" + id + "/model.bin"); }
  [[nodiscard]] std::unique_ptr<RankerFile> opened(const std::string& choice) const {
    auto file = RankerFile::open(folder_.path(), choice);
    EXPECT_TRUE(file.has_value()) << file.error().message;
    return std::move(file).value();
  }

  support::TemporaryFolder folder_;
};

TEST_F(RankerFileTest, WithoutARankerTheBlendIsInForce) {
  const auto file = opened("auto");
  EXPECT_EQ(file->current()->ranker, nullptr);
  EXPECT_EQ(file->current()->why, "the blend: no ranker was trained");
  EXPECT_FALSE(file->follow().value());
}

TEST_F(RankerFileTest, TakesTheOneTrainedLastWhereItBeatsTheBlend) {
  write("good", 0.001);
  const auto file = opened("auto");
  ASSERT_NE(file->current()->ranker, nullptr);
  EXPECT_EQ(file->current()->id, "good");
  EXPECT_EQ(std::filesystem::exists(folder_ / "rankers/good/report.json"), true);

  write("unsure", -0.001);
  EXPECT_TRUE(file->follow().value());
  EXPECT_EQ(file->current()->ranker, nullptr);
  EXPECT_EQ(file->current()->id, "unsure");
  EXPECT_THAT(file->current()->why, HasSubstr("does not beat it for certain (+0.01000 MAP@12, 95 % interval -0.00100 … +0.02000)"));

  write("better", 0.002);
  const auto before = file->current();
  EXPECT_TRUE(file->follow().value());
  EXPECT_EQ(file->current()->ranker->id, "better");
  EXPECT_EQ(before->id, "unsure");  // a request keeps what it had
  EXPECT_FALSE(file->follow().value());
}

TEST_F(RankerFileTest, ASettingChoosesAnyOrNone) {
  write("good", 0.001);
  write("unsure", -0.001);
  EXPECT_EQ(opened("off")->current()->ranker, nullptr);
  const auto forced = opened("unsure");
  ASSERT_NE(forced->current()->ranker, nullptr);
  EXPECT_THAT(forced->current()->why, HasSubstr("as the setting says"));
  write("other", 0.001);
  EXPECT_FALSE(forced->follow().value());
  EXPECT_EQ(forced->current()->id, "unsure");
  EXPECT_EQ(RankerFile::open(folder_.path(), "absent").error().code, core::ErrorCode::kNotFound);
  EXPECT_EQ(RankerFile::open(folder_.path(), "../x").error().field, "ranker");
}

TEST_F(RankerFileTest, ADamagedRankerLeavesTheOneBefore) {
  write("good", 0.001);
  const auto file = opened("auto");
  write("broken", 0.001);
  std::ofstream(model("broken"), std::ios::trunc) << "SSRANKER";
  const auto followed = file->follow();
  ASSERT_FALSE(followed.has_value());
  EXPECT_THAT(followed.error().message, HasSubstr("model.bin"));
  EXPECT_EQ(file->current()->id, "good");
  EXPECT_FALSE(file->follow().value());  // told once

  const auto fresh = opened("auto");
  EXPECT_EQ(fresh->current()->ranker, nullptr);
  EXPECT_THAT(fresh->current()->why, HasSubstr("the blend: "));
  EXPECT_EQ(RankerFile::open(folder_.path(), "broken").error().code, core::ErrorCode::kDataLoss);
}

TEST_F(RankerFileTest, ARankerOfAnotherIdIsRefused) {
  write("good", 0.001);
  write("other", 0.001);
  std::filesystem::copy_file(model("good"), model("other"), std::filesystem::copy_options::overwrite_existing);
  EXPECT_THAT(read_ranker(folder_.path(), "other").error().message, HasSubstr("it holds the ranker good"));
  ASSERT_TRUE(core::write_file_atomically(folder_ / "rankers/CURRENT", "../good\n").has_value());
  EXPECT_EQ(choose_ranker(folder_.path(), "auto").error().code, core::ErrorCode::kDataLoss);
}

}  // namespace
}  // namespace scalestyle::recommend
