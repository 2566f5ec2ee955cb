// Searches by picture: what each mode finds, the two sides of a hybrid search, and what everything else of a list makes of them.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <latch>
#include <map>
#include <set>

#include "visual_fixture.hpp"

namespace scalestyle::search {
namespace {

using catalog::FilterField;
using core::ErrorCode;
using ranking::Leg;

class VisualSearchTest : public VisualFixture {
 protected:
  struct Term {
    double weight = 0;
    std::string text;
  };
  // All photos by their cosine with the sum of what the texts stand for, best first.
  std::vector<std::pair<std::string, double>> nearest(const std::vector<Term>& terms) {
    std::vector<double> sum(8);
    for (const Term& term : terms) {
      const auto vector = support::vector_of_text(term.text, sum.size());
      for (std::size_t d = 0; d < sum.size(); ++d) sum[d] += term.weight * static_cast<double>(vector[d]);
    }
    double squares = 0;
    for (const double value : sum) squares += value * value;
    std::vector<std::pair<std::string, double>> found;
    for (int i = 0; i < kArticles; ++i) {
      if (!has_photo(i)) continue;
      const auto photo = support::vector_of_text(photo_of(i), sum.size());
      double cosine = 0;
      for (std::size_t d = 0; d < sum.size(); ++d) cosine += sum[d] / std::sqrt(squares) * static_cast<double>(photo[d]);
      found.emplace_back(id_of(i), cosine);
    }
    std::ranges::stable_sort(found, std::greater<>(), [](const auto& one) { return one.second; });
    return found;
  }
  // A list of one side: its order, and its scores from 1 down to almost 0.
  void expect_list(const SearchOutcome& outcome, const std::vector<std::pair<std::string, double>>& expected) {
    ASSERT_TRUE(outcome) << outcome.error().error.message;
    ASSERT_EQ(outcome->items.size(), expected.size());
    const double range = expected.front().second - expected.back().second;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const AnswerItem& item = outcome->items[i];
      EXPECT_EQ(item.article.id(), expected[i].first) << i;
      const double scaled = (expected[i].second - expected.back().second) / range;
      EXPECT_NEAR(item.score, std::max(1e-6, scaled), 1e-5);
      EXPECT_NEAR(item.image_score.value_or(-1), scaled, 1e-5);
      EXPECT_FALSE(item.text_score);
    }
    EXPECT_TRUE(outcome->degradations.empty());
  }
  static std::map<std::string, const AnswerItem*> by_id(const SearchOutcome& outcome) {
    std::map<std::string, const AnswerItem*> items;
    for (const AnswerItem& item : outcome->items) items[std::string(item.article.id())] = &item;
    return items;
  }
};

TEST_F(VisualSearchTest, APictureFindsPhotosLikeItItselfFirst) {
  auto& service = see();
  for (const int number : {0, 17, 58}) {
    const auto outcome = run(service, like(photo_of(number)));
    expect_list(outcome, nearest({{1, photo_of(number)}}));
    EXPECT_EQ(ids(outcome).front(), id_of(number));
    EXPECT_EQ(outcome->items.front().score, 1);
    EXPECT_EQ(outcome->total, 54U);
    EXPECT_EQ(outcome->total_relation, TotalRelation::kEqual);
  }
  EXPECT_TRUE(encoder_.batches().empty()) << "nothing is looked for by words' meaning";
  std::set<Stage> stages;
  const auto outcome = run(service, like("another"));
  for (const StageReport& report : outcome->stages) {
    if (report.outcome == StageOutcome::kOk) stages.insert(report.stage);
  }
  EXPECT_TRUE(stages.contains(Stage::kEmbedImage) && stages.contains(Stage::kRetrieveImage));
  EXPECT_FALSE(stages.contains(Stage::kLexical) || stages.contains(Stage::kEmbed));
}

TEST_F(VisualSearchTest, AnArticlesOwnPhotoFindsOthersLikeIt) {
  auto& service = see();
  SearchRequest wanted = visual(VisualMode::kImageToImage);
  wanted.visual->article = catalog::ArticleId::parse(id_of(17)).value();
  const auto outcome = run(service, wanted);
  auto expected = nearest({{1, photo_of(17)}});
  EXPECT_EQ(expected.front().first, id_of(17));
  expected.erase(expected.begin());
  expect_list(outcome, expected);
  EXPECT_TRUE(images_.images().empty()) << "the index knows its vector";

  wanted.visual->article = catalog::ArticleId::parse(id_of(19)).value();
  const auto without = run(service, wanted);
  ASSERT_FALSE(without);
  EXPECT_EQ(without.error().error.code, ErrorCode::kNotFound);
  EXPECT_EQ(without.error().error.field, "article");
  EXPECT_FALSE(without.error().reason) << "it is the request's fault";
  wanted.visual->article = catalog::ArticleId::parse("7777").value();
  EXPECT_EQ(run(service, wanted).error().error.field, "article");
}

TEST_F(VisualSearchTest, WordsFindPhotosAndMoveWhatIsLookedFor) {
  auto& service = see();
  expect_list(run(service, visual(VisualMode::kTextToImage, "nice things")), nearest({{1, "nice things"}}));

  SearchRequest wanted = visual(VisualMode::kMultimodal, "nice things", photo_of(5));
  expect_list(run(service, wanted), nearest({{0.5, photo_of(5)}, {0.5, "nice things"}}));
  wanted.visual->text_weight = 3;
  wanted.visual->image_weight = 1;
  expect_list(run(service, wanted), nearest({{0.25, photo_of(5)}, {0.75, "nice things"}}));
  wanted.visual->less_like = "dull things";
  expect_list(run(service, wanted), nearest({{0.25, photo_of(5)}, {0.75, "nice things"}, {-1, "dull things"}}));

  wanted = like(photo_of(5));
  wanted.visual->less_like = "dull things";
  expect_list(run(service, wanted), nearest({{1, photo_of(5)}, {-1, "dull things"}}));
  wanted = visual(VisualMode::kTextToImage, "nice things");
  wanted.visual->less_like = "dull things";
  expect_list(run(service, wanted), nearest({{1, "nice things"}, {-1, "dull things"}}));
  wanted.visual->less_like = "nice things";
  const auto nothing = run(service, wanted);
  ASSERT_FALSE(nothing);
  EXPECT_EQ(nothing.error().error.code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(nothing.error().error.field, "less_like");
  EXPECT_FALSE(nothing.error().picture_refused);
}

TEST_F(VisualSearchTest, AWeightOfNothingIsTheOtherModeAlone) {
  for (const bool reranks : {false, true}) {
    auto& service = see({}, reranks);
    const auto picture = run(service, like(photo_of(5)));
    const auto only_picture = run(service, hybrid("red socks", photo_of(5), 0, 1));
    expect_same_list(picture, only_picture);
    EXPECT_TRUE(only_picture->items.front().image_score && !only_picture->items.front().text_score);
    EXPECT_TRUE(only_picture->understood.empty()) << "the query is not read";

    const auto words = run(service, request("red socks"));
    const auto only_words = run(service, hybrid("red socks", photo_of(5), 2, 0));
    expect_same_list(words, only_words);
    EXPECT_FALSE(words->items.front().text_score);
    double greatest = 0;
    for (const AnswerItem& item : only_words->items) {
      EXPECT_FALSE(item.image_score);
      greatest = std::max(greatest, item.text_score.value_or(-1));
    }
    EXPECT_EQ(greatest, 1);
    expect_same_list(words, run(service, hybrid("red socks", {}, 1, 0)));
    expect_same_list(picture, run(service, hybrid({}, photo_of(5), 0, 3)));

    SearchRequest both = visual(VisualMode::kMultimodal, "red", photo_of(5));
    both.visual->text_weight = 0;
    expect_same_list(picture, run(service, both));
    both = visual(VisualMode::kMultimodal, "red", photo_of(5));
    both.visual->image_weight = 0;
    expect_same_list(run(service, visual(VisualMode::kTextToImage, "red")), run(service, both));
  }
}

TEST_F(VisualSearchTest, AHybridListIsTheWeightedSumOfBothSides) {
  auto& service = see();
  const auto text_of = by_id(run(service, request("red socks")));
  const auto words = run(service, request("red socks"));
  double least = 1;
  double greatest = 0;
  for (const double score : scores(words)) {
    least = std::min(least, score);
    greatest = std::max(greatest, score);
  }
  const auto picture = run(service, like(photo_of(5)));
  const auto outcome = run(service, hybrid("red socks", photo_of(5), 1, 3));
  ASSERT_TRUE(outcome);
  std::map<std::string, double> text;
  std::map<std::string, double> image;
  for (const AnswerItem& item : words->items) text[std::string(item.article.id())] = (item.score - least) / (greatest - least);
  for (const AnswerItem& item : picture->items) image[std::string(item.article.id())] = *item.image_score;
  double before = 1;
  for (const AnswerItem& item : outcome->items) {
    const std::string id(item.article.id());
    EXPECT_NEAR(item.text_score.value_or(-1), text[id], 1e-9);
    // A list of photos alone has no score below the least one, which its scale then begins with.
    EXPECT_NEAR(item.image_score.value_or(-1), image[id], 2e-6);
    EXPECT_NEAR(item.score, std::max(1e-6, 0.25 * text[id] + 0.75 * image[id]), 2e-6);
    EXPECT_LE(item.score, before);
    before = item.score;
  }
  EXPECT_EQ(outcome->total, static_cast<std::size_t>(kArticles));
  EXPECT_TRUE(outcome->degradations.empty());
}

TEST_F(VisualSearchTest, TheCrossEncoderReadsTheQueryOfAHybridSearchOnly) {
  auto& service = see({}, true);
  const auto is_reranked = [](const SearchOutcome& outcome) {
    const auto found = std::ranges::find(outcome->stages, Stage::kRerank, &StageReport::stage);
    return found != outcome->stages.end() && found->outcome == StageOutcome::kOk;
  };
  const auto outcome = run(service, hybrid("red socks", photo_of(5)));
  EXPECT_TRUE(is_reranked(outcome));
  EXPECT_EQ(scorer_.calls().back().query, "red socks");
  EXPECT_EQ(outcome->items.front().article.product_type(), "Socks");
  EXPECT_TRUE(outcome->items.front().text_score && outcome->items.front().image_score);
  EXPECT_FALSE(is_reranked(run(service, like(photo_of(5)))));
  EXPECT_FALSE(is_reranked(run(service, visual(VisualMode::kTextToImage, "red socks"))));
  EXPECT_FALSE(is_reranked(run(service, visual(VisualMode::kMultimodal, "red socks", photo_of(5)))));
}

TEST_F(VisualSearchTest, FiltersAndConditionsBoundPhotosToo) {
  auto& service = see();
  SearchRequest wanted = like(photo_of(4));
  wanted.filter[FilterField::kColour] = {"red"};
  const auto red = run(service, wanted);
  ASSERT_TRUE(red);
  EXPECT_EQ(red->total, 18U);
  for (const AnswerItem& item : red->items) EXPECT_EQ(item.article.colour(), "Red");

  // A colour in words is the picture space's own business, a price nobody's but ours.
  const auto cheap = run(service, visual(VisualMode::kTextToImage, "red things under 5"));
  ASSERT_TRUE(cheap);
  EXPECT_EQ(images_.texts().back(), "red things");
  ASSERT_FALSE(cheap->items.empty());
  for (const AnswerItem& item : cheap->items) EXPECT_LT(item.article.price().value_or(99), 5);
  ASSERT_EQ(cheap->understood.size(), 1U);
  EXPECT_EQ(cheap->understood[0].field, "price");

  wanted = like(photo_of(4));
  wanted.query = "under 5";
  const auto narrowed = run(service, wanted);
  ASSERT_TRUE(narrowed);
  EXPECT_EQ(ids(narrowed).size(), cheap->items.size());
  // Nothing but a price beside a picture: the picture alone makes the list.
  const auto priced = run(service, hybrid("under 5", photo_of(4)));
  EXPECT_EQ(ids(priced), ids(narrowed));
  EXPECT_EQ(priced->items.front().text_score, 0);
  for (const Understood& piece : priced->understood) EXPECT_NE(piece.id, "no_words_left");
}

TEST_F(VisualSearchTest, NamedArticlesStayFirst) {
  const auto outcome = run(see({}, true), hybrid(id_of(7), photo_of(5)));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->items[0].article.id(), id_of(7));
  EXPECT_EQ(outcome->items[0].score, 1);
  EXPECT_EQ(outcome->items[1].article.id(), id_of(5));
  EXPECT_TRUE(scorer_.calls().empty()) << "an id is nothing to judge others by";
}

TEST_F(VisualSearchTest, WordsMayLookIntoPhotosOfAPlainSearch) {
  auto& service = see();
  SearchRequest wanted = request("red socks");
  wanted.explain = true;
  wanted.legs.image = true;
  const auto outcome = run(service, wanted);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(images_.texts(), std::vector<std::string>{"red socks"});
  const auto photos = nearest({{1, "red socks"}});
  std::size_t seen = 0;
  for (const AnswerItem& item : outcome->items) {
    EXPECT_FALSE(item.image_score) << "it is no search by picture";
    double expected = 0;
    for (const auto& place : item.explanation->legs) {
      const double weight = place.leg == Leg::kImage ? 0.3 : 0.5;
      expected += weight / 1.3 * 61 / (60 + static_cast<double>(place.rank));
      if (place.leg != Leg::kImage) continue;
      ++seen;
      EXPECT_EQ(photos[place.rank - 1].first, item.article.id());
      EXPECT_NEAR(place.score, photos[place.rank - 1].second, 1e-5);
    }
    EXPECT_LE(item.explanation->fused_score, expected + 1e-9);  // and what the query prefers
  }
  EXPECT_EQ(seen, photos.size());
  wanted.legs = {.lexical = false, .dense = false, .image = true};
  wanted.understanding.understand = false;
  const auto alone = run(service, wanted);
  ASSERT_TRUE(alone);
  ASSERT_EQ(alone->items.size(), photos.size());
  for (std::size_t i = 0; i < photos.size(); ++i) EXPECT_EQ(alone->items[i].article.id(), photos[i].first);
}

TEST_F(VisualSearchTest, ExplanationsTellThePhotosRankAndCosine) {
  SearchRequest wanted = hybrid("red socks", photo_of(5));
  wanted.explain = true;
  auto& service = see({}, true);
  const auto outcome = run(service, wanted);
  ASSERT_TRUE(outcome);
  const auto photos = nearest({{1, photo_of(5)}});
  std::size_t seen = 0;
  for (const AnswerItem& item : outcome->items) {
    ASSERT_NE(item.explanation, nullptr);
    for (const auto& place : item.explanation->legs) {
      if (place.leg != Leg::kImage) continue;
      ++seen;
      EXPECT_EQ(photos[place.rank - 1].first, item.article.id());
      EXPECT_NEAR(place.score, photos[place.rank - 1].second, 1e-5);
    }
    EXPECT_NEAR(item.explanation->fused_score, std::max(1e-6, 0.5 * *item.text_score + 0.5 * *item.image_score), 1e-9);
  }
  EXPECT_EQ(seen, photos.size());
  wanted.explain = false;
  expect_same_list(outcome, run(service, wanted));
}

TEST_F(VisualSearchTest, PagesOfAHybridListByCursorAndByOffset) {
  features_.set_features(user("u"), clicks({3, 17, 40}));
  auto& service = see();
  SearchRequest wanted = hybrid("red socks", photo_of(5));
  wanted.user_id = core::UserId("u");
  const auto whole = ids(run(service, wanted));
  wanted.k = 7;
  std::vector<std::string> walked;
  while (true) {
    const auto page = run(service, wanted);
    ASSERT_TRUE(page) << page.error().error.message;
    for (const std::string& id : ids(page)) walked.push_back(id);
    if (page->cursor.empty()) break;
    wanted.cursor = page->cursor;
  }
  EXPECT_EQ(walked, whole);
  const auto first = run(service, [&] {
    SearchRequest again = wanted;
    again.cursor.clear();
    return again;
  }());
  // It is a cursor of this picture, these weights and this mode.
  const auto expect_other = [&](SearchRequest other) {
    other.k = 7;
    other.cursor = first->cursor;
    const auto page = run(service, std::move(other));
    ASSERT_FALSE(page);
    EXPECT_EQ(page.error().error.field, "cursor");
  };
  expect_other(hybrid("red socks", photo_of(6)));
  expect_other(hybrid("red socks", photo_of(5), 0.4, 0.6));
  expect_other(request("red socks"));
  expect_other(like(photo_of(5)));
  expect_other(visual(VisualMode::kMultimodal, "red socks", photo_of(5)));
}

TEST_F(VisualSearchTest, ListsAreKeptByWhatIsLookedForAndSharedByItOnly) {
  auto& service = see();
  const auto is_kept = [&](const SearchRequest& wanted) { return run(service, wanted).value().list_source == ListSource::kKept; };
  SearchRequest article = visual(VisualMode::kImageToImage);
  article.visual->article = catalog::ArticleId::parse(id_of(5)).value();
  SearchRequest less = like(photo_of(5));
  less.visual->less_like = "dull";
  SearchRequest words_and_photos = request("red socks");
  words_and_photos.legs.image = true;
  const std::vector all{like(photo_of(5)),
                        like(photo_of(6)),
                        article,
                        less,
                        request("red socks"),
                        words_and_photos,
                        visual(VisualMode::kTextToImage, "red socks"),
                        visual(VisualMode::kMultimodal, "red socks", photo_of(5)),
                        hybrid("red socks", photo_of(5)),
                        hybrid("red socks", photo_of(6)),
                        hybrid("red socks", photo_of(5), 1, 2)};
  for (const SearchRequest& wanted : all) EXPECT_FALSE(is_kept(wanted));
  for (const SearchRequest& wanted : all) EXPECT_TRUE(is_kept(wanted));
  EXPECT_TRUE(is_kept(hybrid("  Red   socks ", photo_of(5), 7, 7))) << "the same weights";
  EXPECT_TRUE(is_kept(hybrid("red socks", photo_of(9), 1, 0))) << "a plain search";
  EXPECT_EQ(service.picture_cache_stats().value().entries, 4U) << "two pictures, two texts";
  // Side scores come with the list.
  EXPECT_TRUE(run(service, hybrid("red socks", photo_of(5))).value().items.front().text_score);
}

TEST_F(VisualSearchTest, ColumnsRulesAndShoppersActAsOnAnyList) {
  features_.set_features(user("u"), clicks({21}));
  auto& service = see();
  SearchRequest wanted = like(photo_of(5));
  const auto plain = run(service, wanted);
  wanted.user_id = core::UserId("u");
  const auto personal = run(service, wanted);
  ASSERT_TRUE(plain && personal);
  const auto clicked = by_id(personal).at(id_of(21));
  EXPECT_NEAR(clicked->score, 1.5 * by_id(plain).at(id_of(21))->score, 1e-9);
  EXPECT_EQ(clicked->image_score, by_id(plain).at(id_of(21))->image_score);
  wanted.sort = SearchSort::kPriceAscending;
  const auto sorted = run(service, wanted);
  ASSERT_TRUE(sorted);
  double before = 0;
  for (const AnswerItem& item : sorted->items) {
    const double price = item.article.price().value_or(1e9);
    EXPECT_GE(price, before);
    before = price;
    EXPECT_TRUE(item.image_score);
  }
}

}  // namespace
}  // namespace scalestyle::search
