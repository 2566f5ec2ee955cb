// What the setting `fallback` leaves out of the ladder.

#include "search/fallback_steps.hpp"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "visual_fixture.hpp"

namespace scalestyle::search {
namespace {

using catalog::FilterField;
using core::ErrorCode;
using testing::HasSubstr;

class FallbackStepsTest : public VisualFixture {
 protected:
  // Red articles alone are popular now: twelve today, twenty this week.
  FallbackStepsTest() {
    for (int i = 0; i < kArticles; i += 3) set_popularity(i, {0, i < 36 ? 2.0 : 0.0, 3.0});
    refresh_popularity();
  }

  SearchService& with(const std::string& steps) {
    return see({.list_cache = {.stale_for = std::chrono::milliseconds(0)}, .fallback = FallbackSteps::parse(steps).value()});
  }
  void break_encoder() { encoder_.fail_with(core::Error{ErrorCode::kUnavailable, "away"}); }
  void break_images() { images_.fail_with(core::Error{ErrorCode::kUnavailable, "away"}); }

  // Where the items come from once models are away, of a query whose list was kept before the catalogue changed; "words" when it is
  // answered, else the label; "503" when it is not.
  std::string served(const std::string& steps, const std::string& query, bool asked_before = false) {
    encoder_.fail_with(std::nullopt);
    auto& service = with(steps);
    if (asked_before) {
      EXPECT_TRUE(run(service, request(query)).value().degradations.empty());
      publish_with_photos("after " + steps, articles());
      refresh_popularity();
    }
    break_encoder();
    return source_of(run(service, request(query)));
  }
  static std::string source_of(const SearchOutcome& outcome) {
    if (!outcome) {
      EXPECT_EQ(outcome.error().reason, DegradationReason::kInferenceUnavailable);
      EXPECT_EQ(outcome.error().error.code, ErrorCode::kUnavailable);
      return "503";
    }
    EXPECT_FALSE(outcome->items.empty());
    EXPECT_FALSE(outcome->degradations.empty());
    return outcome->fallback_source ? std::string(to_string(*outcome->fallback_source)) : "words";
  }
};

TEST(FallbackStepNames, AreThoseOfTheLabels) {
  const auto steps = FallbackSteps::parse("cached, words").value();
  EXPECT_TRUE(steps.allow(FallbackStep::kWords) && steps.allow(FallbackStep::kCached));
  EXPECT_EQ(steps.left_out(), "other_side,popular_24h,popular_7d,global_popular");
  EXPECT_TRUE(steps.tiers().empty());
  EXPECT_EQ(FallbackSteps().left_out(), "");
  EXPECT_EQ(FallbackSteps::parse("all").value().tiers().size(), 3U);
  EXPECT_EQ(FallbackSteps::parse("none").value().left_out(), "words,other_side,cached,popular_24h,popular_7d,global_popular");
  EXPECT_EQ(to_string(FallbackStep::kCached), to_string(FallbackSource::kCached));
  EXPECT_EQ(to_string(FallbackStep::kPopular24h), to_string(FallbackSource::kPopular24h));
  EXPECT_EQ(to_string(FallbackStep::kPopular7d), to_string(FallbackSource::kPopular7d));
  EXPECT_EQ(to_string(FallbackStep::kGlobalPopular), to_string(FallbackSource::kGlobalPopular));
}

TEST(FallbackStepNames, AWrongOneIsToldWithTheNearest) {
  const auto wrong = [](const std::string& text) {
    const auto steps = FallbackSteps::parse(text);
    EXPECT_FALSE(steps) << text;
    EXPECT_EQ(steps.error().field, "fallback");
    return steps.error().message;
  };
  EXPECT_THAT(wrong("words,popular_7days"), HasSubstr("\"popular_7days\", did you mean \"popular_7d\"?"));
  EXPECT_THAT(wrong("words,"), HasSubstr("there is no step \"\""));
  EXPECT_THAT(wrong(""), HasSubstr("the steps are words, other_side, cached, popular_24h"));
  EXPECT_THAT(wrong("words,words"), HasSubstr("words twice"));
  EXPECT_THAT(wrong("words,all"), HasSubstr("\"all\""));
}

TEST_F(FallbackStepsTest, EachStepLeftOutGivesWayToTheNext) {
  EXPECT_EQ(served("all", "red socks"), "words");
  EXPECT_EQ(served("other_side,cached,popular_24h,popular_7d,global_popular", "red socks", true), "cached");
  EXPECT_EQ(served("words,other_side,popular_24h,popular_7d,global_popular", "zzzz", true), "popular_24h");
  EXPECT_EQ(served("words,other_side,cached,popular_7d,global_popular", "zzzz"), "popular_7d");
  EXPECT_EQ(served("words,other_side,cached,global_popular", "zzzz"), "global_popular");
  EXPECT_EQ(served("words,other_side,cached,popular_24h,global_popular", "zzzz"), "popular_24h");
  EXPECT_EQ(served("words,other_side,cached", "zzzz"), "503");
}

TEST_F(FallbackStepsTest, EachStepAloneIsReached) {
  EXPECT_EQ(served("words", "red socks"), "words");
  EXPECT_EQ(served("cached", "red socks", true), "cached");
  EXPECT_EQ(served("popular_24h", "red socks"), "popular_24h");
  EXPECT_EQ(served("popular_7d", "red socks"), "popular_7d");
  EXPECT_EQ(served("global_popular", "red socks"), "global_popular");
  for (const char* none : {"none", "other_side", "cached"}) EXPECT_EQ(served(none, "red socks"), "503") << none;
  EXPECT_EQ(served("words", "zzzz"), "503");
}

TEST_F(FallbackStepsTest, AListThatWasNotLookedForIsNotMissed) {
  static_cast<void>(served("popular_24h", "zzzz"));
  const auto outcome = run(*services_.back(), request("zzzz"));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->degradations, std::vector{DegradationReason::kInferenceUnavailable});
}

TEST_F(FallbackStepsTest, AWindowWithNothingInsideTheFiltersIsNoAnswer) {
  auto blue = request("zzzz");
  blue.filter[FilterField::kColour] = {"blue"};
  break_encoder();
  EXPECT_EQ(source_of(run(with("popular_24h,popular_7d"), blue)), "503");
  EXPECT_EQ(source_of(run(with("popular_24h,global_popular"), blue)), "global_popular");
  blue.sort = SearchSort::kPriceAscending;
  EXPECT_EQ(source_of(run(with("popular_7d"), blue)), "503");
  EXPECT_EQ(source_of(run(with("global_popular"), blue)), "global_popular");
  blue.filter[FilterField::kColour] = {"no such colour"};
  EXPECT_EQ(run(with("none"), blue).value().total, 0U);  // an honest empty
}

TEST_F(FallbackStepsTest, ASideOfAHybridSearchStandsInOnlyWhereItMay) {
  const std::string others = "words,cached,popular_24h,popular_7d,global_popular";
  const auto photos = run(with("all"), like(photo_of(5)));
  break_encoder();
  const auto by_photos = run(with("other_side"), hybrid("qqqq", photo_of(5)));
  ASSERT_TRUE(by_photos);
  EXPECT_EQ(ids(by_photos), ids(photos));
  EXPECT_EQ(by_photos->degradations, std::vector{DegradationReason::kHybridTextPathFailedImageOnly});
  EXPECT_EQ(source_of(run(with(others), hybrid("qqqq", photo_of(5)))), "popular_24h");
  EXPECT_EQ(source_of(run(with("words"), hybrid("qqqq", photo_of(5)))), "503");

  // Words left out: what they find is no side of it.
  const auto without_words = run(with("other_side"), hybrid("red socks", photo_of(5)));
  ASSERT_TRUE(without_words);
  EXPECT_EQ(ids(without_words), ids(photos));
  EXPECT_EQ(without_words->degradations, std::vector{DegradationReason::kHybridTextPathFailedImageOnly});
  const auto with_words = run(with("words"), hybrid("red socks", photo_of(5)));
  ASSERT_TRUE(with_words);
  EXPECT_EQ(with_words->degradations, std::vector{DegradationReason::kInferenceUnavailable});
  EXPECT_TRUE(with_words->items.front().text_score && with_words->items.front().image_score);

  encoder_.fail_with(std::nullopt);
  break_images();
  const auto by_text = run(with("other_side"), hybrid("red socks", photo_of(5)));
  ASSERT_TRUE(by_text);
  EXPECT_EQ(by_text->degradations, std::vector{DegradationReason::kHybridImagePathFailedTextOnly});
  EXPECT_EQ(source_of(run(with(others), hybrid("red socks", photo_of(5)))), "popular_24h");
  EXPECT_EQ(source_of(run(with("words"), hybrid("red socks", photo_of(5)))), "503");
}

}  // namespace
}  // namespace scalestyle::search
