// What understood queries do to rows: restriction and preference, on the small shop and on the H&M catalogue.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "catalog/table_reader.hpp"
#include "retrieval/query_understanding.hpp"
#include "retrieval/query_understanding_audience.hpp"
#include "retrieval/query_understanding_nouns.hpp"
#include "retrieval/query_understanding_phrases.hpp"
#include "support/understanding_samples.hpp"
#include "support/shared_data.hpp"

namespace scalestyle::retrieval {
namespace {

using catalog::Attribute;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

const QueryUnderstanding& shop() {
  static const QueryUnderstanding understanding(sample_catalog(), {.currency = "EUR"}, {.colour = 1, .audience = 1});
  return understanding;
}

// Values of `attribute` among the rows that `query` lets pass.
std::set<std::string> left(std::string_view query, Attribute attribute) {
  catalog::Bitmap rows(shop().catalog().size(), true);
  shop().restrict(shop().understand(query), rows);
  std::set<std::string> values;
  rows.for_each([&](catalog::RowIndex row) { values.emplace(shop().catalog().row(row)[attribute]); });
  return values;
}

std::size_t count_left(std::string_view query) {
  catalog::Bitmap rows(shop().catalog().size(), true);
  shop().restrict(shop().understand(query), rows);
  return rows.count();
}

TEST(QueryRestriction, ExclusionsTakeTheirValuesAway) {
  const std::size_t all = shop().catalog().size();
  EXPECT_EQ(count_left("black dress"), all);
  EXPECT_FALSE(left("not black", Attribute::kColour).contains("Black"));
  EXPECT_EQ(count_left("not black"), all - 12);
  // A hue takes its shades and its family, a shade only itself.
  EXPECT_EQ(count_left("not blue"), all - 36);
  EXPECT_EQ(count_left("not dark blue"), all - 12);
  EXPECT_EQ(count_left("no print"), all - 24);
  EXPECT_EQ(count_left("no print or lace"), all - 36);
  EXPECT_FALSE(left("no dresses", Attribute::kProductType).contains("Dress"));
  EXPECT_EQ(count_left("no shirts"), all - 12);  // T-shirts are no shirts
}

TEST(QueryRestriction, ExcludedAudiencesLeaveWhatIsForNobodyInParticular) {
  const std::set<std::string> indexes = left("not for kids", Attribute::kIndex);
  EXPECT_THAT(indexes, UnorderedElementsAre("Baby Sizes 50-98", "Divided", "Ladieswear", "Menswear", "Sport"));
  EXPECT_FALSE(left("not for women", Attribute::kIndex).contains("Ladieswear"));
}

TEST(QueryRestriction, AnAudienceKeepsWhatIsNotForOthers) {
  EXPECT_THAT(left("for women", Attribute::kIndex), UnorderedElementsAre("Divided", "Ladieswear", "Sport"));
  EXPECT_THAT(left("men's shirt", Attribute::kIndex), UnorderedElementsAre("Divided", "Menswear"));
  EXPECT_THAT(left("kids", Attribute::kIndex), UnorderedElementsAre("Baby Sizes 50-98", "Children Sizes 92-140", "Divided"));
  EXPECT_THAT(left("for girls", Attribute::kSection), ::testing::Contains("Kids Boy"));  // children wear both
  EXPECT_THAT(left("for a baby", Attribute::kIndex), UnorderedElementsAre("Baby Sizes 50-98", "Divided"));
  EXPECT_THAT(left("men and women", Attribute::kIndex), UnorderedElementsAre("Divided", "Ladieswear", "Menswear", "Sport"));
  EXPECT_EQ(count_left("baby blue"), shop().catalog().size());
}

TEST(QueryRestriction, PricesAreExactAtTheirBounds) {
  EXPECT_EQ(count_left("under 10"), 24U);  // 9.99 and 5
  EXPECT_EQ(count_left("<= 10"), 36U);
  EXPECT_EQ(count_left("over 30"), 12U);
  EXPECT_EQ(count_left(">= 30"), 24U);
  EXPECT_EQ(count_left("between 10 and 12.5"), 24U);
  EXPECT_EQ(count_left("over 10 under 13"), 12U);
  EXPECT_EQ(count_left("under 1"), 0U);
}

TEST(PreferenceStrength, IsTheSumOfWhatARowCanMeet) {
  const auto strength = [](const char* query) { return QueryUnderstanding::strength(shop().understand(query)); };
  EXPECT_EQ(strength("under 20, not red"), 0);
  EXPECT_EQ(strength("dress"), 1);
  EXPECT_EQ(strength("skirt or dress or shirt"), 1);  // one of them
  EXPECT_EQ(strength("black dress"), 2);              // this shop's colours weigh 1
  EXPECT_EQ(strength("black striped dress for women"), 3.5F);
}

TEST(PieceCredit, IsWhatThePieceAloneGivesARow) {
  for (const char* query : {"light blue dress", "striped top for women", "between 10 and 12.5", "not blue", "sports hat"}) {
    for (const UnderstoodPiece& piece : shop().understand(query).pieces) {
      const UnderstoodQuery alone{.pieces = {piece}};
      catalog::Bitmap passing(shop().catalog().size(), true);
      shop().restrict(alone, passing);
      for (std::uint32_t row = 0; row < passing.size(); ++row) {
        const float credit = shop().credit(piece, {row});
        if (piece.weight > 0) {
          float preference = 0;
          const catalog::RowIndex index{row};
          shop().prefer(alone, std::span(&index, 1), std::span(&preference, 1));
          EXPECT_EQ(credit, preference) << piece.id << " " << row;
        } else {
          EXPECT_EQ(credit > 0, passing.test({row}) == (piece.effect == PieceEffect::kFilter)) << piece.id << " " << row;
        }
      }
    }
  }
}

TEST(QueryRestriction, EqualsALookAtEveryRow) {
  for (const char* query : {"not white", "no stripes or checks under 20", "not for men, not red"}) {
    const UnderstoodQuery understood = shop().understand(query);
    catalog::Bitmap rows(shop().catalog().size(), true);
    for (std::uint32_t row = 0; row < rows.size(); row += 3) rows.reset({row});
    const catalog::Bitmap before = rows;
    shop().restrict(understood, rows);
    const auto audience = audience_of_rows(shop().catalog());
    for (std::uint32_t row = 0; row < rows.size(); ++row) {
      bool passes = before.test({row});
      for (const UnderstoodPiece& piece : understood.pieces) {
        for (const MatchedValue& value : piece.values) {
          if (piece.kind != PieceKind::kAudience) passes = passes && shop().catalog().codes(value.attribute)[row] != value.code;
        }
        if (piece.kind == PieceKind::kAudience) passes = passes && audience_credit(piece.audience, piece.tolerated, audience[row]) < 1;
        if (piece.price) passes = passes && shop().catalog().prices()[row] < *piece.price->max;
      }
      EXPECT_EQ(rows.test({row}), passes) << query << " " << row;
    }
  }
}

float preference(std::string_view query, const std::string& colour, const std::string& type) {
  const catalog::Catalog& catalog = shop().catalog();
  for (std::uint32_t row = 0; row < catalog.size(); ++row) {
    if (catalog.row({row}).colour() != colour || catalog.row({row}).product_type() != type) continue;
    float preference = -1;
    const catalog::RowIndex index{row};
    shop().prefer(shop().understand(query), {&index, 1}, {&preference, 1});
    return preference;
  }
  return -1;
}

TEST(QueryPreference, IsTheShareThatARowMeets) {
  EXPECT_EQ(preference("black dress", "Black", "Dress"), 1);
  EXPECT_EQ(preference("black dress", "Red", "Shirt"), 0);
  EXPECT_EQ(preference("black dress", "Dark Blue", "Dress"), 0.5F);
  EXPECT_EQ(preference("light blue dress", "Dark Blue", "Dress"), 0.75F);  // the family counts half
  EXPECT_EQ(preference("black or red", "Red", "Shirt"), 1);                // a row has one colour
  EXPECT_EQ(preference("shirt or dress", "Red", "Shirt"), 1);
  EXPECT_EQ(preference("something", "Red", "Shirt"), 0);
  EXPECT_EQ(preference("not red", "Red", "Shirt"), 0);
  EXPECT_FLOAT_EQ(preference("striped dress", "Dark Blue", "Dress"), 1);
  EXPECT_FLOAT_EQ(preference("striped dress", "Black", "Dress"), 1 / 1.5F);
  EXPECT_EQ(preference("for women", "Black", "Dress"), 1);
  EXPECT_EQ(preference("for women", "Red", "Shirt"), 0);
  EXPECT_EQ(preference("for women", "Grey", "Trousers"), 0.5F);  // the catalogue does not say
  EXPECT_EQ(preference("for kids", "Off White", "Sweater"), 0.5F);
  EXPECT_EQ(preference("sport", "Other Pink", "Vest top"), 1);
  EXPECT_EQ(preference("women's sportswear", "Black", "Dress"), 0.5F);
}

TEST(QueryPreference, OfNoRowsIsNothing) { shop().prefer(shop().understand("black"), {}, {}); }

TEST(Audience, IsReadFromTheWordsOfTheCatalogue) {
  using A = AudienceSet;
  const auto bits = [](std::string_view value) { return unsigned{audience_of_value(value).bits}; };
  EXPECT_EQ(bits("Ladies H&M Sport"), unsigned{A::kAdult | A::kFemale | A::kSport});
  EXPECT_EQ(bits("Mens Outerwear"), unsigned{A::kAdult | A::kMale});
  EXPECT_EQ(bits("Baby Girl"), unsigned{A::kBaby | A::kFemale});
  EXPECT_EQ(bits("Kids & Baby Shoes"), unsigned{A::kBaby | A::kChild});
  EXPECT_EQ(bits("Young Boy"), unsigned{A::kChild | A::kMale});
  EXPECT_EQ(bits("Divided Collection"), 0U);
  EXPECT_EQ(audience_credit({A::kAdult | A::kFemale}, {}, {A::kAdult | A::kFemale}), 1);
  EXPECT_EQ(audience_credit({A::kAdult | A::kFemale}, {}, {A::kChild | A::kFemale}), 0);
  EXPECT_EQ(audience_credit({A::kAdult | A::kFemale}, {}, {0}), kPartCredit);
  EXPECT_EQ(audience_credit({A::kChild}, {A::kBaby}, {A::kBaby}), kPartCredit);
  EXPECT_EQ(audience_credit({A::kChild | A::kFemale}, {}, {A::kChild | A::kFemale | A::kMale}), 1);
}

TEST(ValuePhrases, ReadValuesAsShoppersSayThem) {
  const auto phrases = [](std::string_view value) {
    std::vector<std::string> texts;
    for (const ValuePhrase& phrase : value_phrases(value)) {
      std::string text;
      for (const std::string& form : phrase.forms) text += (text.empty() ? "" : " ") + form;
      texts.push_back(text);
    }
    return texts;
  };
  EXPECT_THAT(phrases("Leggings/Tights"), ElementsAre("legging", "tight"));
  EXPECT_THAT(phrases("Hair/alice band"), ElementsAre("hair band", "alice band"));
  EXPECT_THAT(phrases("Pyjama jumpsuit/playsuit"), ElementsAre("pyjama jumpsuit", "pyjama playsuit"));
  EXPECT_THAT(phrases("Socks & Tights"), ElementsAre("sock", "tight"));
  EXPECT_THAT(phrases("T-shirt"), ElementsAre("t shirt"));
  EXPECT_THAT(phrases("Unknown"), IsEmpty());
  EXPECT_THAT(phrases("Other"), IsEmpty());
  EXPECT_THAT(phrases("H&M+"), IsEmpty());
  EXPECT_THAT(phrases(""), IsEmpty());
  EXPECT_TRUE(value_phrases("T-shirt").at(0).hyphenated_end);
}

TEST(OpeningNouns, AreTheLastWordsOfOpenings) {
  const OpeningNouns openings(*sample_catalog());
  std::set<std::string> found;
  for (const Noun& noun : openings.nouns()) {
    std::string text;
    for (const std::string& form : noun.forms) text += (text.empty() ? "" : " ") + form;
    found.insert(text);
  }
  EXPECT_THAT(found, UnorderedElementsAre("dress", "hat", "jogger", "jumper", "short", "shirt", "swim short", "t shirt", "top"));
  EXPECT_TRUE(openings.modifiers().contains("short"));
  EXPECT_FALSE(openings.modifiers().contains("shorts"));
}

// ---- the H&M catalogue ----

std::shared_ptr<const catalog::Catalog> read_catalog(const std::filesystem::path& path) {
  catalog::CatalogBuilder builder;
  const auto sink = [&](const catalog::ArticleChunk& chunk) -> core::Status {
    for (const catalog::ArticleRow& row : chunk.accepted) CORE_CHECK(builder.add(row.article));
    return {};
  };
  if (!catalog::read_articles(path, {}, sink)) return nullptr;
  return std::make_shared<const catalog::Catalog>(std::move(builder).build().value());
}

TEST(QueryUnderstandingOfHm, ReadsObviousQueries) {
  const auto path = support::shared_dir() / "data" / "hm" / "articles.parquet";
  SCALESTYLE_NEED(path);
  const auto catalog = read_catalog(path);
  ASSERT_NE(catalog, nullptr);
  const QueryUnderstanding understanding(catalog, {.currency = "EUR"});
  const auto ids = [&](std::string_view query) {
    std::vector<std::string> found;
    for (const UnderstoodPiece& piece : understanding.understand(query).pieces) found.push_back(piece.id);
    return found;
  };
  const auto first_value = [&](std::string_view query) { return understanding.understand(query).pieces.at(0).values.at(0).text; };
  EXPECT_THAT(ids("light blue striped shirt for men under 30"),
              ElementsAre("colour:light-blue", "appearance:stripe", "type:shirt", "audience:men", "price:max-30"));
  EXPECT_THAT(ids("women's dress not black, no print"),
              ElementsAre("audience:women", "type:dress", "not:colour:black", "not:appearance:print"));
  EXPECT_THAT(ids("short dress"), ElementsAre("type:dress"));
  EXPECT_THAT(ids("off shoulder"), IsEmpty());
  EXPECT_EQ(first_value("jumper"), "Sweater");
  EXPECT_EQ(first_value("trainers"), "Sneakers");
  EXPECT_EQ(first_value("swim shorts"), "Swimwear bottom");
  EXPECT_EQ(first_value("joggers"), "Trousers");
  EXPECT_FALSE(price_unit(*catalog, "", 1).is_money);

  catalog::Bitmap rows(catalog->size(), true);
  understanding.restrict(understanding.understand("dress not black"), rows);
  rows.for_each([&](catalog::RowIndex row) { ASSERT_NE(catalog->row(row).colour(), "Black"); });
  EXPECT_GT(rows.count(), catalog->size() / 2);
}

}  // namespace
}  // namespace scalestyle::retrieval
