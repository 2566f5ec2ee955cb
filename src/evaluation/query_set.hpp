#pragma once
// Query sets and relevance judgements, read from files.
//
//   queries:    JSON Lines {"query_id": …, "query": …}, or CSV with a header that names query_id and query
//   judgements: tab-separated with the header query_id, article_id, grade; or TREC qrels (query 0 article grade, blanks)
// The form is told by the file's first line. Every error is kInvalidArgument or kNotFound and names file and line.
// Article ids are read in any spelling that has a canonical form (catalog/article_id.hpp).

#include <cstddef>
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
using Grades = std::unordered_map<catalog::ArticleId, int>;
using Judgements = std::map<std::string, Grades>;  // by query id

// `name` appears in errors. Duplicate query ids, blank queries and an empty set are errors.
[[nodiscard]] core::Result<std::vector<EvaluationQuery>> parse_queries(std::string_view text, std::string_view name);
// The same (query, article) pair with two different grades is an error; repeated with one grade, it counts once.
[[nodiscard]] core::Result<Judgements> parse_judgements(std::string_view text, std::string_view name);

[[nodiscard]] core::Result<std::vector<EvaluationQuery>> read_queries(const std::filesystem::path& path);
[[nodiscard]] core::Result<Judgements> read_judgements(const std::filesystem::path& path);

}  // namespace scalestyle::evaluation
