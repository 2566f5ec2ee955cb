#include "retrieval/lexical_index.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "retrieval/lexical_samples.hpp"
#include "text/english_stemmer.hpp"
#include "text/words.hpp"

namespace scalestyle::retrieval {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

const std::vector<std::string> kQueries = {"dress", "black dress", "the", "black dresses with pockets", "soft cotton jersey t-shirt women",
                                           "tshirt", "sweat shirt", "strpies", "trouzers denm", "jack", "rare7 rare8 rare9",
                                           "1003", "2 black", "nothing-known", "women womens woman", "v neck"};

TEST(LexicalIndex, EqualsScoringEveryRowForEveryQueryFilterAndDepth) {
  const auto synonyms = SynonymTable::parse("trousers, denim stripes\njacket => sweatshirt, soft jersey\n", "test").value();
  for (const std::size_t rows : {1U, 7U, 255U, 256U, 257U, 1000U, 3000U}) {
    const catalog::Catalog catalog = random_catalog(rows, static_cast<unsigned>(rows));
    const LexicalIndex index = LexicalIndex::build(catalog, {}).value();
    const catalog::Bitmap none(rows);
    const catalog::Bitmap few = random_rows(rows, 0.01, 1);
    const catalog::Bitmap some = random_rows(rows, 0.12, 2);
    const catalog::Bitmap most = random_rows(rows, 0.9, 3);
    const std::vector<const catalog::Bitmap*> filters{nullptr, &none, &few, &some, &most};
    for (const std::string& query : kQueries) {
      for (const SynonymTable* table : {static_cast<const SynonymTable*>(nullptr), &synonyms}) {
        const LexicalPlan plan = plan_of(index, query, table);
        for (const catalog::Bitmap* filter : filters) {
          for (const std::size_t k : {1U, 10U, 100U, 1000U, 5000U}) {
            ASSERT_EQ(index.search(plan, filter, k).hits, score_every_row(index, plan, rows, filter, k))
                << rows << " rows, \"" << query << "\", k " << k;
          }
        }
      }
    }
  }
}

// BM25F from its definition, in double precision, with nothing of the index but its options.
class PlainBm25f {
 public:
  PlainBm25f(const catalog::Catalog& catalog, const LexicalOptions& options) : catalog_(catalog), options_(options) {
    for (std::uint32_t row = 0; row < catalog.size(); ++row) {
      for (const LexicalField field : all_lexical_fields()) {
        const double length = static_cast<double>(read(row, field, nullptr));
        if (length > 0) ++rows_with_[field];
        total_length_[field] += length;
      }
    }
  }

  // Of a stem, with every form weighing the same.
  double score(const std::string& stem, std::uint32_t row) {
    double frequency = 0;
    for (const LexicalField field : all_lexical_fields()) {
      std::size_t count = 0;
      const double length = static_cast<double>(read(row, field, &stem, &count));
      if (count == 0) continue;
      const double average = total_length_[field] / rows_with_[field];
      const double b = static_cast<double>(options_.length_b(field));
      frequency += static_cast<double>(options_.weight(field)) * static_cast<double>(count) / (1 - b + b * length / average);
    }
    return idf(stem) * frequency / (static_cast<double>(options_.k1) + frequency);
  }

 private:
  static std::string text_of(const catalog::ArticleView& article, LexicalField field) {
    switch (field) {
      case LexicalField::kName: return std::string(article.name());
      case LexicalField::kType: return std::string(article.product_type());
      case LexicalField::kColour: return std::string(article.colour());
      case LexicalField::kSection: return std::string(article[catalog::Attribute::kSection]);
      case LexicalField::kDescription: return std::string(article.description());
      default: return {};  // random_catalog leaves the others empty
    }
  }

  std::size_t read(std::uint32_t row, LexicalField field, const std::string* stem, std::size_t* count = nullptr) {
    text::Words words;
    text::split_words(text_of(catalog_.row({row}), field), 10'000, words);
    for (std::size_t i = 0; stem != nullptr && i < words.size(); ++i) {
      if (stemmer_.stem(words[i]) == *stem) ++*count;
      if (!words.continues(i) && words.compound_length(i) > 1 && stemmer_.stem(words.joined(i, words.compound_length(i))) == *stem) ++*count;
    }
    return words.size();
  }

  double idf(const std::string& stem) {
    if (const auto known = idf_.find(stem); known != idf_.end()) return known->second;
    double articles = 0;
    for (std::uint32_t row = 0; row < catalog_.size(); ++row) {
      std::size_t count = 0;
      for (const LexicalField field : all_lexical_fields()) read(row, field, &stem, &count);
      if (count > 0) ++articles;
    }
    const double idf = std::log(1 + (static_cast<double>(catalog_.size()) - articles + 0.5) / (articles + 0.5));
    return idf_[stem] = std::pow(idf, static_cast<double>(options_.idf_exponent));
  }

  const catalog::Catalog& catalog_;
  LexicalOptions options_;
  text::EnglishStemmer stemmer_ = text::EnglishStemmer::create().value();
  std::map<LexicalField, double> total_length_;
  std::map<LexicalField, double> rows_with_;
  std::map<std::string, double> idf_;
};

TEST(LexicalIndex, ScoresAreThoseOfBm25f) {
  const catalog::Catalog catalog = random_catalog(400, 9);
  LexicalOptions options;
  options.name_weight = 2.5F;
  options.k1 = 0.9F;
  options.idf_exponent = 0.7F;
  const LexicalIndex index = LexicalIndex::build(catalog, options).value();
  PlainBm25f plain(catalog, options);
  LexicalQueryOptions exact;
  exact.stem_weight = 1.0F;  // the definition knows no forms
  const LexicalPlan plan = plan_of(index, "black dresses tshirt pocket", nullptr, exact);
  for (std::uint32_t row = 0; row < catalog.size(); ++row) {
    const double wanted = plain.score("black", row) + plain.score("dress", row) + plain.score("tshirt", row) + plain.score("pocket", row);
    ASSERT_NEAR(static_cast<double>(index.score(plan, {row})), wanted, 1e-3 + 1e-3 * wanted) << row;
  }
}

TEST(LexicalIndex, ScoresOfAPartOfTheCatalogueCanBeMerged) {
  const catalog::Catalog catalog = random_catalog(600, 31);
  const LexicalIndex index = LexicalIndex::build(catalog, {}).value();
  catalog::CatalogBuilder builder;
  for (std::uint32_t row = 0; row < catalog.size(); row += 20) ASSERT_TRUE(builder.add(catalog.row({row}).to_article()));
  const catalog::Catalog part = std::move(builder).build().value();
  const LexicalIndex small = LexicalIndex::build(part, {}, &index).value();
  for (const char* query : {"black dress", "striped shirts with pockets", "tshirt women"}) {
    const LexicalPlan whole_plan = plan_of(index, query);
    const LexicalPlan part_plan = plan_of(small, query);
    for (std::uint32_t row = 0; row < part.size(); ++row) {
      ASSERT_EQ(small.score(part_plan, {row}), index.score(whole_plan, {row * 20})) << query;
    }
  }
}

TEST(LexicalIndex, ExactWordsBeatOtherForms) {
  const catalog::Catalog catalog = sample_catalog({{"1", "Shirts"}, {"2", "Shirt"}, {"3", "Shirting"}, {"4", "Skirt"}});
  const LexicalIndex index = LexicalIndex::build(catalog, {}).value();
  EXPECT_THAT(found_ids(catalog, index, "shirt"), ElementsAre("0000000002", "0000000001", "0000000003"));
  EXPECT_THAT(found_ids(catalog, index, "shirts"), ElementsAre("0000000001", "0000000002", "0000000003"));
  EXPECT_EQ(found_ids(catalog, index, "SHÏRT'S"), found_ids(catalog, index, "shirts"));
}

TEST(LexicalIndex, ThreeSpellingsOfACompoundMeet) {
  const catalog::Catalog catalog = sample_catalog({{"1", "T-shirt"}, {"2", "Tshirt"}, {"3", "T shirt"}, {"4", "Dress"}});
  const LexicalIndex index = LexicalIndex::build(catalog, {}).value();
  for (const char* query : {"t-shirt", "tshirt", "t shirt", "T-Shirts", "tshirts"}) {
    EXPECT_THAT(found_ids(catalog, index, query), UnorderedElementsAre("0000000001", "0000000002", "0000000003")) << query;
  }
}

TEST(LexicalIndex, WordsAreJoinedAndTakenApartAsTheCatalogueHasThem) {
  std::vector<SampleText> texts;
  for (int i = 0; i < 5; ++i) texts.push_back({std::to_string(i), "Sweatshirt"});
  for (int i = 5; i < 10; ++i) texts.push_back({std::to_string(i), "Denim shorts"});
  const catalog::Catalog catalog = sample_catalog(texts);
  const LexicalIndex index = LexicalIndex::build(catalog, {}).value();
  const LexicalPlan joined = plan_of(index, "sweat shirt");
  EXPECT_EQ(index.search(joined, nullptr, 100).hits.size(), 5U);
  EXPECT_THAT(joined.notes, ElementsAre(QueryNote{MatchKind::kCompound, "sweat shirt", "sweatshirt"}));
  const LexicalPlan apart = plan_of(index, "denimshorts");
  EXPECT_EQ(index.search(apart, nullptr, 100).hits.size(), 5U);
  EXPECT_THAT(apart.notes, ElementsAre(QueryNote{MatchKind::kCompound, "denimshorts", "denim shorts"}));
}

TEST(LexicalIndex, WearersAreFound) {
  const catalog::Catalog catalog = sample_catalog({{"1", "Top", "", "Menswear"}, {"2", "Top", "", "Ladieswear"}});
  const LexicalIndex index = LexicalIndex::build(catalog, {}).value();
  EXPECT_THAT(found_ids(catalog, index, "men's"), ElementsAre("0000000001"));
  EXPECT_THAT(found_ids(catalog, index, "ladieswear"), ElementsAre("0000000002"));
}

TEST(LexicalIndex, TypoIsCorrectedOnlyWhenTheWordIsRareAndSaidSo) {
  std::vector<SampleText> texts;
  for (int i = 0; i < 20; ++i) texts.push_back({std::to_string(i), "Jacket"});
  texts.push_back({"30", "Packet"});
  texts.push_back({"31", "Jacked"});
  const catalog::Catalog catalog = sample_catalog(texts);
  const LexicalIndex index = LexicalIndex::build(catalog, {}).value();
  const LexicalPlan plan = plan_of(index, "jakcet");
  EXPECT_THAT(plan.notes, ElementsAre(QueryNote{MatchKind::kCorrection, "jakcet", "jacket"}));
  EXPECT_EQ(index.search(plan, nullptr, 100).hits.size(), 20U);
  // The rare word that was typed comes first, what it may have meant after it.
  const auto rare = index.search(plan_of(index, "jacked"), nullptr, 100).hits;
  ASSERT_EQ(rare.size(), 21U);
  EXPECT_EQ(catalog.row(rare[0].row).name(), "Jacked");
  EXPECT_GT(rare[0].score, rare[1].score);
  // The first letter is kept; a frequent word is what it is; a switch turns it off.
  EXPECT_THAT(plan_of(index, "packets").notes, IsEmpty());
  EXPECT_THAT(plan_of(index, "jackets").notes, IsEmpty());
  LexicalQueryOptions off;
  off.correct = false;
  const LexicalPlan uncorrected = plan_of(index, "jakcet", nullptr, off);
  EXPECT_TRUE(uncorrected.empty());
  EXPECT_THAT(uncorrected.unknown_words, ElementsAre("jakcet"));
}

TEST(LexicalIndex, LastWordIsCompleted) {
  std::vector<SampleText> texts;
  for (int i = 0; i < 6; ++i) texts.push_back({std::to_string(i), "Dress"});
  for (int i = 6; i < 9; ++i) texts.push_back({std::to_string(i), "Dream"});
  const catalog::Catalog catalog = sample_catalog(texts);
  const LexicalIndex index = LexicalIndex::build(catalog, {}).value();
  LexicalQueryOptions options;
  const LexicalPlan plan = plan_of(index, "dre");
  EXPECT_THAT(plan.notes, ElementsAre(QueryNote{MatchKind::kPrefix, "dre", "dress"}, QueryNote{MatchKind::kPrefix, "dre", "dream"}));
  EXPECT_EQ(index.search(plan, nullptr, 100).hits.size(), 9U);
  options.max_expansions = 1;
  EXPECT_EQ(index.search(plan_of(index, "dre", nullptr, options), nullptr, 100).hits.size(), 6U);
  EXPECT_THAT(plan_of(index, "dre dream").notes, IsEmpty());  // only the last word, and it is known
  options.expand_prefix = false;
  EXPECT_TRUE(plan_of(index, "dre", nullptr, options).empty());
}

TEST(LexicalIndex, SynonymsActAsWritten) {
  const catalog::Catalog catalog = sample_catalog({{"1", "Jumper"}, {"2", "Sweater"}, {"3", "Knitted top"}, {"4", "Top"}, {"5", "T-shirt"}});
  const LexicalIndex index = LexicalIndex::build(catalog, {}).value();
  const auto synonyms = SynonymTable::parse("jumper, sweater, knitted top\ntee => t-shirt\n", "test").value();
  EXPECT_THAT(found_ids(catalog, index, "jumper"), ElementsAre("0000000001"));
  EXPECT_THAT(found_ids(catalog, index, "jumpers", &synonyms), UnorderedElementsAre("0000000001", "0000000002", "0000000003"));
  EXPECT_EQ(found_ids(catalog, index, "jumper", &synonyms).front(), "0000000001");
  EXPECT_EQ(found_ids(catalog, index, "sweater", &synonyms).front(), "0000000002");
  EXPECT_THAT(found_ids(catalog, index, "tee", &synonyms), ElementsAre("0000000005"));
  EXPECT_THAT(found_ids(catalog, index, "t-shirt", &synonyms), ElementsAre("0000000005"));
  const LexicalPlan plan = plan_of(index, "tee", &synonyms);
  EXPECT_THAT(plan.notes, ElementsAre(QueryNote{MatchKind::kSynonym, "tee", "t-shirt"}));
}

TEST(LexicalIndex, IdsAndProductCodesComeFirst) {
  const catalog::Catalog catalog = sample_catalog({{"0108775015", "Strap top", "", "", "108775"},
                                                   {"0108775044", "Strap top", "", "", "108775"},
                                                   {"0200000001", "Top 108775", "", "", "200000"},
                                                   {"dress", "Bag", "", "", "x"},
                                                   {"0300000001", "Dress", "", "", "y"}});
  const LexicalIndex index = LexicalIndex::build(catalog, {}).value();
  EXPECT_THAT(found_ids(catalog, index, "0108775044"), ElementsAre("0108775044"));
  EXPECT_THAT(found_ids(catalog, index, " 108775044 "), ElementsAre("0108775044"));
  EXPECT_THAT(found_ids(catalog, index, "108775"), ElementsAre("0108775015", "0108775044"));
  EXPECT_THAT(found_ids(catalog, index, "0108775"), ElementsAre("0108775015", "0108775044"));
  EXPECT_THAT(found_ids(catalog, index, "top 0108775044"), ElementsAre("0108775044", "0108775015", "0200000001"));
  EXPECT_THAT(found_ids(catalog, index, "dress"), ElementsAre("dress"));         // the whole query is an id
  EXPECT_THAT(found_ids(catalog, index, "dress bag"), UnorderedElementsAre("0300000001", "dress"));
  const auto hits = index.search(plan_of(index, "top 0108775044"), nullptr, 2).hits;
  ASSERT_EQ(hits.size(), 2U);
  EXPECT_TRUE(hits[0].is_named);
  EXPECT_FALSE(hits[1].is_named);
  EXPECT_GT(hits[0].score, hits[1].score + 0.9F);
  catalog::Bitmap others(catalog.size(), true);
  others.reset(*catalog.find("0108775044"));
  EXPECT_THAT(index.search(plan_of(index, "0108775044"), &others, 10).hits, IsEmpty());
}

TEST(LexicalIndex, TiesComeInTheOrderOfIds) {
  std::vector<SampleText> texts;
  for (int i = 0; i < 900; ++i) texts.push_back({std::to_string(i), i % 3 == 0 ? "Red top" : "Top"});
  const catalog::Catalog catalog = sample_catalog(texts);
  const LexicalIndex index = LexicalIndex::build(catalog, {}).value();
  const auto hits = index.search(plan_of(index, "red"), nullptr, 200).hits;
  ASSERT_EQ(hits.size(), 200U);
  for (std::uint32_t i = 0; i < 200; ++i) ASSERT_EQ(hits[i].row.value, i * 3);
}

TEST(LexicalIndex, ExplainsWhatMatchedWhere) {
  const catalog::Catalog catalog = sample_catalog({{"1", "Black dresses", "A dress in black jersey", "Dress"}, {"2", "Top", "", "Top"}});
  const LexicalIndex index = LexicalIndex::build(catalog, {}).value();
  const LexicalPlan plan = plan_of(index, "black dress");
  const LexicalExplanation explanation = index.explain(plan, {0});
  ASSERT_EQ(explanation.terms.size(), 2U);
  EXPECT_EQ(explanation.score, index.search(plan, nullptr, 1).hits[0].score);
  const TermExplanation& dress = explanation.terms[1];
  EXPECT_EQ(dress.query_text, "dress");
  EXPECT_TRUE(dress.is_exact_form);
  ASSERT_EQ(dress.fields.size(), 3U);
  EXPECT_EQ(dress.fields[0].field, LexicalField::kName);
  EXPECT_EQ(dress.fields[1].field, LexicalField::kType);
  EXPECT_EQ(dress.fields[2].field, LexicalField::kDescription);
  float shares = 0;
  for (const auto& field : dress.fields) shares += field.share;
  EXPECT_NEAR(shares, 1.0F, 1e-5F);
  EXPECT_THAT(index.explain(plan, {1}).terms, IsEmpty());
  EXPECT_EQ(index.explain(plan, {1}).score, 0.0F);
}

TEST(LexicalIndex, ExplanationsAddUpToTheScore) {
  const auto synonyms = SynonymTable::parse("trousers, denim stripes\njacket => sweatshirt, soft jersey\n", "test").value();
  const catalog::Catalog catalog = random_catalog(500, 21);
  const LexicalIndex index = LexicalIndex::build(catalog, {}).value();
  for (const std::string& query : kQueries) {
    const LexicalPlan plan = plan_of(index, query, &synonyms);
    for (const LexicalHit& hit : index.search(plan, nullptr, 30).hits) {
      const LexicalExplanation explanation = index.explain(plan, hit.row);
      EXPECT_EQ(explanation.is_named, hit.is_named);
      if (!hit.is_named) {
        EXPECT_EQ(explanation.score, hit.score) << query;
      }
    }
  }
}

TEST(LexicalIndex, StopWordsCountOnlyAlone) {
  const catalog::Catalog catalog = sample_catalog({{"1", "Top with the"}, {"2", "Dress"}});
  const LexicalIndex index = LexicalIndex::build(catalog, {}).value();
  EXPECT_THAT(found_ids(catalog, index, "with the dress"), ElementsAre("0000000002"));
  EXPECT_THAT(found_ids(catalog, index, "with the"), ElementsAre("0000000001"));
}

TEST(LexicalIndex, AnyQueryIsAnswered) {
  const catalog::Catalog catalog = random_catalog(300, 4);
  const LexicalIndex index = LexicalIndex::build(catalog, {}).value();
  std::mt19937 random(8);
  for (int round = 0; round < 2000; ++round) {
    std::string bytes(random() % 100, '\0');
    for (char& byte : bytes) byte = random() % 4 == 0 ? static_cast<char>(random() % 256) : "abdres -'"[random() % 9];
    const LexicalPlan plan = plan_of(index, bytes);
    EXPECT_LE(index.search(plan, nullptr, 10).hits.size(), 10U);
  }
  const LexicalPlan longest = plan_of(index, std::string(1'000'000, 'x'));
  EXPECT_TRUE(longest.truncated);
  std::string many;
  for (int i = 0; i < 100; ++i) many += "black" + std::to_string(i) + " ";
  EXPECT_TRUE(plan_of(index, many).truncated);
  EXPECT_TRUE(plan_of(index, "").empty());
  EXPECT_THAT(index.search(plan_of(index, "black"), nullptr, 0).hits, IsEmpty());
}

TEST(LexicalIndex, EmptyCatalogueAndEmptyTexts) {
  const catalog::Catalog nothing = sample_catalog({});
  const LexicalIndex empty = LexicalIndex::build(nothing, {}).value();
  EXPECT_THAT(empty.search(plan_of(empty, "dress"), nullptr, 10).hits, IsEmpty());
  const catalog::Catalog blank = sample_catalog({{"1", ""}, {"2", ""}});
  const LexicalIndex index = LexicalIndex::build(blank, {}).value();
  EXPECT_THAT(index.search(plan_of(index, "dress"), nullptr, 10).hits, IsEmpty());
  EXPECT_EQ(index.vocabulary().size(), 0U);
}

TEST(LexicalIndex, WrongOptionsAreNamed) {
  const catalog::Catalog catalog = random_catalog(3, 1);
  LexicalOptions options;
  options.k1 = 0;
  EXPECT_EQ(LexicalIndex::build(catalog, options).error().field, "k1");
  options = {};
  options.text_length_b = std::nanf("");
  EXPECT_EQ(LexicalIndex::build(catalog, options).error().field, "text_length_b");
  options = {.name_weight = 0, .type_weight = 0, .colour_weight = 0, .category_weight = 0, .description_weight = 0};
  EXPECT_EQ(LexicalIndex::build(catalog, options).error().code, core::ErrorCode::kInvalidArgument);
  const LexicalIndex index = LexicalIndex::build(catalog, {}).value();
  LexicalQueryOptions query;
  query.correction_weight = 1.5F;
  EXPECT_EQ(index.plan("x", nullptr, query).error().field, "correction_weight");
}

TEST(LexicalIndex, VocabularyCountsArticlesOfAWordAndOfItsStem) {
  const catalog::Catalog catalog = sample_catalog({{"1", "Dress dress"}, {"2", "Dresses"}, {"3", "Dress dresses"}});
  const LexicalIndex index = LexicalIndex::build(catalog, {}).value();
  const LexicalVocabulary& vocabulary = index.vocabulary();
  const auto dress = vocabulary.find("dress");
  ASSERT_TRUE(dress);
  EXPECT_EQ(vocabulary.articles(*dress), 2U);
  EXPECT_EQ(vocabulary.term_articles(vocabulary.term(*dress)), 3U);
  EXPECT_EQ(vocabulary.stem(vocabulary.term(*dress)), "dress");
  const WordRange range = vocabulary.with_prefix("dress");
  EXPECT_EQ(range.end - range.begin, 2U);
  EXPECT_FALSE(vocabulary.find("dres"));
}

TEST(LexicalIndex, SameAnswerFromManyThreadsAndBuilds) {
  const catalog::Catalog catalog = random_catalog(2000, 12);
  const LexicalIndex index = LexicalIndex::build(catalog, {}).value();
  const LexicalIndex again = LexicalIndex::build(catalog, {}).value();
  std::vector<std::vector<LexicalHit>> wanted;
  for (const std::string& query : kQueries) wanted.push_back(again.search(plan_of(again, query), nullptr, 100).hits);
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&] {
      for (std::size_t i = 0; i < kQueries.size(); ++i) {
        EXPECT_EQ(index.search(plan_of(index, kQueries[i]), nullptr, 100).hits, wanted[i]);
      }
    });
  }
}

}  // namespace
}  // namespace scalestyle::retrieval
