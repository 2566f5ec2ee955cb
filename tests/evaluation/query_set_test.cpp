#include "evaluation/query_set.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "evaluation/random.hpp"
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

TEST(Queries, CsvFieldsMayHoldNewlinesAndLinesAreStillCounted) {
  const auto queries = parse_queries("query_id,query_text\r\na,\"red\nhat\"\r\n\r\nb,coat\r\n", "q.csv").value();
  ASSERT_EQ(queries.size(), 2U);
  EXPECT_EQ(queries[0].text, "red\nhat");
  EXPECT_EQ(queries[1].text, "coat");
  EXPECT_EQ(query_error("query_id,query\na,\"red\nhat\"\na,coat\n"), "q.jsonl:4: query_id a comes twice");
}

TEST(Queries, ErrorsNameFileAndLine) {
  EXPECT_EQ(query_error(""), "q.jsonl: has no query");
  EXPECT_EQ(query_error("{\"query_id\":\"a\",\"query\":\"x\"}\n{\"query_id\":\"a\",\"query\":\"y\"}"),
            "q.jsonl:2: query_id a comes twice");
  EXPECT_EQ(query_error("{\"query_id\":\"a\",\"query\":\"  \"}"), "q.jsonl:1: the query of a is blank");
  EXPECT_EQ(query_error("{\"query_id\":7,\"query\":\"x\"}"), "q.jsonl:1: query_id is missing or not a text");
  EXPECT_THAT(query_error("{\"query_id\":\"a\",\"query\":\"x\"}\n\nnonsense"), testing::StartsWith("q.jsonl:3: not JSON"));
  EXPECT_EQ(query_error("id,text\n1,2"), "q.jsonl:1: neither a JSON object nor a CSV header with query_id and query (or query_text)");
  EXPECT_EQ(query_error("query_id,query\na"), "q.jsonl:2: 1 fields; the header has 2");
  EXPECT_EQ(query_error("query_id,query\na,x,y"), "q.jsonl:2: 3 fields; the header has 2");
  EXPECT_THAT(query_error("query_id,query\nb,y\na,\"x"), testing::StartsWith("q.jsonl:3: "));
  EXPECT_THAT(query_error("{\"query_id\":\"a\",\"query\":\"x\"}\nquery_id,query"), testing::StartsWith("q.jsonl:2: not JSON"));
}

TEST(JudgementsFile, TabSeparatedIsReadByColumnName) {
  const auto judgements =
      parse_judgements("grade\tquery_id\tarticle_id\n2\td1\t108775015\n1\td1\t0108775044\n0\td2\tx-1\r\n", "q").value().judgements;
  ASSERT_EQ(judgements.size(), 2U);
  EXPECT_EQ(judgements.at("d1").at(id("0108775015")), 2);
  EXPECT_EQ(judgements.at("d1").at(id("0108775044")), 1);
  EXPECT_EQ(judgements.at("d2").at(id("x-1")), 0);
}

TEST(JudgementsFile, TrecQrelsAreRead) {
  const auto judgements = parse_judgements("d1 0 108775015 2\nd1\t0\tb  1\nd1 0 spam -2\n", "q").value().judgements;
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

TEST(JudgementsFile, CsvIsReadByColumnName) {
  const auto judgements =
      parse_judgements("article_id,note,grade,query_id\r\n108775015,\"a, b\",2,d1\r\nx-1,,0,d2\r\n", "q").value().judgements;
  EXPECT_EQ(judgements.at("d1").at(id("0108775015")), 2);
  EXPECT_EQ(judgements.at("d2").at(id("x-1")), 0);
  EXPECT_THAT(judgement_error("query_id,article_id,grade\nd1,a,1\nd1,b,\"x"), testing::StartsWith("qrels.tsv:3: "));
  EXPECT_EQ(judgement_error("query_id,article_id,grade\nd1,a"), "qrels.tsv:2: 2 fields; the header has 3");
  EXPECT_EQ(judgement_error("query_id,article_id\nd1,a"),
            "qrels.tsv:1: the header has neither query_id, article_id and grade nor query_id and positive_ids");
}

TEST(JudgementsFile, ListsOfRightAndWrongArticlesAreRead) {
  const auto file =
      parse_judgements("query_id,positive_ids,negative_ids\n1,108775015 108775044,b  c 108775015\n2,,d\n1,108775015,\n", "q").value();
  ASSERT_EQ(file.judgements.size(), 2U);
  EXPECT_EQ(file.judgements.at("1").size(), 4U);
  EXPECT_EQ(file.judgements.at("1").at(id("0108775015")), kListedGrade);  // right, though it is in both lists
  EXPECT_EQ(file.judgements.at("1").at(id("c")), 0);
  EXPECT_EQ(file.judgements.at("2").at(id("d")), 0);
  EXPECT_EQ(file.repeated, 2U);
  EXPECT_EQ(parse_judgements("query_id,positive_ids,negatives_ids\n1,a,b\n", "q")->judgements.at("1").size(), 2U);
  EXPECT_EQ(parse_judgements("query_id,positive_ids\n1,a\n", "q")->judgements.at("1").size(), 1U);
  EXPECT_EQ(judgement_error("query_id,positive_ids\n,a\n"), "qrels.tsv:2: query_id is blank");
}

TEST(JudgementsFile, WhatIsSaidTwiceIsCounted) {
  EXPECT_EQ(parse_judgements("d1 0 a 2\nd1 0 a 2\nd1 0 b 1\n", "q")->repeated, 1U);
  EXPECT_EQ(parse_judgements("d1 0 a 2\n", "q")->repeated, 0U);
}

// Whatever the bytes are, there is an answer: a set within the limits, or an error that names the file.
TEST(DamagedFiles, AreAnsweredWithoutHarm) {
  const std::string_view texts[] = {"{\"query_id\":\"a\",\"query\":\"x\"}\n{\"query_id\":\"b\",\"query\":\"\\u00e9\"}\n",
                                    "query_id,query\na,\"red, \"\"soft\"\" hat\"\nb,coat\n",
                                    "query_id\tarticle_id\tgrade\nd1\t108775015\t2\nd2\tx\t0\n", "d1 0 108775015 2\nd1 0 b 1\n",
                                    "query_id,positive_ids,negative_ids\n1,108775015 7,b  c\n2,,\"d\"\n"};
  Random random(1);
  for (int i = 0; i < 20'000; ++i) {
    std::string text(texts[random.below(std::size(texts))]);
    for (std::size_t edits = 1 + random.below(4); edits > 0 && !text.empty(); --edits) {
      const std::size_t place = random.below(text.size());
      switch (random.below(3)) {
        case 0: text[place] = static_cast<char>(random.below(256)); break;
        case 1: text.erase(place, 1 + random.below(8)); break;
        default: text.insert(place, 1, "\",\t\n\r {"[random.below(7)]);
      }
    }
    if (const auto queries = parse_queries(text, "file"); queries) {
      EXPECT_FALSE(queries->empty());
    } else {
      EXPECT_THAT(queries.error().message, testing::StartsWith("file:"));
    }
    if (const auto judgements = parse_judgements(text, "file"); judgements) {
      EXPECT_FALSE(judgements->judgements.empty());
    } else {
      EXPECT_THAT(judgements.error().message, testing::StartsWith("file:"));
    }
  }
}

void write(const std::filesystem::path& path, std::string_view text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path) << text;
}

std::string set_error(const std::filesystem::path& queries, const std::filesystem::path& judgements) {
  const auto set = read_query_set(queries, judgements);
  return set ? "accepted" : set.error().message;
}

TEST(QuerySetFiles, AMissingFileIsNamed) {
  support::TemporaryFolder folder;
  write(folder / "q.jsonl", "{\"query_id\":\"a\",\"query\":\"x\"}");
  EXPECT_THAT(set_error(folder / "none.jsonl", folder / "none.tsv"), testing::HasSubstr("none.jsonl"));
  EXPECT_THAT(set_error(folder / "q.jsonl", folder / "none.tsv"), testing::HasSubstr("none.tsv"));
}

// The layout of microsoft/hnm-search-data, in small.
TEST(QuerySetFiles, AFolderOfTheKnownLayoutIsASet) {
  support::TemporaryFolder folder;
  EXPECT_THAT(set_error(folder.path(), ""), testing::HasSubstr("is a folder without a query set"));
  write(folder / "data/search/queries.csv",
        "query_id,transaction_id,query_text\n0,171,\"black, strappy top\"\n1,172,winter coat\n2,173,socks\n");
  EXPECT_THAT(set_error(folder.path(), ""), testing::HasSubstr("has queries.csv but no qrels.csv"));
  write(folder / "data/search/qrels.csv", "query_id,positive_ids,negative_ids\n0,108775015,108775044 x\n1,y,z\n");
  for (const auto& path : {folder.path(), folder / "data", folder / "data/search"}) {
    if (path.filename() == "data") {
      EXPECT_TRUE(read_query_set(path, "").has_value()) << "search/ below it";
      continue;
    }
    const auto set = read_query_set(path, "").value();
    ASSERT_EQ(set.queries.size(), 3U);
    EXPECT_EQ(set.queries[0].text, "black, strappy top");
    EXPECT_EQ(set.judgements.at("0").at(id("0108775015")), kListedGrade);
    EXPECT_EQ(set.judgements.size(), 2U);
  }
}

TEST(QuerySetFiles, TheDevelopmentSetIsRead) {
  const auto folder = support::shared_dir() / "data" / "hm" / "search";
  SCALESTYLE_NEED(folder);
  const auto set = read_query_set(folder / "queries.jsonl", folder / "qrels.tsv").value();
  EXPECT_EQ(set.queries.size(), 48U);
  for (const EvaluationQuery& query : set.queries) EXPECT_TRUE(set.judgements.contains(query.query_id)) << query.query_id;
}

QuerySet numbered_set(std::size_t count) {
  QuerySet set;
  for (std::size_t i = 0; i < count; ++i) {
    set.queries.push_back({std::to_string(i), "query"});
    set.judgements[std::to_string(i)] = {{id("a"), 1}};
  }
  set.judgements["elsewhere"] = {{id("a"), 1}};
  return set;
}

std::vector<std::string> ids_of(const QuerySet& set) {
  std::vector<std::string> ids;
  for (const auto& query : set.queries) ids.push_back(query.query_id);
  return ids;
}

TEST(Sample, KeepsOrderAndDependsOnTheSeedAlone) {
  QuerySet first = numbered_set(100);
  sample_queries(first, 10, 1);
  QuerySet again = numbered_set(100);
  sample_queries(again, 10, 1);
  QuerySet other = numbered_set(100);
  sample_queries(other, 10, 2);
  ASSERT_EQ(first.queries.size(), 10U);
  EXPECT_EQ(ids_of(first), ids_of(again));
  EXPECT_NE(ids_of(first), ids_of(other));
  EXPECT_TRUE(std::ranges::is_sorted(first.queries, {}, [](const auto& query) { return std::stoi(query.query_id); }));
  EXPECT_EQ(first.judgements.size(), 11U);  // what was judged but never asked stays, to be told
  QuerySet all = numbered_set(5);
  sample_queries(all, 10, 1);
  EXPECT_EQ(all.queries.size(), 5U);
}

}  // namespace
}  // namespace scalestyle::evaluation
