#include "evaluation/measure.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace scalestyle::evaluation {
namespace {

catalog::ArticleId id(std::string_view text) { return catalog::ArticleId::parse(text).value(); }

std::string error_of(std::string_view text) {
  const auto measures = parse_measures(text);
  return measures ? "accepted" : measures.error().message;
}

TEST(MeasureNames, AreReadAndWritten) {
  const auto measures = parse_measures("ndcg@10, mrr@10:2,recall@1000,map@12,hit@1").value();
  ASSERT_EQ(measures.size(), 5U);
  EXPECT_EQ(measures[1], (Measure{.kind = MeasureKind::kReciprocalRank, .depth = 10, .minimum_grade = 2}));
  EXPECT_EQ(key_of(measures[1]), "mrr@10:2");
  EXPECT_EQ(title_of(measures[1]), "MRR@10 (grade ≥ 2)");
  EXPECT_EQ(title_of(measures[4]), "hit rate@1");
  EXPECT_EQ(deepest(measures), 1000U);
  for (const Measure& measure : measures) EXPECT_EQ(parse_measure(key_of(measure)).value(), measure);
}

TEST(MeasureNames, MistakesAreExplained) {
  EXPECT_THAT(error_of("ndgc@10"), testing::HasSubstr("did you mean ndcg?"));
  EXPECT_THAT(error_of(""), testing::HasSubstr("is no measure"));
  EXPECT_THAT(error_of("ndcg"), testing::HasSubstr("a depth of 1 to 10000"));
  EXPECT_THAT(error_of("ndcg@0"), testing::HasSubstr("a depth of 1 to 10000"));
  EXPECT_THAT(error_of("ndcg@10001"), testing::HasSubstr("a depth of 1 to 10000"));
  EXPECT_THAT(error_of("ndcg@-1"), testing::HasSubstr("a depth of 1 to 10000"));
  EXPECT_THAT(error_of("ndcg@10:2"), testing::HasSubstr("nDCG has none"));
  EXPECT_THAT(error_of("mrr@10:16"), testing::HasSubstr("1 to 15"));
  EXPECT_THAT(error_of("mrr@10,mrr@10"), testing::HasSubstr("comes twice"));
  EXPECT_THAT(error_of("mrr@10,"), testing::HasSubstr("is no measure"));
}

TEST(MeasureOfAList, IsTheOneNamed) {
  const Grades grades{{id("a"), 2}, {id("b"), 1}};
  const std::vector<catalog::ArticleId> ranked{id("x"), id("b"), id("a")};
  EXPECT_EQ(measure_list(parse_measure("mrr@10").value(), ranked, grades), 0.5);
  EXPECT_EQ(measure_list(parse_measure("mrr@2:2").value(), ranked, grades), 0.0);
  EXPECT_EQ(measure_list(parse_measure("recall@2").value(), ranked, grades), 0.5);
  EXPECT_EQ(measure_list(parse_measure("hit@1").value(), ranked, grades), 0.0);
  EXPECT_EQ(measure_list(parse_measure("hit@3:2").value(), ranked, grades), 1.0);
  EXPECT_NEAR(measure_list(parse_measure("map@12").value(), ranked, grades), (1.0 / 2 + 2.0 / 3) / 2, 1e-12);
}

TEST(Floors, AreReadForMeasuresThatAreTaken) {
  const auto measures = parse_measures("ndcg@10,recall@100").value();
  const auto floors = parse_floors("recall@100=0.08,ndcg@10=1", measures).value();
  ASSERT_EQ(floors.size(), 2U);
  EXPECT_EQ(floors[0].measure, 1U);
  EXPECT_EQ(floors[0].least, 0.08);
  EXPECT_TRUE(parse_floors("", measures)->empty());
  const auto error = [&measures](std::string_view text) { return parse_floors(text, measures).error(); };
  EXPECT_THAT(error("map@12=0.5").message, testing::HasSubstr("not among the measures"));
  EXPECT_THAT(error("ndcg@10").message, testing::HasSubstr("least value"));
  EXPECT_THAT(error("ndcg@10=2").message, testing::HasSubstr("0 to 1"));
  EXPECT_THAT(error("ndcg@10=nan").message, testing::HasSubstr("0 to 1"));
  EXPECT_EQ(error("x@1=0").field, "minimum");
}

}  // namespace
}  // namespace scalestyle::evaluation
