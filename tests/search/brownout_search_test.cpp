// What searches leave out under pressure, and that they say so.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "visual_fixture.hpp"

namespace scalestyle::search {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::UnorderedElementsAre;
using enum DegradationReason;

class BrownoutSearchTest : public VisualFixture {
 protected:
  // Each request finds pressure, and leaves out a step more than the one before it.
  SearchService& make_pressed(bool enabled = true) {
    SearchOptions options;
    options.door.brownout = {.enabled = enabled, .high = -1, .low = -2, .rise = std::chrono::milliseconds(0),
                             .fall = std::chrono::hours(1)};
    return see(std::move(options), true);
  }
};

TEST_F(BrownoutSearchTest, EachStepLeavesOutMoreAndIsNamed) {
  auto& service = make_pressed();
  const auto less = run(service, request("Name 1"));
  ASSERT_TRUE(less);
  EXPECT_EQ(less->degradations, std::vector{kRerankPartial});
  ASSERT_TRUE(less->rerank);
  EXPECT_GT(less->rerank->scored, 0U);
  EXPECT_EQ(less->rerank->scored, less->rerank->planned / 2);

  const auto none = run(service, request("Name 2"));
  ASSERT_TRUE(none);
  EXPECT_EQ(none->degradations, std::vector{kRerankUnavailable});
  EXPECT_FALSE(none->rerank);

  const std::size_t calls = encoder_.batches().size();
  const auto no_pictures = run(service, hybrid("Name 3", photo_of(3)));
  ASSERT_TRUE(no_pictures);
  EXPECT_THAT(no_pictures->degradations, UnorderedElementsAre(kHybridImagePathFailedTextOnly, kRerankUnavailable));
  EXPECT_EQ(encoder_.batches().size(), calls + 1);

  const auto words = run(service, request("Name 4"));
  ASSERT_TRUE(words);
  EXPECT_THAT(words->degradations, UnorderedElementsAre(kInferenceUnavailable, kRerankUnavailable));
  EXPECT_FALSE(words->items.empty());
  EXPECT_EQ(encoder_.batches().size(), calls + 1);

  const auto picture = run(service, like(photo_of(5)));
  ASSERT_TRUE(picture);
  EXPECT_THAT(picture->degradations, Contains(kInferenceUnavailable));
  EXPECT_EQ(picture->fallback_source, FallbackSource::kGlobalPopular);
  EXPECT_THAT(metrics_.render(), HasSubstr("scalestyle_brownout_level 4"));
}

TEST_F(BrownoutSearchTest, WhatIsLeftOutIsNotKeptForOthers) {
  auto& pressed = make_pressed();
  for (int i = 0; i < 4; ++i) static_cast<void>(run(pressed, request("Name 1")));
  const auto words = run(pressed, request("Name 9"));
  EXPECT_THAT(words->degradations, Contains(kInferenceUnavailable));
  const auto again = run(pressed, request("Name 9"));
  EXPECT_THAT(again->degradations, Contains(kInferenceUnavailable));
}

TEST_F(BrownoutSearchTest, WhatWasJudgedBeforeIsNoWork) {
  auto& service = make_pressed();
  const auto half = run(service, request("Name 1"));
  const auto kept = run(service, request("Name 1"));  // reranking is left out now
  ASSERT_TRUE(half && kept);
  EXPECT_EQ(kept->degradations, std::vector{kRerankPartial});
  EXPECT_EQ(kept->rerank->scored, half->rerank->scored);
  EXPECT_EQ(ids(kept), ids(half));
}

TEST_F(BrownoutSearchTest, OffLeavesNothingOut) {
  auto& service = make_pressed(false);
  for (int i = 0; i < 6; ++i) EXPECT_TRUE(run(service, request("Name " + std::to_string(i)))->degradations.empty());
}

}  // namespace
}  // namespace scalestyle::search
