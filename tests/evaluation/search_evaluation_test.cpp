#include "evaluation/search_evaluation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <map>

namespace scalestyle::evaluation {
namespace {

catalog::ArticleId id(std::string_view text) { return catalog::ArticleId::parse(text).value(); }

class SearchEvaluationTest : public testing::Test {
 protected:
  std::vector<EvaluationQuery> queries_{{"q1", "one"}, {"q2", "two"}, {"q3", "three"}};
  Judgements judgements_{{"q1", {{id("a"), 2}, {id("b"), 1}}}, {"q2", {{id("c"), 2}}}, {"q3", {{id("a"), 0}}},
                         {"q9", {{id("a"), 1}}}};
  std::map<std::string, std::vector<catalog::ArticleId>> answers_{{"one", {id("b"), id("a")}}, {"two", {id("x")}}};
  std::vector<std::size_t> depths_;

  RankFunction rank() {
    return [this](const EvaluationQuery& query, std::size_t depth) -> core::Result<std::vector<catalog::ArticleId>> {
      depths_.push_back(depth);
      return answers_.at(query.text);
    };
  }
};

TEST_F(SearchEvaluationTest, MeansAreThoseOfTheQueriesThatCount) {
  const auto result = evaluate_search(queries_, judgements_, rank(), {}).value();
  ASSERT_EQ(result.queries.size(), 2U);
  // q1: (1 + 3·0.6309298) / (3 + 0.6309298) = 0.7967075; q2: 0.
  EXPECT_NEAR(result.queries[0].ndcg, 0.7967075, 1e-6);
  EXPECT_NEAR(result.ndcg.mean, 0.7967075 / 2, 1e-6);
  EXPECT_NEAR(result.reciprocal_rank.mean, 0.25, 1e-12);
  EXPECT_NEAR(result.reciprocal_rank_any_grade.mean, 0.5, 1e-12);
  EXPECT_NEAR(result.recall.mean, 0.5, 1e-12);
  EXPECT_THAT(result.queries_without_judgements, testing::ElementsAre("q3"));
  EXPECT_THAT(result.judgements_without_query, testing::ElementsAre("q9"));
  EXPECT_THAT(depths_, testing::ElementsAre(100, 100));
}

TEST_F(SearchEvaluationTest, AFailingSearchStopsTheRunAndNamesTheQuery) {
  const RankFunction failing = [](const EvaluationQuery&, std::size_t) -> core::Result<std::vector<catalog::ArticleId>> {
    return core::fail(core::ErrorCode::kUnavailable, "no index");
  };
  const auto result = evaluate_search(queries_, judgements_, failing, {});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message, "query q1: no index");
  EXPECT_EQ(result.error().code, core::ErrorCode::kUnavailable);
}

TEST_F(SearchEvaluationTest, FilesThatDoNotBelongTogetherAreAnError) {
  const auto result = evaluate_search({{"z", "zero"}}, judgements_, rank(), {});
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, testing::HasSubstr("do the query ids of both files agree?"));
}

TEST_F(SearchEvaluationTest, OptionsAreChecked) {
  EvaluationOptions options;
  options.recall_depth = 0;
  const auto result = evaluate_search(queries_, judgements_, rank(), options);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().field, "recall_depth");
}

TEST_F(SearchEvaluationTest, TextAndJsonSayTheSame) {
  queries_[0].query_id = "q\"1";
  judgements_.insert_or_assign("q\"1", judgements_.at("q1"));
  const auto result = evaluate_search(queries_, judgements_, rank(), {}).value();
  const std::string text = to_text(result);
  EXPECT_THAT(text, testing::HasSubstr("2 queries"));
  EXPECT_THAT(text, testing::HasSubstr("nDCG@10                 0.3984   "));
  EXPECT_THAT(text, testing::HasSubstr("MRR@10 (grade ≥ 2)      0.2500   "));
  EXPECT_THAT(text, testing::HasSubstr("left out, no relevant article judged: q3"));
  const auto json = boost::json::parse(to_json(result)).as_object();
  EXPECT_EQ(json.at("queries").as_int64(), 2);
  EXPECT_NEAR(json.at("ndcg").at("mean").to_number<double>(), result.ndcg.mean, 1e-15);
  EXPECT_NEAR(json.at("recall").at("low").to_number<double>(), result.recall.low, 1e-15);
  EXPECT_EQ(json.at("per_query").as_array().at(0).at("query_id").as_string(), "q\"1");
  EXPECT_EQ(json.at("options").at("seed").as_int64(), 20200923);
}

}  // namespace
}  // namespace scalestyle::evaluation
