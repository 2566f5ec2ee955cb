#include "evaluation/search_evaluation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <map>

#include "evaluation/search_report.hpp"

namespace scalestyle::evaluation {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

catalog::ArticleId id(std::string_view text) { return catalog::ArticleId::parse(text).value(); }

using Answers = std::map<std::string, std::vector<catalog::ArticleId>, std::less<>>;

class SearchEvaluationTest : public testing::Test {
 protected:
  QuerySet set_{{{"q1", "one more"}, {"q2", "two"}, {"q3", "three"}},
                {{"q1", {{id("a"), 2}, {id("b"), 1}}}, {"q2", {{id("c"), 2}}}, {"q3", {{id("a"), 0}}}, {"q9", {{id("a"), 1}}}},
                0};
  Answers answers_{{"one more", {id("b"), id("a")}}, {"two", {id("x")}}};
  std::vector<std::string> asked_;
  std::vector<std::size_t> depths_;
  EvaluationOptions options_{.resamples = 1'000, .seed = 7, .warm_up = 0};

  Configuration ranker(std::string name, Answers answers, double milliseconds = 1) {
    return {name, [this, name, answers, milliseconds](std::string_view query, std::size_t depth) -> core::Result<RankedList> {
              asked_.push_back(name + "/" + std::string(query));
              depths_.push_back(depth);
              const auto found = answers.find(query);
              return RankedList{found == answers.end() ? std::vector<catalog::ArticleId>() : found->second, milliseconds};
            }};
  }
  SearchEvaluation evaluate(const std::vector<Configuration>& configurations) {
    return evaluate_search(set_, configurations, options_).value();
  }
};

TEST_F(SearchEvaluationTest, MeansAreThoseOfTheQueriesThatCount) {
  const auto result = evaluate({ranker("only", answers_)});
  ASSERT_EQ(result.queries.size(), 2U);
  EXPECT_EQ(result.queries[0].judged, 2U);
  const ConfigurationFigures& figures = result.configurations.at(0);
  // q1: (1 + 3·0.6309298) / (3 + 0.6309298) = 0.7967075; q2: 0.
  EXPECT_NEAR(figures.queries[0].values[0], 0.7967075, 1e-6);
  EXPECT_NEAR(figures.means[0].mean, 0.7967075 / 2, 1e-6);
  EXPECT_NEAR(figures.means[1].mean, 0.25, 1e-12);  // MRR of grade 2
  EXPECT_NEAR(figures.means[2].mean, 0.5, 1e-12);   // of any grade
  EXPECT_NEAR(figures.means[3].mean, 0.5, 1e-12);   // recall
  EXPECT_NEAR(figures.means[4].mean, 0.5, 1e-12);   // MAP: (1 + 1) / 2 and 0
  EXPECT_NEAR(figures.means[5].mean, 0.5, 1e-12);   // hit rate
  EXPECT_EQ(figures.covered, 3U);                   // a, b, x
  EXPECT_THAT(result.queries_without_judgements, ElementsAre("q3"));
  EXPECT_THAT(result.judgements_without_query, ElementsAre("q9"));
  EXPECT_THAT(depths_, ElementsAre(100, 100));
}

TEST_F(SearchEvaluationTest, ConfigurationsTakeTurnsToBeginAQuery) {
  options_.warm_up = 1;
  options_.measures = parse_measures("ndcg@3").value();
  options_.coverage_depth = 2;
  (void)evaluate({ranker("a", answers_), ranker("b", answers_)});
  EXPECT_THAT(asked_, ElementsAre("a/more one", "b/more one", "a/one more", "b/one more", "b/two", "a/two"));
  EXPECT_THAT(depths_, testing::Each(3U));
}

TEST_F(SearchEvaluationTest, LatencyIsSummedUp) {
  double next = 0;
  const Configuration slow{"slow", [&next](std::string_view, std::size_t) -> core::Result<RankedList> {
                             return RankedList{{}, next += 10};
                           }};
  const LatencyFigures latency = evaluate({slow}).configurations[0].latency;
  EXPECT_EQ(latency.mean, 15.0);
  EXPECT_EQ(latency.p50, 15.0);
  EXPECT_NEAR(latency.p99, 19.9, 1e-9);
  EXPECT_EQ(latency.largest, 20.0);
}

TEST_F(SearchEvaluationTest, AFailingSearchStopsTheRunAndNamesTheQuery) {
  const Configuration failing{"x", [](std::string_view, std::size_t) -> core::Result<RankedList> {
                                return core::fail(core::ErrorCode::kUnavailable, "no index");
                              }};
  const auto result = evaluate_search(set_, std::vector{failing}, options_);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message, "x: query q1: no index");
  EXPECT_EQ(result.error().code, core::ErrorCode::kUnavailable);
}

TEST_F(SearchEvaluationTest, ADegradedAnswerStopsTheRunUnlessItIsAllowed) {
  const Configuration degraded{"x", [](std::string_view query, std::size_t) -> core::Result<RankedList> {
                                 return RankedList{{}, 1, query == "two" ? std::vector<std::string>{"LATE"} : std::vector<std::string>{}};
                               }};
  const auto refused = evaluate_search(set_, std::vector{degraded}, options_);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("query q2: the answer was degraded (LATE)"));
  options_.allow_degraded = true;
  const auto result = evaluate({degraded});
  EXPECT_EQ(result.configurations[0].degraded, 1U);
  EXPECT_TRUE(result.configurations[0].queries[1].degraded);
  EXPECT_THAT(to_text(result, {}), HasSubstr("degraded: 1 of x: LATE"));
}

TEST_F(SearchEvaluationTest, ArticlesThatTheCatalogueLacksAreCounted) {
  options_.has_article = [](const catalog::ArticleId& article) { return article == id("a"); };
  const auto result = evaluate({ranker("only", answers_)});
  EXPECT_EQ(result.unknown_articles, 2U);  // b and c
  EXPECT_THAT(result.queries_of_unknown_articles, ElementsAre("q2"));
  EXPECT_NEAR(result.configurations[0].queries[0].values[0], 0.7967075, 1e-6);  // b is in the ideal all the same
}

TEST_F(SearchEvaluationTest, MistakesAreErrors) {
  QuerySet apart{{{"z", "zero"}}, set_.judgements, 0};
  EXPECT_THAT(evaluate_search(apart, std::vector{ranker("a", answers_)}, options_).error().message,
              HasSubstr("do the query ids of both files agree?"));
  EXPECT_THAT(evaluate_search(set_, {}, options_).error().message, HasSubstr("no configuration"));
  EXPECT_THAT(evaluate_search(set_, std::vector{ranker("a", answers_), ranker("a", answers_)}, options_).error().message,
              HasSubstr("two configurations are called \"a\""));
  options_.resamples = 1;
  EXPECT_EQ(evaluate_search(set_, std::vector{ranker("a", answers_)}, options_).error().field, "resamples");
  options_ = {.measures = {}};
  EXPECT_EQ(evaluate_search(set_, std::vector{ranker("a", answers_)}, options_).error().field, "measures");
}

class ComparisonTest : public SearchEvaluationTest {
 protected:
  ComparisonTest() {
    options_.measures = parse_measures("mrr@10,hit@10").value();
    answers_["three"] = {id("a")};
    set_.judgements["q3"] = {{id("a"), 1}};
  }
  Answers better_{{"one more", {id("a")}}, {"two", {id("x"), id("c")}}, {"three", {id("y"), id("a")}}};
};

TEST_F(ComparisonTest, EveryConfigurationIsComparedWithTheFirst) {
  const auto result = evaluate({ranker("base", answers_), ranker("new", better_), ranker("same", answers_)});
  const auto comparisons = compare_configurations(result);
  ASSERT_EQ(comparisons.size(), 2U);
  // Reciprocal ranks 1, 0, 1 before and 1, 1/2, 1/2 after.
  const PairedComparison& mrr = comparisons[0].measures[0];
  EXPECT_EQ(mrr.difference.mean, 0.0);
  EXPECT_EQ(mrr.p_value, 1.0);
  EXPECT_EQ(mrr.wins, 1U);
  EXPECT_EQ(mrr.losses, 1U);
  EXPECT_NEAR(comparisons[0].measures[1].difference.mean, 1.0 / 3, 1e-12);
  ASSERT_EQ(comparisons[0].most_changed.size(), 2U);
  EXPECT_EQ(result.queries[comparisons[0].most_changed[0].query].query_id, "q2");
  EXPECT_EQ(comparisons[0].most_changed[0].after, 0.5);
  EXPECT_EQ(compare_configurations(result, 1)[0].most_changed.size(), 1U);
  EXPECT_TRUE(comparisons[1].most_changed.empty());
  EXPECT_EQ(comparisons[1].measures[0].p_value, 1.0);
  EXPECT_TRUE(compare_configurations(evaluate({ranker("base", answers_)})).empty());
}

TEST_F(ComparisonTest, FloorsHoldForTheFirstConfiguration) {
  const auto result = evaluate({ranker("base", answers_), ranker("new", better_)});
  const std::vector<MeasureFloor> floors{{.measure = 0, .least = 0.6}, {.measure = 1, .least = 0.7}};
  EXPECT_THAT(missed_floors(result, floors), ElementsAre("hit@10 is 0.6667, less than 0.7"));
}

TEST_F(ComparisonTest, TheSameRunGivesTheSameBytes) {
  const auto once = evaluate({ranker("base", answers_), ranker("new", better_)});
  const auto again = evaluate({ranker("base", answers_), ranker("new", better_)});
  EXPECT_EQ(to_json(once, compare_configurations(once)), to_json(again, compare_configurations(again)));
  EXPECT_EQ(to_text(once, compare_configurations(once)), to_text(again, compare_configurations(again)));
}

TEST_F(ComparisonTest, ReportsSayWhatWasMeasured) {
  set_.queries[0].query_id = "q\"1";
  set_.judgements.insert_or_assign("q\"1", set_.judgements.at("q1"));
  set_.repeated_judgements = 3;
  const auto result = evaluate({ranker("base", answers_, 2), ranker("new", better_, 4)});
  const auto comparisons = compare_configurations(result);
  const std::string text = to_text(result, comparisons);
  EXPECT_THAT(text, HasSubstr("3 queries, 95 % bootstrap intervals (1000 resamples, seed 7)"));
  EXPECT_THAT(text, HasSubstr("new against base"));
  EXPECT_THAT(text, HasSubstr("most changed by MRR@10:\n  +0.5000  0.0000 → 0.5000  q2  two\n"));
  EXPECT_THAT(text, HasSubstr("judgements said more than once: 3"));
  const auto json = boost::json::parse(to_json(result, comparisons)).as_object();
  EXPECT_EQ(json.at("queries").as_int64(), 3);
  const auto& base = json.at("configurations").as_array().at(0).as_object();
  EXPECT_NEAR(base.at("measures").at("mrr@10").at("mean").to_number<double>(), 2.0 / 3, 1e-15);
  EXPECT_EQ(base.at("milliseconds").at("p50").to_number<double>(), 2.0);
  EXPECT_EQ(base.at("per_query").as_array().at(0).at("query_id").as_string(), "q\"1");
  EXPECT_EQ(json.at("comparisons").as_array().at(0).at("measures").at("hit@10").at("better").as_int64(), 1);
  EXPECT_EQ(json.at("options").at("seed").as_int64(), 7);
}

TEST_F(ComparisonTest, EveryQueryHasALineForEachConfiguration) {
  set_.queries[1].text = "two\ttabs";
  const auto result = evaluate({ranker("base", answers_, 2), ranker("new", better_, 4)});
  const std::string table = to_tsv(result);
  EXPECT_EQ(std::ranges::count(table, '\n'), 7);
  EXPECT_THAT(table, testing::StartsWith("configuration\tquery_id\tquery\tjudged\treturned\tmrr@10\thit@10\tmilliseconds\tdegraded\n"));
  EXPECT_THAT(table, HasSubstr("base\tq2\ttwo tabs\t1\t0\t0.000000\t0.000000\t2.000\tfalse\n"));
  EXPECT_THAT(table, HasSubstr("new\tq3\tthree\t1\t2\t0.500000\t1.000000\t4.000\tfalse\n"));
}

TEST_F(SearchEvaluationTest, LongListsOfNamesAreCut) {
  for (int i = 0; i < 100; ++i) set_.queries.push_back({"u" + std::to_string(i), "unjudged"});
  const std::string text = to_text(evaluate({ranker("only", answers_)}), {});
  EXPECT_THAT(text, HasSubstr("left out, no relevant article judged (101): q3, u0"));
  EXPECT_THAT(text, HasSubstr("and 81 more"));
  EXPECT_THAT(text, testing::Not(HasSubstr("u50")));
}

}  // namespace
}  // namespace scalestyle::evaluation
