#include "search/query_reading.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/understanding_samples.hpp"

namespace scalestyle::search {
namespace {

using catalog::FilterField;
using retrieval::MatchKind;
using retrieval::PieceKind;
using testing::ElementsAre;
using testing::IsEmpty;

const retrieval::QueryUnderstanding& shop() {
  static const retrieval::QueryUnderstanding shop(retrieval::sample_catalog(), {});
  return shop;
}

QueryReading read(std::string_view query, const catalog::Filter& filter = {}, const std::vector<retrieval::QueryNote>& notes = {},
                  const retrieval::UnderstandingSwitches& switches = {}) {
  return read_query(shop(), {query, switches, filter, notes});
}

std::vector<std::string> in_force(const QueryReading& reading) {
  std::vector<std::string> ids;
  for (const auto& piece : reading.understood.pieces) ids.push_back(piece.id);
  return ids;
}

std::vector<std::string> dropped(const QueryReading& reading) {
  std::vector<std::string> ids;
  for (const auto& piece : reading.dropped) ids.push_back(piece.piece.id);
  return ids;
}

TEST(QueryReading, WhatRestrictsIsNotLookedFor) {
  const auto reading = read("dress under 20, not black");
  EXPECT_THAT(in_force(reading), ElementsAre("type:dress", "price:max-20", "not:colour:black"));
  EXPECT_EQ(reading.words, "dress");
  EXPECT_EQ(reading.meaning, reading.words);
  // Nothing removed: every byte stays.
  EXPECT_EQ(read(" light  blue dress ").words, " light  blue dress ");
  EXPECT_EQ(read("not black and under 20").words, "");
}

TEST(QueryReading, CorrectedWordsAreUnderstoodAndTheirPlacesAreThoseOfTheQuery) {
  const std::string query = "shrot drss, not blakc";
  const auto reading = read(query, {}, {{MatchKind::kCorrection, "drss", "dress"}, {MatchKind::kCorrection, "blakc", "black"},
                                        {MatchKind::kPrefix, "shrot", "shorter"}});
  EXPECT_THAT(in_force(reading), ElementsAre("type:dress", "not:colour:black"));
  EXPECT_EQ(reading.words, "shrot drss,");
  EXPECT_EQ(reading.meaning, "shrot dress,");
  const auto shown = understood_pieces(reading);
  ASSERT_EQ(shown.size(), 2U);
  EXPECT_EQ(shown[0].text, "drss");
  EXPECT_EQ(shown[1].text, "not blakc");
  EXPECT_EQ(shown[1].value, "Black");
  EXPECT_EQ(shown[1].effect, "exclude");
  EXPECT_EQ(shown[1].field, "colour");
}

TEST(QueryReading, WordsThatAreUnderstoodAreNotCorrected) {
  const auto reading = read("dress for women", {}, {{MatchKind::kCorrection, "women", "woven"}});
  EXPECT_THAT(in_force(reading), ElementsAre("type:dress", "audience:women"));
  EXPECT_EQ(reading.meaning, "dress for women");
}

TEST(QueryReading, AnExplicitFilterWinsOverWhatTheQuerySaysOfTheSame) {
  catalog::Filter filter;
  filter[FilterField::kColour] = {"Black"};
  filter.price_max = 30;
  const auto reading = read("men's dress under 10, not black", filter);
  EXPECT_THAT(in_force(reading), ElementsAre("audience:men", "type:dress"));
  EXPECT_THAT(dropped(reading), ElementsAre("price:max-10", "not:colour:black"));
  EXPECT_EQ(reading.words, "men's dress");  // what was dropped is no word to look for either
  const auto shown = understood_pieces(reading);
  ASSERT_EQ(shown.size(), 4U);
  EXPECT_EQ(shown[2].effect, "dropped");
  EXPECT_EQ(shown[2].why, "explicit_filter");
  EXPECT_EQ(shown[2].value, "under 10");

  catalog::Filter place;
  place[FilterField::kSection] = {"Kids Boy"};
  place[FilterField::kGarmentGroup] = {"Jersey Fancy"};
  EXPECT_THAT(in_force(read("light blue dress for women", place)), ElementsAre("colour:light-blue"));
}

TEST(QueryReading, AnAudienceThatLeavesNothingIsDroppedPricesAndExclusionsStay) {
  catalog::Filter dresses;
  dresses[FilterField::kType] = {"Dress"};
  auto reading = read("party for men", dresses);
  auto rows = catalog::eligible(shop().catalog(), dresses);
  const std::size_t all = rows.count();
  restrict_rows(shop(), shop().catalog(), reading, rows);
  EXPECT_EQ(rows.count(), all);
  EXPECT_THAT(in_force(reading), IsEmpty());
  EXPECT_THAT(dropped(reading), ElementsAre("audience:men"));
  EXPECT_EQ(understood_pieces(reading)[0].why, "nothing_left");

  auto cheap = read("party for men under 1", dresses);
  rows = catalog::eligible(shop().catalog(), dresses);
  restrict_rows(shop(), shop().catalog(), cheap, rows);
  EXPECT_EQ(rows.count(), 0U);
  EXPECT_TRUE(cheap.nothing_left);
  EXPECT_THAT(in_force(cheap), ElementsAre("audience:men", "price:max-1"));
  EXPECT_EQ(understood_pieces(cheap).back().id, "nothing_left");

  auto both = read("party for men under 25", dresses);
  rows = catalog::eligible(shop().catalog(), dresses);
  restrict_rows(shop(), shop().catalog(), both, rows);
  EXPECT_EQ(rows.count(), 24U);
  EXPECT_FALSE(both.nothing_left);
}

TEST(QueryReading, AnAudienceThatLeavesNothingOfTheKindIsDropped) {
  auto reading = read("dress for men");  // there are others for men
  catalog::Bitmap rows(shop().catalog().size(), true);
  restrict_rows(shop(), shop().catalog(), reading, rows);
  EXPECT_TRUE(rows.all());
  EXPECT_THAT(dropped(reading), ElementsAre("audience:men"));
  EXPECT_EQ(understood_pieces(reading)[1].value, "men");

  auto shirts = read("shirt for men");
  restrict_rows(shop(), shop().catalog(), shirts, rows);
  EXPECT_FALSE(rows.all());
  EXPECT_THAT(in_force(shirts), ElementsAre("type:shirt", "audience:men"));
}

TEST(QueryReading, EveryEligibleRowPassesTheTypedFilter) {
  for (const char* query : {"dress under 20", "over 10 under 29.99", "between 10 and 25, not black", "for men at least 25", "dress"}) {
    for (const double bound : {0.0, 12.5}) {
      catalog::Filter filter;
      if (bound > 0) filter[FilterField::kColour] = {"Light Blue", "Red"};
      auto reading = read(query, filter);
      auto rows = catalog::eligible(shop().catalog(), filter);
      restrict_rows(shop(), shop().catalog(), reading, rows);
      const auto typed = catalog::eligible(shop().catalog(), typed_filter(filter, reading.understood));
      auto beyond = rows;
      beyond.and_not(typed);
      EXPECT_EQ(beyond.count(), 0U) << query;
    }
  }
  const auto exclusive = typed_filter({}, read("over 10 under 20").understood);
  EXPECT_GT(exclusive.price_min, 10);
  EXPECT_LT(exclusive.price_max, 20);
}

TEST(QueryReading, SwitchesLeaveWordsToTheText) {
  const std::string query = "dress under 20, not black";
  const auto off = read(query, {}, {}, {.understand = false});
  EXPECT_EQ(off.words, query);
  EXPECT_THAT(understood_pieces(off), IsEmpty());
  const auto piece = read(query, {}, {}, {.without_ids = {"not:colour:black", "no:such"}});
  EXPECT_THAT(in_force(piece), ElementsAre("type:dress", "price:max-20"));
  EXPECT_EQ(piece.words, "dress , not black");
  EXPECT_THAT(in_force(read(query, {}, {}, {.without_kinds = {PieceKind::kPrice, PieceKind::kType}})), ElementsAre("not:colour:black"));
}

}  // namespace
}  // namespace scalestyle::search
