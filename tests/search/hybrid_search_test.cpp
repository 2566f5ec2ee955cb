// Words and meaning together: which leg finds what, what stands in for the one that fails, and how an answer explains itself.

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>

#include "list_fixture.hpp"
#include "search/synonym_file.hpp"
#include "support/temporary_folder.hpp"

namespace scalestyle::search {
namespace {

using catalog::FilterField;
using core::ErrorCode;
using std::chrono::milliseconds;

constexpr LegSet kWords{.lexical = true, .dense = false};
constexpr LegSet kMeaning{.lexical = false, .dense = true};

class HybridSearchTest : public ListFixture {
 protected:
  static SearchRequest with(const std::string& query, LegSet legs) {
    auto wanted = request(query);
    wanted.legs = legs;
    return wanted;
  }
  void break_encoder(ErrorCode code = ErrorCode::kUnavailable) { encoder_.fail_with(core::Error{code, "away"}); }
};

TEST_F(HybridSearchTest, EachLegAloneFindsItsOwn) {
  auto& service = make();
  const auto words = run(service, with("socks", kWords));
  ASSERT_TRUE(words);
  EXPECT_EQ(words->total, 15U);  // every fourth article
  EXPECT_EQ(words->total_relation, TotalRelation::kEqual);
  for (const AnswerItem& item : words->items) EXPECT_EQ(item.article.product_type(), "Socks");
  EXPECT_TRUE(encoder_.batches().empty());
  EXPECT_TRUE(words->degradations.empty());

  const auto meaning = run(service, with("socks", kMeaning));
  EXPECT_EQ(meaning.value().total, static_cast<std::size_t>(kArticles));

  auto none = with("socks", {.lexical = false, .dense = false});
  EXPECT_EQ(run(service, none).error().error.field, "legs");
}

TEST_F(HybridSearchTest, TheListIsTheFusionOfWhatTheLegsFound) {
  auto& service = make();
  const auto found_by = [&](LegSet legs) {  // nothing is preferred
    auto wanted = with("red socks", legs);
    wanted.understanding.understand = false;
    return run(service, wanted);
  };
  const auto words = found_by(kWords);
  const auto meaning = found_by(kMeaning);
  const auto both = found_by({});
  ASSERT_TRUE(words && meaning && both);
  const auto rows_of = [](const SearchOutcome& outcome) {
    std::vector<catalog::RowIndex> rows;
    for (const AnswerItem& item : outcome->items) rows.push_back(item.article.row());
    return rows;
  };
  // Ranks are all that the default fusion reads.
  const auto word_rows = rows_of(words);
  const auto meaning_rows = rows_of(meaning);
  std::vector<float> falling;
  for (int i = 0; i < kArticles; ++i) falling.push_back(static_cast<float>(kArticles - i));
  const std::array legs{
      ranking::LegResult{.leg = ranking::Leg::kLexical, .rows = word_rows, .scores = std::span(falling).first(word_rows.size())},
      ranking::LegResult{.leg = ranking::Leg::kDense, .rows = meaning_rows, .scores = std::span(falling).first(meaning_rows.size())}};
  const auto expected = ranking::fuse({.legs = legs}, {});
  EXPECT_EQ(rows_of(both), expected.rows);
  EXPECT_EQ(scores(both), expected.scores);
  EXPECT_EQ(both->total, static_cast<std::size_t>(kArticles));
}

TEST_F(HybridSearchTest, WordsAnswerWhenMeaningCannot) {
  auto& service = make();
  const auto words = run(service, with("red socks", kWords));
  const auto expect_words = [&](DegradationReason reason, SearchRequest wanted) {
    const auto outcome = run(service, std::move(wanted));
    ASSERT_TRUE(outcome) << outcome.error().error.message;
    EXPECT_EQ(ids(outcome), ids(words));
    EXPECT_EQ(scores(outcome), scores(words));
    EXPECT_EQ(outcome->degradations, std::vector{reason});
    EXPECT_FALSE(outcome->fallback_source);  // it answers the query
  };
  break_encoder();
  expect_words(DegradationReason::kInferenceUnavailable, request("red socks"));
  break_encoder(ErrorCode::kDeadlineExceeded);
  expect_words(DegradationReason::kInferenceTimeout, request("red socks"));
  encoder_.fail_with(std::nullopt);
  index_.fail_search_with(core::Error{ErrorCode::kUnavailable, "away"});
  expect_words(DegradationReason::kRetrievalUnavailable, request("red socks"));
  index_.fail_search_with(std::nullopt);
  encoder_.hold();
  auto hurried = request("red socks");
  hurried.deadline = in(milliseconds(60));
  expect_words(DegradationReason::kInferenceTimeout, std::move(hurried));
  encoder_.release();
}

TEST_F(HybridSearchTest, LimitsThatWereReachedStayRefusalsWhateverWordsFind) {
  auto& service = make();
  break_encoder(ErrorCode::kResourceExhausted);
  const auto outcome = run(service, request("red socks"));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().reason, DegradationReason::kDownstreamCapacityRejected);
}

TEST_F(HybridSearchTest, NothingFoundByWordsAloneIsAnHonestEmptyAnswer) {
  const auto outcome = run(make(), with("zzzz", kWords));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->total, 0U);
  EXPECT_TRUE(outcome->degradations.empty());
  EXPECT_FALSE(outcome->fallback_source);
}

TEST_F(HybridSearchTest, FiltersBoundBothLegs) {
  auto wanted = request("socks");
  wanted.filter[FilterField::kColour] = {"red"};
  const auto outcome = run(make(), wanted);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->total, 20U);
  for (const AnswerItem& item : outcome->items) EXPECT_EQ(item.article.colour(), "Red");
}

TEST_F(HybridSearchTest, AnIdIsAnsweredByItsArticleAlone) {
  auto& service = make();
  const auto outcome = run(service, request(id_of(7)));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(ids(outcome), std::vector{id_of(7)});
  EXPECT_EQ(outcome->items[0].score, 1);
  EXPECT_TRUE(encoder_.batches().empty());
  // With words beside it, it comes first.
  const auto with_words = run(service, request("socks " + id_of(7)));
  ASSERT_TRUE(with_words);
  const auto found = ids(with_words);
  EXPECT_EQ(found.front(), id_of(7));
  EXPECT_GT(found.size(), 1U);
  EXPECT_EQ(std::set<std::string>(found.begin(), found.end()).size(), found.size());
}

TEST_F(HybridSearchTest, AMistypedWordIsCorrectedForBothLegsAndTheAnswerSaysSo) {
  auto& service = make();
  const auto outcome = run(service, request("Red TROUSRES"));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(encoder_.batches().back(), std::vector<std::string>{"red trousers"});
  EXPECT_EQ(outcome->items[0].article.product_type(), "Trousers");
  ASSERT_EQ(outcome->understood.size(), 3U);  // colour, type, and
  EXPECT_EQ(outcome->understood[2].field, "correction");
  EXPECT_EQ(outcome->understood[2].value, "trousres → trousers");
  EXPECT_TRUE(run(service, request("fine name")).value().understood.empty());
}

TEST_F(HybridSearchTest, ExplanationsTellLegsTermsAndFactors) {
  features_.set_features(user("u"), {.affinities = {{"Socks", {9, clock_.now_ms()}}}});
  auto& service = make();
  auto wanted = request("red socks", "u");
  EXPECT_EQ(run(service, wanted).value().items[0].explanation, nullptr);
  wanted.explain = true;
  const auto outcome = run(service, wanted);
  ASSERT_TRUE(outcome);
  const auto found_by = [&](LegSet legs) {  // in the leg's own order
    auto alone = with("red socks", legs);
    alone.understanding.understand = false;
    return ids(run(service, alone));
  };
  const auto words = found_by(kWords);
  const auto meaning = found_by(kMeaning);
  for (const AnswerItem& item : outcome->items) {
    ASSERT_NE(item.explanation, nullptr);
    const ItemExplanation& why = *item.explanation;
    const std::string id(item.article.id());
    for (const auto& place : why.legs) {
      const auto& list = place.leg == ranking::Leg::kLexical ? words : meaning;
      EXPECT_EQ(list.at(place.rank - 1), id);
    }
    const bool is_found_by_words = std::ranges::find(words, id) != words.end();
    EXPECT_EQ(why.legs.size(), is_found_by_words ? 2U : 1U);
    EXPECT_EQ(why.terms.empty(), !is_found_by_words);
    EXPECT_DOUBLE_EQ(item.score, why.base_score * item.boost.factor);
    EXPECT_EQ(item.boost.category_affinity > 1, item.article.product_type() == "Socks");
  }
}

TEST_F(HybridSearchTest, SynonymsOfAFileActAndAreFollowed) {
  const support::TemporaryFolder folder;
  const auto path = folder / "synonyms.txt";
  std::ofstream(path) << "hosiery => socks\n";
  const auto file = SynonymFile::open(path).value();
  auto& service = make_with({.generations = holder_, .encoder = encoder_, .index = index_, .pool = compute_.pool(),
                             .timers = compute_.timers(), .clock = clock_, .metrics = metrics_, .synonyms = file.get()},
                            {});
  EXPECT_EQ(run(service, with("hosiery", kWords)).value().total, 15U);
  EXPECT_FALSE(file->follow().value());

  std::ofstream(path) << "hosiery => socks, trousers\n";
  EXPECT_TRUE(file->follow().value());
  EXPECT_EQ(run(service, with("hosiery", kWords)).value().total, 30U);

  std::ofstream(path) << "hosiery => \n";
  const auto wrong = file->follow();
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().message.find("synonyms.txt:1"), std::string::npos) << wrong.error().message;
  EXPECT_EQ(run(service, with("hosiery", kWords)).value().total, 30U);  // as they were
  EXPECT_FALSE(file->follow().value());                                 // told once

  std::filesystem::remove(path);
  EXPECT_FALSE(file->follow());
  EXPECT_EQ(run(service, with("hosiery", kWords)).value().total, 30U);
  EXPECT_EQ(SynonymFile::open(path).error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace scalestyle::search
