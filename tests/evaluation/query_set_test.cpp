#include "evaluation/query_set.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/shared_data.hpp"
#include "support/temporary_folder.hpp"

namespace scalestyle::evaluation {
namespace {

std::string query_error(std::string_view text) {
  const auto result = parse_queries(text, "q.jsonl");
  return result ? "accepted" : result.error().message;
}

std::string judgement_error(std::string_view text) {
  const auto result = parse_judgements(text, "qrels.tsv");
  return result ? "accepted" : result.error().message;
}

catalog::ArticleId id(std::string_view text) { return catalog::ArticleId::parse(text).value(); }

TEST(Queries, JsonLinesAreRead) {
  const auto queries = parse_queries(
      "\xEF\xBB\xBF{\"query_id\":\"d1\",\"query\":\"black \\u00e9t\\u00e9 top\"}\r\n\n{\"query\":\" x \",\"query_id\":\"d2\",\"more\":1}",
      "q.jsonl").value();
  ASSERT_EQ(queries.size(), 2U);
  EXPECT_EQ(queries[0].query_id, "d1");
  EXPECT_EQ(queries[0].text, "black été top");
  EXPECT_EQ(queries[1].text, "x");
}

TEST(Queries, CsvIsReadByColumnName) {
  const auto queries = parse_queries("note,query,query_id\n1,\"red, \"\"soft\"\" hat\",a\n2,coat,b\n", "q.csv").value();
  ASSERT_EQ(queries.size(), 2U);
  EXPECT_EQ(queries[0].text, "red, \"soft\" hat");
  EXPECT_EQ(queries[1].query_id, "b");
}

TEST(Queries, ErrorsNameFileAndLine) {
  EXPECT_EQ(query_error(""), "q.jsonl: has no query");
  EXPECT_EQ(query_error("{\"query_id\":\"a\",\"query\":\"x\"}\n{\"query_id\":\"a\",\"query\":\"y\"}"),
            "q.jsonl:2: query_id a comes twice");
  EXPECT_EQ(query_error("{\"query_id\":\"a\",\"query\":\"  \"}"), "q.jsonl:1: the query of a is blank");
  EXPECT_EQ(query_error("{\"query_id\":7,\"query\":\"x\"}"), "q.jsonl:1: query_id is missing or not a text");
  EXPECT_THAT(query_error("{\"query_id\":\"a\",\"query\":\"x\"}\n\nnonsense"), testing::StartsWith("q.jsonl:3: not JSON"));
  EXPECT_EQ(query_error("id,text\n1,2"), "q.jsonl:1: neither a JSON object nor a CSV header with query_id and query");
  EXPECT_EQ(query_error("query_id,query\na"), "q.jsonl:2: 1 fields, the header promises more");
  EXPECT_EQ(query_error("query_id,query\na,\"x"), "q.jsonl:2: a quoted field does not end on its line");
}

TEST(JudgementsFile, TabSeparatedIsReadByColumnName) {
  const auto judgements =
      parse_judgements("grade\tquery_id\tarticle_id\n2\td1\t108775015\n1\td1\t0108775044\n0\td2\tx-1\r\n", "q").value();
  ASSERT_EQ(judgements.size(), 2U);
  EXPECT_EQ(judgements.at("d1").at(id("0108775015")), 2);
  EXPECT_EQ(judgements.at("d1").at(id("0108775044")), 1);
  EXPECT_EQ(judgements.at("d2").at(id("x-1")), 0);
}

TEST(JudgementsFile, TrecQrelsAreRead) {
  const auto judgements = parse_judgements("d1 0 108775015 2\nd1\t0\tb  1\nd1 0 spam -2\n", "q").value();
  EXPECT_EQ(judgements.at("d1").at(id("0108775015")), 2);
  EXPECT_EQ(judgements.at("d1").at(id("b")), 1);
  EXPECT_EQ(judgements.at("d1").at(id("spam")), 0);
}

TEST(JudgementsFile, ErrorsNameFileAndLine) {
  EXPECT_EQ(judgement_error(""), "qrels.tsv: has no judgement");
  EXPECT_EQ(judgement_error("query_id\tarticle_id\n"),
            "qrels.tsv:1: the header has no column grade (separated by tabs)");
  EXPECT_THAT(judgement_error("d1 a 2"), testing::StartsWith("qrels.tsv:1: 3 columns; expected four of TREC qrels"));
  EXPECT_EQ(judgement_error("d1 0 a 2\nd1 0 b two"), "qrels.tsv:2: grade \"two\" is not a whole number of 0 … 15");
  EXPECT_EQ(judgement_error("d1 0 a 99999999999"), "qrels.tsv:1: grade \"99999999999\" is not a whole number of 0 … 15");
  EXPECT_EQ(judgement_error("d1 0 a 2\nd1 0 a 1"), "qrels.tsv:2: article a of query d1 has grade 1 here and 2 before");
  EXPECT_EQ(judgement_error("d1 0 a 2\nd1 0 a 2"), "accepted");
  EXPECT_THAT(judgement_error("query_id\tarticle_id\tgrade\nd1\t\t1"), testing::StartsWith("qrels.tsv:2: "));
  EXPECT_EQ(judgement_error("query_id\tarticle_id\tgrade\nd1\ta"), "qrels.tsv:2: 2 columns, the header promises more");
}

TEST(Files, AMissingFileIsNamed) {
  support::TemporaryFolder folder;
  const auto queries = read_queries(folder / "none.jsonl");
  ASSERT_FALSE(queries);
  EXPECT_THAT(queries.error().message, testing::HasSubstr("none.jsonl"));
  EXPECT_FALSE(read_judgements(folder / "none.tsv"));
}

TEST(Files, TheDevelopmentSetIsRead) {
  const auto folder = support::shared_dir() / "data" / "hm" / "search";
  SCALESTYLE_NEED(folder);
  const auto queries = read_queries(folder / "queries.jsonl").value();
  EXPECT_EQ(queries.size(), 48U);
  const auto judgements = read_judgements(folder / "qrels.tsv").value();
  for (const EvaluationQuery& query : queries) EXPECT_TRUE(judgements.contains(query.query_id)) << query.query_id;
}

}  // namespace
}  // namespace scalestyle::evaluation
