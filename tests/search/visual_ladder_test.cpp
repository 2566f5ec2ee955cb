// What is left of a search by picture when a part of it fails, what is the request's own fault, and what many who ask cost.

#include <gtest/gtest.h>

#include <algorithm>
#include <latch>
#include <optional>

#include "search/why_not.hpp"
#include "visual_fixture.hpp"

namespace scalestyle::search {
namespace {

using core::ErrorCode;
using std::chrono::milliseconds;

class VisualLadderTest : public VisualFixture {
 protected:
  static core::Error away() { return {ErrorCode::kUnavailable, "away"}; }
  static StageOutcome stage(const std::vector<StageReport>& stages, Stage stage) {
    const auto found = std::ranges::find(stages, stage, &StageReport::stage);
    return found == stages.end() ? StageOutcome::kSkipped : found->outcome;
  }
  // Runs a search without waiting for it.
  struct Pending {
    std::optional<SearchOutcome> outcome;
    std::latch done{1};
    core::Operation operation;
  };
  static std::unique_ptr<Pending> begin(SearchService& service, SearchRequest wanted) {
    auto pending = std::make_unique<Pending>();
    pending->operation = core::start(as_result(service.search(std::move(wanted))), [raw = pending.get()](core::Result<SearchOutcome>&& outcome) {
      if (outcome) raw->outcome.emplace(std::move(*outcome));
      raw->done.count_down();
    });
    return pending;
  }
  static core::Task<core::Result<SearchOutcome>> as_result(core::Task<SearchOutcome> search) {
    co_return core::Result<SearchOutcome>(co_await std::move(search));
  }
};

TEST_F(VisualLadderTest, AHybridSearchSurvivesTheLossOfItsPicturesSide) {
  auto& service = see();
  const auto words = run(service, request("red socks"));
  const auto expect_words = [&](SearchRequest wanted) {
    const auto outcome = run(service, std::move(wanted));
    ASSERT_TRUE(outcome) << outcome.error().error.message;
    EXPECT_EQ(ids(outcome), ids(words));
    EXPECT_EQ(outcome->degradations, std::vector{DegradationReason::kHybridImagePathFailedTextOnly});
    EXPECT_FALSE(outcome->fallback_source);
    EXPECT_TRUE(outcome->items.front().text_score && !outcome->items.front().image_score);
  };
  images_.fail_with(away());
  expect_words(hybrid("red socks", photo_of(5)));
  images_.fail_with(std::nullopt);
  photos_.fail_search_with(away());
  expect_words(hybrid("red socks", photo_of(5)));
  photos_.fail_search_with(std::nullopt);
  images_.gate().hold();
  auto hurried = hybrid("red socks", photo_of(6));
  hurried.deadline = in(milliseconds(200));
  expect_words(std::move(hurried));
  images_.gate().release();
  // What was degraded is not kept.
  EXPECT_TRUE(run(service, hybrid("red socks", photo_of(5))).value().degradations.empty());
}

TEST_F(VisualLadderTest, AHybridSearchSurvivesTheLossOfItsTextsSide) {
  auto& service = see();
  const auto photos = run(service, like(photo_of(5)));
  auto wanted = hybrid("qqqq", photo_of(5));  // a word that nothing has
  encoder_.fail_with(away());
  const auto outcome = run(service, wanted);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(ids(outcome), ids(photos));
  EXPECT_EQ(scores(outcome), scores(photos));
  EXPECT_EQ(outcome->degradations, std::vector{DegradationReason::kHybridTextPathFailedImageOnly});
  EXPECT_TRUE(outcome->items.front().image_score && !outcome->items.front().text_score);
  // Where words find something the side is not lost, only its meaning is.
  const auto by_words = run(service, hybrid("red socks", photo_of(5)));
  ASSERT_TRUE(by_words);
  EXPECT_EQ(by_words->degradations, std::vector{DegradationReason::kInferenceUnavailable});
  EXPECT_TRUE(by_words->items.front().text_score && by_words->items.front().image_score);
}

TEST_F(VisualLadderTest, BothSidesAreRecalledAtOnce) {
  auto& service = see();
  encoder_.hold();
  images_.gate().hold();
  const auto pending = begin(service, hybrid("red socks", photo_of(5)));
  encoder_.wait_until_held(1);      // neither waits for the other
  images_.gate().wait_until_held(1);
  encoder_.release();
  images_.gate().release();
  pending->done.wait();
  ASSERT_TRUE(pending->outcome && *pending->outcome);
  EXPECT_TRUE((*pending->outcome)->degradations.empty());
}

TEST_F(VisualLadderTest, APictureAloneHasNoWordsToFallBackTo) {
  for (int i = 20; i < 40; ++i) set_popularity(i, {0, 500, 500}, 500);
  refresh_popularity();
  auto& service = see();
  images_.fail_with(away());
  const auto popular = run(service, like(photo_of(5)));
  ASSERT_TRUE(popular) << popular.error().error.message;
  EXPECT_EQ(popular->degradations, (std::vector{DegradationReason::kInferenceUnavailable, DegradationReason::kCacheMiss}));
  EXPECT_EQ(popular->fallback_source, FallbackSource::kPopular24h);
  EXPECT_FALSE(popular->items.front().image_score);

  images_.fail_with(std::nullopt);
  const auto good = run(service, like(photo_of(5)));
  publish_with_photos("b", articles());
  photos_.fail_search_with(away());
  const auto stale = run(service, like(photo_of(5)));  // while the list may stand in
  ASSERT_TRUE(stale);
  EXPECT_EQ(ids(stale), ids(good));

  photos_.fail_search_with(std::nullopt);
  publish("c");  // without photos
  const auto refused = run(service, like("a picture that nobody asked for"));
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->degradations.front(), DegradationReason::kRetrievalUnavailable);
  EXPECT_EQ(stage(refused->stages, Stage::kEmbedImage), StageOutcome::kRefused);
}

TEST_F(VisualLadderTest, LimitsThatWereReachedStayRefusals) {
  auto& service = see();
  images_.fail_with(core::Error{ErrorCode::kResourceExhausted, "too many wait"});
  const auto outcome = run(service, hybrid("red socks", photo_of(5)));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().reason, DegradationReason::kDownstreamCapacityRejected);
  EXPECT_FALSE(outcome.error().picture_refused) << "the server is full, not the picture large";
}

TEST_F(VisualLadderTest, APictureThatCannotBeReadIsTheRequestsFault) {
  auto& service = see();
  const std::vector<std::pair<std::string, ErrorCode>> bad{{"damaged", ErrorCode::kInvalidArgument},
                                                           {"no picture", ErrorCode::kUnsupported},
                                                           {"too large", ErrorCode::kResourceExhausted}};
  for (const auto& [bytes, code] : bad) {
    for (const SearchRequest& wanted : {like(bytes), hybrid("red socks", bytes), visual(VisualMode::kMultimodal, "red", bytes)}) {
      const auto outcome = run(service, wanted);
      ASSERT_FALSE(outcome) << bytes;
      EXPECT_EQ(outcome.error().error.code, code);
      EXPECT_EQ(outcome.error().error.field, "image");
      EXPECT_TRUE(outcome.error().picture_refused);
      EXPECT_FALSE(outcome.error().reason);
      EXPECT_FALSE(outcome.error().error.message.empty());
    }
  }
  // Also for those who wait for what another looks for.
  images_.gate().hold();
  std::vector<std::unique_ptr<Pending>> pending;
  for (int i = 0; i < 3; ++i) pending.push_back(begin(service, like("damaged")));
  images_.gate().wait_until_held(1);
  images_.gate().release();
  for (const auto& one : pending) {
    one->done.wait();
    ASSERT_TRUE(one->outcome && !*one->outcome);
    EXPECT_TRUE(one->outcome->error().picture_refused);
  }
}

TEST_F(VisualLadderTest, FiftyEqualPicturesAtOnceAreEncodedOnce) {
  auto& service = see({.list_cache = {.max_bytes = 0}});  // each makes its own list
  images_.gate().hold();
  std::vector<std::unique_ptr<Pending>> pending;
  for (int i = 0; i < 50; ++i) {
    pending.push_back(begin(service, i % 2 == 0 ? like(photo_of(5)) : hybrid("red socks", photo_of(5))));
  }
  images_.gate().wait_until_held(1);
  images_.gate().release();
  for (const auto& one : pending) {
    one->done.wait();
    ASSERT_TRUE(one->outcome && *one->outcome);
    EXPECT_TRUE((*one->outcome)->degradations.empty());
  }
  EXPECT_EQ(images_.images(), std::vector{photo_of(5)});
}

TEST_F(VisualLadderTest, WithoutVisionTheAnswerSaysHowToSwitchItOn) {
  auto& service = make();
  const auto expect_off = [&](const SearchRequest& wanted, const char* field) {
    const auto outcome = run(service, wanted);
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().error.code, ErrorCode::kUnavailable);
    EXPECT_EQ(outcome.error().error.field, field);
    EXPECT_NE(outcome.error().error.message.find("vision_enabled=true"), std::string::npos);
    EXPECT_FALSE(outcome.error().reason);
  };
  expect_off(like("any"), "mode");
  expect_off(hybrid("red socks", "any"), "mode");
  auto wanted = request("red socks");
  wanted.legs.image = true;
  expect_off(wanted, "legs");
  EXPECT_FALSE(service.picture_cache_stats());
}

TEST_F(VisualLadderTest, VectorsOfAnotherModelAreRefused) {
  auto snapshot = std::make_shared<ports::CatalogSnapshot>(*support::make_snapshot("x", articles(), encoder_.info()));
  snapshot->info.image_encoder = images_.info();
  snapshot->info.image_encoder->model = "another-model";
  catalogs_.publish(snapshot);
  core::sync_wait(holder_.refresh(core::Deadline::never())).value();
  EXPECT_NE(holder_.serving()->picture_refusal().find("another-model"), std::string::npos);
  auto& service = see();
  const auto outcome = run(service, hybrid("red socks", photo_of(5)));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->degradations, std::vector{DegradationReason::kHybridImagePathFailedTextOnly});
  EXPECT_TRUE(images_.images().empty());
}

TEST_F(VisualLadderTest, ALegOfPhotosThatFailsLeavesTheOthers) {
  auto& service = see();
  const auto words = run(service, request("red socks"));
  images_.fail_with(away());
  auto wanted = request("red socks");
  wanted.legs.image = true;
  const auto outcome = run(service, wanted);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(ids(outcome), ids(words));
  EXPECT_EQ(outcome->degradations, std::vector{DegradationReason::kInferenceUnavailable});
  encoder_.fail_with(away());
  EXPECT_EQ(run(service, wanted).value().degradations, std::vector{DegradationReason::kInferenceUnavailable});
}

TEST_F(VisualLadderTest, WhyAnArticleIsNotOnAPageOfPhotos) {
  auto& service = see();
  const auto ask = [&](SearchRequest wanted, int number) {
    return core::sync_wait(service.why_not(WhyNotRequest{std::move(wanted), id_of(number)}));
  };
  for (SearchRequest wanted : {like(photo_of(5)), hybrid("red socks", photo_of(5))}) {
    wanted.k = 10;
    const auto page = ids(run(service, wanted));
    for (int i = 0; i < kArticles; ++i) {
      const auto verdict = ask(wanted, i);
      ASSERT_TRUE(verdict) << verdict.error().error.message;
      EXPECT_EQ(verdict->on_page, std::ranges::find(page, id_of(i)) != page.end()) << id_of(i) << verdict->detail;
      const auto leg = std::ranges::find(verdict->facts.legs, ranking::Leg::kImage, &WhyNotLeg::leg);
      ASSERT_NE(leg, verdict->facts.legs.end());
      EXPECT_TRUE(leg->searched);
      EXPECT_EQ(leg->recalled, has_photo(i));
      EXPECT_EQ(leg->rank.has_value(), has_photo(i));
    }
  }
  const auto without = ask(like(photo_of(5)), 9);
  EXPECT_EQ(without->cause, WhyNotCause::kNotRecalled);
  EXPECT_NE(without->detail.find("no photo"), std::string::npos) << without->detail;

  auto& shallow = see({.pool_size = 5});
  const auto deep = core::sync_wait(shallow.why_not(WhyNotRequest{like(photo_of(5)), id_of(33)}));
  ASSERT_TRUE(deep);
  EXPECT_EQ(deep->cause, WhyNotCause::kNotRecalled);
  EXPECT_GT(deep->facts.legs.front().rank.value_or(0), 5U);

  SearchRequest own = visual(VisualMode::kImageToImage);
  own.visual->article = catalog::ArticleId::parse(id_of(5)).value();
  const auto itself = ask(own, 5);
  ASSERT_TRUE(itself);
  EXPECT_EQ(itself->cause, WhyNotCause::kFiltered);
  EXPECT_EQ(itself->facts.filters_failed, std::vector<std::string>{"article"});
  const auto damaged = ask(like("damaged"), 5);
  ASSERT_FALSE(damaged);
  EXPECT_TRUE(damaged.error().picture_refused);
}

}  // namespace
}  // namespace scalestyle::search
