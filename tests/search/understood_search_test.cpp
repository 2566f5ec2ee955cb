// What is understood of a query, in whole searches.
#include <gmock/gmock.h>

#include <algorithm>
#include <string>
#include <vector>

#include "list_fixture.hpp"
#include "support/understanding_samples.hpp"

namespace scalestyle::search {
namespace {

using catalog::Attribute;
using catalog::FilterField;
using testing::ElementsAre;
using testing::IsEmpty;

class UnderstoodSearchTest : public ListFixture {
 protected:
  UnderstoodSearchTest() { publish_shop("shop", "EUR"); }

  void publish_shop(const std::string& generation, const std::string& currency) {
    auto snapshot = std::make_shared<ports::CatalogSnapshot>();
    snapshot->catalog = retrieval::sample_catalog();
    snapshot->info.id = core::GenerationId(generation);
    snapshot->info.articles = snapshot->catalog->size();
    snapshot->info.document_encoder = encoder_.info();
    snapshot->info.text_format = "product_text_v1";
    snapshot->info.currency = currency;
    catalogs_.publish(snapshot);
    core::sync_wait(holder_.refresh(core::Deadline::never())).value();
  }

  static std::vector<std::string> effects(const SearchOutcome& outcome) {
    std::vector<std::string> list;
    for (const Understood& entry : outcome.value().understood) list.push_back(entry.id + " " + entry.effect);
    return list;
  }
  [[nodiscard]] std::string embedded() const { return encoder_.batches().back().front(); }
};

TEST_F(UnderstoodSearchTest, PricesExclusionsAndPeopleRestrictTheList) {
  auto& service = make();
  const auto cheap = run(service, request("dress under 20"));
  ASSERT_TRUE(cheap);
  EXPECT_EQ(embedded(), "dress");
  EXPECT_FALSE(cheap->items.empty());
  for (const AnswerItem& item : cheap->items) EXPECT_LT(item.article.price().value(), 20);
  EXPECT_THAT(effects(cheap), ElementsAre("type:dress prefer", "price:max-20 filter"));
  EXPECT_EQ(cheap->understood[1].text, "under 20");
  EXPECT_EQ(cheap->items[0].article.product_type(), "Dress");

  const auto colourful = run(service, request("dress, not black"));
  ASSERT_TRUE(colourful);
  for (const AnswerItem& item : colourful->items) EXPECT_NE(item.article.colour(), "Black");
  EXPECT_EQ(colourful->total, 132U);  // all others: meaning finds every eligible article

  const auto boys = run(service, request("shorts for boys"));
  ASSERT_TRUE(boys);
  for (const AnswerItem& item : boys->items) {
    EXPECT_NE(item.article[Attribute::kIndex], "Menswear");
    EXPECT_NE(item.article[Attribute::kIndex], "Ladieswear");
  }
}

TEST_F(UnderstoodSearchTest, PreferencesMoveWhatHasThemForwardAndExplainSaysSo) {
  auto& service = make();
  auto wanted = request("light blue dress");
  wanted.explain = true;
  const auto outcome = run(service, wanted);
  ASSERT_TRUE(outcome);
  const AnswerItem& first = outcome->items[0];
  EXPECT_EQ(first.article.colour(), "Light Blue");
  EXPECT_EQ(first.article.product_type(), "Dress");
  EXPECT_EQ(first.explanation->preference, 1.0F);
  ASSERT_EQ(first.explanation->met.size(), 2U);
  EXPECT_EQ(first.explanation->met[0].id, "colour:light-blue");
  EXPECT_EQ(first.explanation->met[0].credit, 1);

  // Against the same list without: the factor is all that differs.
  wanted.understanding.understand = false;
  const auto plain = run(service, wanted);
  ASSERT_TRUE(plain);
  EXPECT_EQ(outcome->total, plain->total);
  const double weight = ranking::FusionOptions().preference_weight * 1.5;  // a type and a colour
  for (const AnswerItem& item : outcome->items) {
    const auto same = std::ranges::find(plain->items, item.article.id(), [](const AnswerItem& other) { return other.article.id(); });
    if (same == plain->items.end()) continue;  // on a later page
    const double met = static_cast<double>(*item.explanation->preference);
    EXPECT_NEAR(item.score, same->score * (1 + weight * met) / (1 + weight), 1e-12);
    EXPECT_FALSE(same->explanation->preference);
    EXPECT_TRUE(same->explanation->met.empty());
  }
}

TEST_F(UnderstoodSearchTest, SwitchedOffPiecesAreWords) {
  auto& service = make();
  auto wanted = request("dress under 20");
  wanted.understanding.understand = false;
  const auto off = run(service, wanted);
  ASSERT_TRUE(off);
  EXPECT_EQ(embedded(), "dress under 20");
  EXPECT_EQ(off->total, 144U);
  EXPECT_THAT(off->understood, IsEmpty());
  wanted.understanding = {.without_kinds = {retrieval::PieceKind::kPrice}};
  EXPECT_EQ(run(service, wanted).value().total, 144U);
  wanted.understanding = {.without_ids = {"price:max-20", "price:max-21"}};
  EXPECT_EQ(run(service, wanted).value().total, 144U);
  wanted.understanding = {.without_ids = std::vector<std::string>(kMaxSwitchedOff + 1, "a:b")};
  EXPECT_EQ(run(service, wanted).error().error.field, "understand_without");
}

TEST_F(UnderstoodSearchTest, AQueryThatOnlyRestrictsListsAllByPopularity) {
  set_popularity(50, {}, 0);
  auto& service = make();
  const auto outcome = run(service, request("under 10"));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->total, 24U);  // 9.99 and 5
  EXPECT_EQ(outcome->total_relation, TotalRelation::kEqual);
  EXPECT_EQ(outcome->items.size(), 24U);
  EXPECT_TRUE(encoder_.batches().empty());
  EXPECT_TRUE(outcome->degradations.empty());
  EXPECT_FALSE(outcome->fallback_source);
  EXPECT_THAT(effects(outcome), ElementsAre("price:max-10 filter", "no_words_left "));
  const auto embed = std::ranges::find(outcome->stages, Stage::kEmbed, &StageReport::stage);
  ASSERT_NE(embed, outcome->stages.end());
  EXPECT_EQ(embed->outcome, StageOutcome::kSkipped);
  for (const AnswerItem& item : outcome->items) {
    EXPECT_GT(item.score, 0);
    EXPECT_LE(item.score, 1);
  }
  // Without a board the order is that of past purchases; here there are none.
  const auto plain = run(make_without_store(), request("under 10"));
  EXPECT_EQ(ids(plain), ids(outcome));
  auto page = request("under 10");
  page.k = 5;
  page.offset = 20;
  EXPECT_EQ(run(service, page).value().items.size(), 4U);
}

TEST_F(UnderstoodSearchTest, MostPurchasedComesFirstWithoutABoard) {
  publish("plain");  // the articles of ListFixture
  auto& service = make_without_store();
  const auto outcome = run(service, request("at least 0"));
  ASSERT_TRUE(outcome);
  EXPECT_FALSE(outcome->items.empty());
  EXPECT_TRUE(std::ranges::is_sorted(outcome->items, [](const AnswerItem& a, const AnswerItem& b) {
    const auto left = a.article.purchase_count();
    const auto right = b.article.purchase_count();
    return left != right ? left > right : a.article.id() < b.article.id();
  }));
}

TEST_F(UnderstoodSearchTest, NothingLeftIsSaidAndAnInferredAudienceGivesWay) {
  auto& service = make();
  auto wanted = request("gown for men");
  wanted.filter[FilterField::kType] = {"Dress"};
  const auto outcome = run(service, wanted);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->total, 36U);
  EXPECT_THAT(effects(outcome), ElementsAre("audience:men dropped"));
  EXPECT_EQ(outcome->understood[0].why, "nothing_left");

  const auto none = run(service, request("dress under 1"));
  ASSERT_TRUE(none);
  EXPECT_EQ(none->total, 0U);
  EXPECT_TRUE(none->degradations.empty());
  EXPECT_EQ(none->understood.back().id, "nothing_left");
}

TEST_F(UnderstoodSearchTest, ExplicitFiltersWin) {
  auto wanted = request("dress not black under 10");
  wanted.filter[FilterField::kColour] = {"Black"};
  wanted.filter.price_max = 20.0;
  const auto outcome = run(make(), wanted);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->total, 12U);
  for (const AnswerItem& item : outcome->items) EXPECT_EQ(item.article.colour(), "Black");
  EXPECT_THAT(effects(outcome), ElementsAre("type:dress prefer", "not:colour:black dropped", "price:max-10 dropped"));
}

TEST_F(UnderstoodSearchTest, PricesWithoutAUnitStayTextAndTheAnswerSaysWhy) {
  publish_shop("crowns", "SEK");
  auto& service = make();
  const auto outcome = run(service, request("dress under 20 eur"));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->total, 144U);
  EXPECT_EQ(embedded(), "dress under 20 eur");
  EXPECT_THAT(effects(outcome), ElementsAre("type:dress prefer", "other_currency "));
  EXPECT_EQ(outcome->understood[1].field, "note");
  EXPECT_EQ(outcome->understood[1].text, "under 20 eur");
}

TEST_F(UnderstoodSearchTest, MistypedWordsAreUnderstoodAsCorrected) {
  auto& service = make();
  const auto outcome = run(service, request("trousres under 50"));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(embedded(), "trousers");
  EXPECT_EQ(outcome->items[0].article.product_type(), "Trousers");
  ASSERT_EQ(outcome->understood.size(), 3U);
  EXPECT_EQ(outcome->understood[0].field, "type");
  EXPECT_EQ(outcome->understood[0].text, "trousres");
  EXPECT_EQ(outcome->understood[1].text, "under 50");
  EXPECT_EQ(outcome->understood[2].field, "correction");
}

TEST_F(UnderstoodSearchTest, WhatIsServedInsteadObeysWhatWasUnderstood) {
  encoder_.fail_with(core::Error{core::ErrorCode::kUnavailable, "away"});
  const auto outcome = run(make(), request("zzzz under 10"));
  ASSERT_TRUE(outcome);
  EXPECT_TRUE(outcome->fallback_source);
  EXPECT_EQ(outcome->total, 24U);
  for (const AnswerItem& item : outcome->items) EXPECT_LT(item.article.price().value(), 10);
}

}  // namespace
}  // namespace scalestyle::search
