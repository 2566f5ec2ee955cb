// What more happens with than before.
#include <gmock/gmock.h>

#include "search/list_fixture.hpp"

namespace scalestyle::search {
namespace {

using events::Window;

class RisingListTest : public ListFixture {
 protected:
  static TrendingRequest rising(Window window) {
    TrendingRequest wanted;
    wanted.window = window;
    wanted.order = TrendingOrder::kRising;
    wanted.k = kMaxK;
    wanted.collapse = false;
    return wanted;
  }
};

TEST_F(RisingListTest, MostMoreThanBeforeFirst) {
  set_popularity(1, {0, 300, 2'100});  // as ever
  set_popularity(2, {0, 100, 160});
  set_popularity(3, {0, 40, 40});
  set_popularity(4, {0, 1, 1});
  auto& service = make();
  auto wanted = rising(Window::k24h);
  wanted.explain = true;
  const auto outcome = run(service, wanted);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(ids(outcome), (std::vector{id_of(3), id_of(2)}));
  EXPECT_EQ(outcome->total, 2U);
  EXPECT_FALSE(outcome->fallback_source);
  const AnswerItem& item = outcome->items[1];
  EXPECT_EQ(item.reason, "Rising in the last 24 hours.");
  ASSERT_TRUE(item.explanation->rising);
  EXPECT_EQ(item.explanation->rising->now, 100);
  EXPECT_EQ(item.explanation->rising->before, 60);
  EXPECT_EQ(item.explanation->rising->lengths, 6);
  EXPECT_DOUBLE_EQ(item.explanation->rising->ratio, 102.0 * 6 / 72);
  EXPECT_GT(outcome->items[0].score, outcome->items[1].score);
  // The list by popularity is as it was.
  TrendingRequest popular;
  popular.k = 1;
  EXPECT_EQ(ids(run(service, popular)), (std::vector{id_of(1)}));
}

TEST_F(RisingListTest, TheHourAgainstTheRestOfTheDayInsideTheFilters) {
  set_popularity(1, {50, 60, 60});  // blue
  set_popularity(3, {50, 90, 90});  // red
  auto& service = make();
  auto wanted = rising(Window::k1h);
  EXPECT_EQ(ids(run(service, wanted)), (std::vector{id_of(1), id_of(3)}));
  wanted.filter[catalog::FilterField::kColour] = {"red"};
  const auto red = run(service, wanted);
  EXPECT_EQ(ids(red), (std::vector{id_of(3)}));
  EXPECT_EQ(red->items[0].reason, "Rising in the last hour: Trousers in Red.");
}

TEST_F(RisingListTest, WhereNothingRisesWhatIsPopularIsServedAndNamed) {
  auto& service = make();
  const auto ever = run(service, rising(Window::k1h));
  ASSERT_TRUE(ever);
  EXPECT_EQ(ever->fallback_source, FallbackSource::kGlobalPopular);
  set_popularity(1, {1, 20, 140});
  const auto day = run(service, rising(Window::k24h));
  EXPECT_EQ(ids(day), (std::vector{id_of(1)}));
  EXPECT_EQ(day->fallback_source, FallbackSource::kPopular24h);
  EXPECT_EQ(day->items[0].reason, "Popular in the last 24 hours.");
  EXPECT_TRUE(day->degradations.empty());
}

TEST_F(RisingListTest, AWeekIsRefused) {
  auto& service = make();
  const auto outcome = run(service, rising(Window::k7d));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().error.code, core::ErrorCode::kInvalidArgument);
  EXPECT_EQ(outcome.error().error.field, "window");
}

}  // namespace
}  // namespace scalestyle::search
