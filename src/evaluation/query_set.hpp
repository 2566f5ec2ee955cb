#pragma once
// Query sets and relevance judgements, read from files.
//
//   queries:    JSON Lines {"query_id": …, "query": …}, or CSV (RFC 4180) with a header that names query_id and query
//               (or query_text)
//   judgements: a header that names query_id, article_id, grade, in TSV or CSV; or TREC qrels (query 0 article grade,
//               between blanks); or CSV with query_id, positive_ids and, where there are any, negative_ids: lists of
//               articles between blanks, right ones (kListedGrade) and wrong ones
// The form is told by the file's first line. A folder laid out as microsoft/hnm-search-data is a query set too:
// queries.csv (query_id, transaction_id, query_text) and qrels.csv (query_id, positive_ids, negative_ids), in the folder
// itself or in its search/ or data/search/.
// Every error is kInvalidArgument or kNotFound (or the file system's) and names file and line.
// Article ids are read in any spelling that has a canonical form (catalog/article_id.hpp).

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "catalog/article_id.hpp"
#include "core/result.hpp"

namespace scalestyle::evaluation {

struct EvaluationQuery {
  std::string query_id;
  std::string text;
};

// Grades 0 … kMaxGrade; articles that are not named have grade 0.
inline constexpr int kMaxGrade = 15;
inline constexpr int kListedGrade = 2;  // of positive_ids: as right as can be, so that MRR of grade 2 counts them
using Grades = std::unordered_map<catalog::ArticleId, int>;
using Judgements = std::map<std::string, Grades, std::less<>>;  // by query id

inline constexpr std::size_t kMaxQueries = 1'000'000;
inline constexpr std::size_t kMaxJudgements = 10'000'000;

struct JudgementFile {
  Judgements judgements;
  std::size_t repeated = 0;  // lines, or entries of lists, that say again what was said before
};

// `name` appears in errors. Duplicate query ids, blank queries and an empty set are errors.
[[nodiscard]] core::Result<std::vector<EvaluationQuery>> parse_queries(std::string_view text, std::string_view name);
// The same (query, article) pair with two different grades is an error; repeated with one grade, it counts once. An
// article in both lists of a query is a right one.
[[nodiscard]] core::Result<JudgementFile> parse_judgements(std::string_view text, std::string_view name);

struct QuerySet {
  std::vector<EvaluationQuery> queries;  // in the order of the file
  Judgements judgements;
  std::size_t repeated_judgements = 0;
};

// `queries` is a file, and `judgements` another; or `queries` is a folder of the layout above and `judgements` is empty.
[[nodiscard]] core::Result<QuerySet> read_query_set(const std::filesystem::path& queries,
                                                    const std::filesystem::path& judgements);

// Keeps `count` queries drawn at random (all when there are no more), in their order. Judgements of the others go with them.
void sample_queries(QuerySet& set, std::size_t count, std::uint64_t seed);

}  // namespace scalestyle::evaluation
