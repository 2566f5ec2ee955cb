#include "search/snapshot_holder.hpp"

#include <gtest/gtest.h>

#include "support/compute_threads.hpp"
#include "support/fake_catalog_store.hpp"
#include "support/fake_text_encoder.hpp"

namespace scalestyle::search {
namespace {

using core::Deadline;
using core::ErrorCode;

class SnapshotHolderTest : public testing::Test {
 protected:
  ~SnapshotHolderTest() override { compute_.stop(); }

  void publish(const std::string& generation) {
    store_.publish(support::make_snapshot(generation, {support::make_article("1", "shirt")}, encoder_.info()));
  }
  core::Result<RefreshOutcome> refresh() { return core::sync_wait(holder_.refresh(Deadline::never())); }

  support::ComputeThreads compute_;
  support::FakeTextEncoder encoder_{compute_.pool()};
  support::FakeCatalogStore store_;
  support::FakeVectorIndex index_{store_, compute_.pool()};
  SnapshotHolder holder_{store_, index_, encoder_.info()};
};

TEST_F(SnapshotHolderTest, ServesNothingBeforeTheFirstGeneration) {
  const auto outcome = refresh();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(holder_.serving(), nullptr);
  EXPECT_EQ(holder_.last_error(), outcome.error().message);
}

TEST_F(SnapshotHolderTest, SwitchesOnceForEachGenerationAndClosesTheOldOne) {
  publish("a");
  EXPECT_EQ(refresh(), RefreshOutcome::kSwitched);
  EXPECT_EQ(refresh(), RefreshOutcome::kUnchanged);
  EXPECT_EQ(store_.loads(), 1U);
  EXPECT_EQ(holder_.serving()->info().id.value(), "a");
  EXPECT_TRUE(index_.is_open("a"));
  publish("b");
  EXPECT_EQ(refresh(), RefreshOutcome::kSwitched);
  EXPECT_EQ(holder_.serving()->info().id.value(), "b");
  EXPECT_FALSE(index_.is_open("a"));
  EXPECT_TRUE(index_.is_open("b"));
}

TEST_F(SnapshotHolderTest, OldGenerationStaysOpenForItsLastHolder) {
  publish("a");
  ASSERT_TRUE(refresh());
  auto held = holder_.serving();
  publish("b");
  ASSERT_TRUE(refresh());
  EXPECT_TRUE(index_.is_open("a"));
  held.reset();
  EXPECT_FALSE(index_.is_open("a"));
}

TEST_F(SnapshotHolderTest, GoingBackToAHeldGenerationLeavesItOpenWhenTheOldHolderLetsGo) {
  publish("a");
  ASSERT_TRUE(refresh());
  auto held = holder_.serving();
  publish("b");
  ASSERT_TRUE(refresh());
  publish("a");
  EXPECT_EQ(refresh(), RefreshOutcome::kSwitched);
  held.reset();
  EXPECT_TRUE(index_.is_open("a"));
  EXPECT_FALSE(index_.is_open("b"));
}

TEST_F(SnapshotHolderTest, FailureLeavesTheServedGenerationAndIsForgottenAfterSuccess) {
  publish("a");
  ASSERT_TRUE(refresh());
  publish("b");
  index_.fail_open_with(core::Error{ErrorCode::kDataLoss, "vectors.i8 is damaged"});
  const auto outcome = refresh();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::kDataLoss);
  EXPECT_EQ(holder_.serving()->info().id.value(), "a");
  EXPECT_EQ(holder_.last_error(), "vectors.i8 is damaged");
  index_.fail_open_with(std::nullopt);
  EXPECT_EQ(refresh(), RefreshOutcome::kSwitched);
  EXPECT_EQ(holder_.last_error(), "");
}

TEST_F(SnapshotHolderTest, VectorsOfAnotherModelAreRefusedForDenseSearch) {
  ports::EncoderInfo other = encoder_.info();
  other.weights_hash = "another";
  store_.publish(support::make_snapshot("a", {support::make_article("1", "shirt")}, other));
  ASSERT_TRUE(refresh());
  EXPECT_NE(holder_.serving()->dense_refusal().find("other weights"), std::string::npos);
}

TEST(DenseMismatch, ComparesModelDimensionAndKnownWeights) {
  const ports::EncoderInfo query{"m", "h", "int8", 384, 512};
  EXPECT_EQ(dense_mismatch(query, query), "");
  EXPECT_EQ(dense_mismatch({"m", "h", "f32", 384, 512}, query), "");
  EXPECT_EQ(dense_mismatch({"m", "", "int8", 384, 512}, query), "");
  EXPECT_NE(dense_mismatch({"n", "h", "int8", 384, 512}, query), "");
  EXPECT_NE(dense_mismatch({"m", "h", "int8", 768, 512}, query), "");
  EXPECT_NE(dense_mismatch({"m", "i", "int8", 384, 512}, query), "");
}

}  // namespace
}  // namespace scalestyle::search
