#include "retrieval/query_understanding.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "support/understanding_samples.hpp"

namespace scalestyle::retrieval {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Reason = UnderstandingNote::Reason;

const QueryUnderstanding& shop() {
  static const QueryUnderstanding understanding(sample_catalog(), {.currency = "EUR"});
  return understanding;
}

UnderstoodQuery understand(std::string_view query) { return shop().understand(query); }

std::vector<std::string> ids(const UnderstoodQuery& query) {
  std::vector<std::string> ids;
  for (const UnderstoodPiece& piece : query.pieces) ids.push_back(piece.id);
  return ids;
}
std::vector<std::string> ids(std::string_view query) { return ids(understand(query)); }

std::vector<std::string> values(const UnderstoodPiece& piece) {
  std::vector<std::string> values;
  for (const MatchedValue& value : piece.values) values.push_back(value.text);
  return values;
}

std::string text_of(std::string_view query, const UnderstoodPiece& piece) {
  return std::string(query.substr(piece.span.begin, piece.span.end - piece.span.begin));
}

TEST(QueryUnderstanding, FindsEveryKind) {
  EXPECT_THAT(ids("black dress"), ElementsAre("colour:black", "type:dress"));
  EXPECT_THAT(ids("turquoise"), ElementsAre("colour_family:turquoise"));
  EXPECT_THAT(ids("swimwear"), ElementsAre("group:swimwear"));
  EXPECT_THAT(ids("knitwear"), ElementsAre("group:knitwear"));
  EXPECT_THAT(ids("for women"), ElementsAre("audience:women"));
  EXPECT_THAT(ids("striped"), ElementsAre("appearance:stripe"));
  EXPECT_THAT(ids("divided"), ElementsAre("index:divided"));
  EXPECT_THAT(ids("contemporary casual"), ElementsAre("section:contemporary-casual"));
  EXPECT_THAT(ids("loungewear"), ElementsAre("department:loungewear"));
  EXPECT_THAT(ids("under 20"), ElementsAre("price:max-20"));
  EXPECT_THAT(ids("bright red"), ElementsAre("colour_family:bright", "colour:red"));
  EXPECT_THAT(ids(""), IsEmpty());
  EXPECT_THAT(ids("something for a wedding"), IsEmpty());
}

TEST(QueryUnderstanding, SaysWhereAndWhat) {
  const std::string query = "  Light-Blue  dresses, please";
  const UnderstoodQuery understood = understand(query);
  ASSERT_THAT(understood.pieces, SizeIs(2));
  EXPECT_EQ(text_of(query, understood.pieces[0]), "Light-Blue");
  EXPECT_EQ(text_of(query, understood.pieces[1]), "dresses");
  EXPECT_EQ(understood.pieces[0].effect, PieceEffect::kPrefer);
  EXPECT_THAT(values(understood.pieces[0]), ElementsAre("Light Blue", "Blue"));
  EXPECT_EQ(understood.pieces[0].values[0].credit, 1);
  EXPECT_LT(understood.pieces[0].values[1].credit, 1);
  EXPECT_EQ(shop().catalog().value_of(catalog::Attribute::kColour, understood.pieces[0].values[0].code), "Light Blue");
  EXPECT_EQ(understood.remaining, "Light-Blue  dresses, please");
  EXPECT_THAT(understood.removed, IsEmpty());
}

TEST(QueryUnderstanding, TakesWholeWordsOnly) {
  for (const char* query : {"redder", "blacken", "undressed", "addresses", "shirty", "boyfriend", "womenfolk", "kidney", "stripes2"}) {
    EXPECT_THAT(ids(query), IsEmpty()) << query;
  }
}

TEST(QueryUnderstanding, SingularAndPluralMeet) {
  for (const char* query : {"dress", "Dresses", "DRESS", "dress's", "drèss"}) EXPECT_THAT(ids(query), ElementsAre("type:dress")) << query;
  for (const char* query : {"trouser", "trousers"}) EXPECT_THAT(ids(query), ElementsAre("type:trouser")) << query;
  for (const char* query : {"t-shirt", "T shirts"}) EXPECT_THAT(ids(query), ElementsAre("type:t-shirt")) << query;
  EXPECT_THAT(ids("tshirts"), ElementsAre("type:tshirt"));
  for (const char* query : {"hat", "hats", "beanie", "beanies"}) EXPECT_THAT(ids(query), SizeIs(1)) << query;
  for (const char* query : {"stripe", "stripes", "striped", "stripy"}) EXPECT_THAT(ids(query), ElementsAre("appearance:stripe")) << query;
  for (const char* query : {"grey", "gray"}) EXPECT_THAT(ids(query), ElementsAre("colour:grey")) << query;
  for (const char* query : {"women", "woman", "womens", "women's", "women’s", "ladies", "lady"}) {
    EXPECT_THAT(ids(query), ElementsAre("audience:women")) << query;
  }
}

TEST(QueryUnderstanding, TheLongestPhraseWins) {
  EXPECT_THAT(ids("t-shirt"), ElementsAre("type:t-shirt"));
  EXPECT_THAT(ids("light blue"), ElementsAre("colour:light-blue"));
  EXPECT_THAT(ids("light, blue"), ElementsAre("colour:blue"));
  EXPECT_THAT(ids("off white"), ElementsAre("colour:off-white"));
  EXPECT_THAT(ids("off shoulder"), IsEmpty());
  EXPECT_THAT(ids("swimwear bottom"), ElementsAre("type:swimwear-bottom"));
}

TEST(QueryUnderstanding, AHueMeansAllItsShades) {
  const UnderstoodQuery understood = understand("blue");
  ASSERT_THAT(understood.pieces, SizeIs(1));
  EXPECT_THAT(values(understood.pieces[0]), ElementsAre("Dark Blue", "Light Blue", "Blue"));
  EXPECT_THAT(values(understand("pink").pieces.at(0)), ElementsAre("Other Pink", "Pink", "Pink"));
  EXPECT_THAT(values(understand("navy").pieces.at(0)), ElementsAre("Dark Blue", "Blue"));
}

TEST(QueryUnderstanding, LearnsNounsFromHowDescriptionsOpen) {
  EXPECT_THAT(values(understand("jumper").pieces.at(0)), ElementsAre("Sweater"));
  EXPECT_THAT(values(understand("joggers").pieces.at(0)), ElementsAre("Trousers"));
  // Two words that mean another type than the second alone.
  const UnderstoodQuery swim = understand("swim shorts");
  EXPECT_THAT(ids(swim), ElementsAre("type:swim-short"));
  EXPECT_THAT(values(swim.pieces.at(0)), ElementsAre("Swimwear bottom", "Shorts"));
  EXPECT_THAT(values(understand("shorts").pieces.at(0)).at(0), "Shorts");
}

TEST(QueryUnderstanding, AWordThatDescribesIsNoType) {
  EXPECT_THAT(ids("short dress"), ElementsAre("type:dress"));
  EXPECT_THAT(ids("dress short"), ElementsAre("type:dress"));
  EXPECT_THAT(ids("shorts"), ElementsAre("type:short"));
}

TEST(QueryUnderstanding, TheLastTypeOfANounPhraseNamesTheThing) {
  EXPECT_THAT(ids("shirt dress"), ElementsAre("type:dress"));
  EXPECT_THAT(ids("shirt or dress"), ElementsAre("type:shirt", "type:dress"));
  EXPECT_THAT(ids("shirt, dress"), ElementsAre("type:shirt", "type:dress"));
  EXPECT_THAT(ids("dress with hat"), ElementsAre("type:dress"));
  EXPECT_THAT(ids("something for a hat"), ElementsAre("type:hat"));
  EXPECT_THAT(ids("dress dress"), ElementsAre("type:dress"));
}

TEST(QueryUnderstanding, PlacesThatSayWhatOtherColumnsSayAreNotTaken) {
  EXPECT_THAT(ids("kids boy shorts"), ElementsAre("audience:kids", "audience:boys", "type:short"));
  EXPECT_THAT(ids("unknown"), IsEmpty());
}

TEST(QueryUnderstanding, NegationsExcludeAndLeaveTheText) {
  const std::string query = "dress not black but white";
  const UnderstoodQuery understood = understand(query);
  EXPECT_THAT(ids(understood), ElementsAre("type:dress", "not:colour:black", "colour:white"));
  EXPECT_EQ(understood.pieces[1].effect, PieceEffect::kExclude);
  EXPECT_EQ(understood.pieces[1].weight, 0);
  EXPECT_EQ(text_of(query, understood.pieces[1]), "not black");
  EXPECT_EQ(understood.remaining, "dress but white");
  EXPECT_THAT(ids("no print"), ElementsAre("not:appearance:print"));
  EXPECT_THAT(values(understand("no print").pieces.at(0)), ElementsAre("All over pattern", "Front print"));
  EXPECT_THAT(ids("without stripes"), ElementsAre("not:appearance:stripe"));
  EXPECT_THAT(ids("non-red shirt"), ElementsAre("not:colour:red", "type:shirt"));
  EXPECT_THAT(ids("not in the red"), ElementsAre("not:colour:red"));
  EXPECT_THAT(ids("hat not for kids"), ElementsAre("type:hat", "not:audience:kids"));
  EXPECT_TRUE(understand("not black").remaining.empty());
  EXPECT_TRUE(understand("not black and under 20!").remaining.empty());
  EXPECT_EQ(understand("and for").remaining, "and for");
}

TEST(QueryUnderstanding, ANegationReachesAsFarAsItsList) {
  EXPECT_THAT(ids("no print or lace"), ElementsAre("not:appearance:print", "not:appearance:lace"));
  EXPECT_THAT(ids("not black, red or white"), ElementsAre("not:colour:black", "not:colour:red", "not:colour:white"));
  EXPECT_THAT(ids("not black and a dress"), ElementsAre("not:colour:black", "type:dress"));
  EXPECT_THAT(ids("not black or striped"), ElementsAre("not:colour:black", "not:appearance:stripe"));
  EXPECT_THAT(ids("no black and no print"), ElementsAre("not:colour:black", "not:appearance:print"));
  EXPECT_THAT(ids("not black dress"), ElementsAre("not:colour:black", "type:dress"));
  EXPECT_EQ(understand("not black, red or white dress").remaining, "dress");
}

TEST(QueryUnderstanding, WhatNoColumnCanDenyStaysText) {
  for (const char* query : {"no show", "without pockets", "not", "no jumper"}) {
    const UnderstoodQuery understood = understand(query);
    EXPECT_FALSE(understood.restricts()) << query;
    EXPECT_EQ(understood.remaining, query);
  }
}

TEST(QueryUnderstanding, AnAudienceThatIsSurelyMeantFilters) {
  const auto effect = [](std::string_view query) { return understand(query).pieces.at(0).effect; };
  for (const char* query : {"women", "womens", "lady's", "men's", "mens", "for a man", "for my boy", "kids", "for the baby", "children"}) {
    EXPECT_EQ(effect(query), PieceEffect::kFilter) << query;
    EXPECT_GT(understand(query).pieces[0].weight, 0) << query;
    EXPECT_EQ(understand(query).remaining, query);
  }
  for (const char* query : {"baby blue", "girl power", "lady", "sport", "sports", "for sport"}) EXPECT_EQ(effect(query), PieceEffect::kPrefer) << query;
  const QueryUnderstanding mild(sample_catalog(), {}, {.audience_filters = false});
  EXPECT_EQ(mild.understand("for women").pieces.at(0).effect, PieceEffect::kPrefer);
}

TEST(QueryUnderstanding, PricesThatAreNoMoneyStayTextAndSayWhy) {
  const QueryUnderstanding fractions(sample_catalog(), {.is_money = false, .reason = "fractions"});
  const UnderstoodQuery understood = fractions.understand("dress under 20");
  EXPECT_THAT(ids(understood), ElementsAre("type:dress"));
  EXPECT_EQ(understood.remaining, "dress under 20");
  ASSERT_THAT(understood.notes, SizeIs(1));
  EXPECT_EQ(understood.notes[0].reason, Reason::kPricesAreNotMoney);
  EXPECT_EQ(understood.notes[0].text, "fractions");
  EXPECT_EQ(understood.notes[0].span, (TextSpan{6, 14}));
}

TEST(QueryUnderstanding, AnotherCurrencyStaysText) {
  const UnderstoodQuery understood = understand("dress under $20");
  EXPECT_THAT(ids(understood), ElementsAre("type:dress"));
  ASSERT_THAT(understood.notes, SizeIs(1));
  EXPECT_EQ(understood.notes[0].reason, Reason::kOtherCurrency);
  EXPECT_THAT(ids("dress under 20 €"), ElementsAre("type:dress", "price:max-20"));
  const QueryUnderstanding canadian(sample_catalog(), {.currency = "CAD"});
  EXPECT_THAT(ids(canadian.understand("under $20")), ElementsAre("price:max-20"));
}

TEST(QueryUnderstanding, ContradictingPricesStayText) {
  const UnderstoodQuery understood = understand("over 30 under 10");
  EXPECT_THAT(understood.pieces, IsEmpty());
  EXPECT_THAT(understood.notes, SizeIs(2));
  EXPECT_EQ(understood.remaining, "over 30 under 10");
  EXPECT_THAT(ids("over 10 under 30"), ElementsAre("price:min-10", "price:max-30"));
}

TEST(QueryUnderstanding, PriceUnitKnowsFractions) {
  auto groups = sample_groups();
  EXPECT_TRUE(price_unit(*sample_catalog(groups), "", 1).is_money);
  for (SampleGroup& group : groups) group.price /= 1000;
  const auto fractions = sample_catalog(groups);
  const PriceUnit unit = price_unit(*fractions, "", 1);
  EXPECT_FALSE(unit.is_money);
  EXPECT_THAT(unit.reason, ::testing::HasSubstr("--price-scale"));
  EXPECT_TRUE(price_unit(*fractions, "EUR", 1).is_money);
  EXPECT_TRUE(price_unit(*fractions, "", 500).is_money);
  EXPECT_FALSE(price_unit(*sample_catalog({}), "EUR", 1).is_money);
}

TEST(QueryUnderstanding, SwitchesLeaveOut) {
  const std::string query = "black dress under 20 not red";
  EXPECT_THAT(ids(query), ElementsAre("colour:black", "type:dress", "price:max-20", "not:colour:red"));
  const UnderstoodQuery nothing = shop().understand(query, {.understand = false});
  EXPECT_EQ(nothing, (UnderstoodQuery{.remaining = query}));
  const UnderstoodQuery no_colour = shop().understand(query, {.without_kinds = {PieceKind::kColour}});
  EXPECT_THAT(ids(no_colour), ElementsAre("type:dress", "price:max-20"));
  EXPECT_EQ(no_colour.remaining, "black dress not red");
  const UnderstoodQuery no_price = shop().understand(query, {.without_ids = {"price:max-20", "colour:green"}});
  EXPECT_THAT(ids(no_price), ElementsAre("colour:black", "type:dress", "not:colour:red"));
  EXPECT_EQ(no_price.remaining, "black dress under 20");
}

TEST(QueryUnderstanding, WeightsOfZeroLeaveKindsOut) {
  const QueryUnderstanding plain(sample_catalog(), {}, {.colour = 0});
  EXPECT_THAT(ids(plain.understand("black dress not red")), ElementsAre("type:dress", "not:colour:red"));
  EXPECT_TRUE(UnderstandingOptions{}.validate());
  EXPECT_EQ((UnderstandingOptions{.place = 1.5}).validate().error().field, "place");
  EXPECT_FALSE((UnderstandingOptions{.thing = std::numeric_limits<double>::quiet_NaN()}).validate());
}

TEST(QueryUnderstanding, NamesOfKindsAndEffects) {
  for (const PieceKind kind : all_piece_kinds()) EXPECT_EQ(piece_kind(to_string(kind)), kind);
  EXPECT_EQ(piece_kind("colours"), std::nullopt);
  EXPECT_EQ(to_string(PieceEffect::kExclude), "exclude");
  EXPECT_EQ(to_string(Reason::kContradiction), "contradiction");
}

TEST(QueryUnderstanding, AnEmptyCatalogueKnowsOnlyPrices) {
  const QueryUnderstanding empty(sample_catalog({}), {});
  EXPECT_THAT(ids(empty.understand("black dress for women, not red, under 20")), ElementsAre("price:max-20"));
  catalog::Bitmap rows(0);
  empty.restrict(empty.understand("under 20"), rows);
  EXPECT_EQ(rows.size(), 0U);
}

TEST(QueryUnderstanding, LongQueriesAreCutAndSaySo) {
  std::string words = "dress";
  for (int i = 0; i < 200; ++i) words += " word";
  const UnderstoodQuery cut = understand(words + " black");
  EXPECT_THAT(ids(cut), ElementsAre("type:dress"));
  ASSERT_THAT(cut.notes, SizeIs(1));
  EXPECT_EQ(cut.notes[0].reason, Reason::kTooLong);
  EXPECT_EQ(cut.remaining, words + " black");
  std::string prices;
  for (int i = 1; i < 30; ++i) prices += "under " + std::to_string(i) + " ";
  const UnderstoodQuery many = understand(prices);
  EXPECT_THAT(many.pieces, SizeIs(QueryUnderstanding::kMaxPieces));
  EXPECT_FALSE(many.notes.empty());
}

// Every byte of a query is in a span that was removed or in the text that is left, in order; spans are sane.
void check_parts(const std::string& query) {
  const UnderstoodQuery understood = understand(query);
  EXPECT_EQ(understood, understand(query));
  std::string left;
  std::size_t begin = 0;
  for (const TextSpan& span : understood.removed) {
    ASSERT_LE(begin, span.begin) << query;
    ASSERT_LT(span.begin, span.end) << query;
    ASSERT_LE(span.end, query.size()) << query;
    left += query.substr(begin, span.begin - begin);
    begin = span.end;
  }
  left += query.substr(begin);
  const auto without_blanks = [](std::string text) {
    std::erase_if(text, [](char c) { return std::string_view(" \t\n\v\f\r").find(c) != std::string_view::npos; });
    return text;
  };
  if (understood.removed.empty() || !understood.remaining.empty()) {  // else what is left says nothing
    EXPECT_EQ(without_blanks(left), without_blanks(understood.remaining)) << query;
  }
  std::size_t last = 0;
  for (const UnderstoodPiece& piece : understood.pieces) {
    EXPECT_LE(last, piece.span.begin) << query;
    EXPECT_LT(piece.span.begin, piece.span.end) << query;
    EXPECT_LE(piece.span.end, query.size()) << query;
    EXPECT_FALSE(piece.id.empty());
    EXPECT_EQ(piece.weight > 0, piece.effect != PieceEffect::kExclude && !piece.price);
    EXPECT_TRUE(piece.effect != PieceEffect::kFilter || piece.price || piece.kind == PieceKind::kAudience);
    EXPECT_EQ(piece.values.empty(), piece.price.has_value());
    last = piece.span.end;
  }
}

TEST(QueryUnderstanding, TextAndSpansMakeTheQuery) {
  const std::vector<std::string> parts = {"black", "dress",  "not",   "no",  "under", "20",  "€",    "between", "and", "or", "30",
                                          "-",     ",",      "light", "blue", "with",  "for", "kids", "t-shirt", "<",   "%",  "eur",
                                          "\xff",  "\xe2\x82", "café",  "’s",  "1e9",   "…",   "\t",   "women",   "from", "to", "9.99"};
  std::mt19937 random(11);
  for (int round = 0; round < 20'000; ++round) {
    std::string query;
    for (std::size_t count = random() % 12; count > 0; --count) {
      query += parts[random() % parts.size()];
      if (random() % 4 != 0) query += ' ';
    }
    check_parts(query);
    if (HasFatalFailure()) return;
  }
}

TEST(QueryUnderstanding, AnyBytesAreAQuery) {
  std::mt19937 random(12);
  for (int round = 0; round < 20'000; ++round) {
    std::string query(random() % 40, ' ');
    for (char& byte : query) byte = static_cast<char>(random());
    check_parts(query);
    if (HasFatalFailure()) return;
  }
  check_parts(std::string(100'000, '\''));
  check_parts(std::string(100'000, '9'));
  check_parts(std::string("black\0dress", 11));
}

}  // namespace
}  // namespace scalestyle::retrieval
