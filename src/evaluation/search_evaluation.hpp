#pragma once
// Runs a query set through a search function and reports how good the ranked lists are.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "evaluation/metrics.hpp"
#include "evaluation/query_set.hpp"

namespace scalestyle::evaluation {

// Ranked article ids, best first, at least `depth` of them when there are so many.
using RankFunction = std::function<core::Result<std::vector<catalog::ArticleId>>(const EvaluationQuery& query, std::size_t depth)>;

struct EvaluationOptions {
  std::size_t ndcg_depth = 10;
  std::size_t reciprocal_rank_depth = 10;
  int reciprocal_rank_grade = 2;  // the MRR that is reported first; MRR of any positive grade is reported beside it
  std::size_t recall_depth = 100;
  std::size_t resamples = 10'000;
  std::uint64_t seed = 20200923;

  [[nodiscard]] core::Status validate() const;
};

struct QueryFigures {
  std::string query_id;
  std::size_t judged = 0;    // articles of grade ≥ 1
  std::size_t returned = 0;  // articles the search gave
  double ndcg = 0;
  double reciprocal_rank = 0;
  double reciprocal_rank_any_grade = 0;
  double recall = 0;
};

struct SearchEvaluation {
  EvaluationOptions options;
  std::vector<QueryFigures> queries;         // those that count, in the order of the file
  std::vector<std::string> queries_without_judgements;  // left out of every mean
  std::vector<std::string> judgements_without_query;    // left out too
  Interval ndcg;
  Interval reciprocal_rank;
  Interval reciprocal_rank_any_grade;
  Interval recall;
};

// A query without any article of grade ≥ 1 is left out and named. Errors: options, no query that counts, and the first
// error of `rank`, with the query's id in front.
[[nodiscard]] core::Result<SearchEvaluation> evaluate_search(const std::vector<EvaluationQuery>& queries,
                                                             const Judgements& judgements, const RankFunction& rank,
                                                             const EvaluationOptions& options);

// A table for people; one JSON object (stable keys, per-query figures included) for programs.
[[nodiscard]] std::string to_text(const SearchEvaluation& evaluation);
[[nodiscard]] std::string to_json(const SearchEvaluation& evaluation);

}  // namespace scalestyle::evaluation
