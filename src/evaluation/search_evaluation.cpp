#include "evaluation/search_evaluation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <iterator>
#include <set>
#include <string_view>

namespace scalestyle::evaluation {
namespace {

constexpr std::size_t kMaxDepth = 10'000;

Interval interval_of(const SearchEvaluation& evaluation, double QueryFigures::*figure) {
  std::vector<double> values;
  for (const QueryFigures& query : evaluation.queries) values.push_back(query.*figure);
  return bootstrap_mean(values, evaluation.options.resamples, evaluation.options.seed);
}

std::string json_text(std::string_view text) { return boost::json::serialize(boost::json::string(text)); }

std::string json_of(const Interval& interval) {
  return fmt::format(R"({{"mean":{},"low":{},"high":{}}})", interval.mean, interval.low, interval.high);
}

std::string json_of(const std::vector<std::string>& texts) {
  std::vector<std::string> quoted;
  for (const std::string& text : texts) quoted.push_back(json_text(text));
  return fmt::format("[{}]", fmt::join(quoted, ","));
}

QueryFigures figures_of(const EvaluationQuery& query, const Grades& grades,
                        const std::vector<catalog::ArticleId>& ranked, const EvaluationOptions& options) {
  QueryFigures figures;
  figures.query_id = query.query_id;
  figures.judged = static_cast<std::size_t>(std::ranges::count_if(grades, [](const auto& entry) {
    return entry.second >= 1;
  }));
  figures.returned = ranked.size();
  figures.ndcg = ndcg(ranked, grades, options.ndcg_depth);
  figures.reciprocal_rank =
      reciprocal_rank(ranked, grades, options.reciprocal_rank_depth, options.reciprocal_rank_grade);
  figures.reciprocal_rank_any_grade = reciprocal_rank(ranked, grades, options.reciprocal_rank_depth, 1);
  figures.recall = recall(ranked, grades, options.recall_depth, 1);
  return figures;
}

}  // namespace

core::Status EvaluationOptions::validate() const {
  const auto check = [](std::string_view name, std::size_t depth) -> core::Status {
    if (depth >= 1 && depth <= kMaxDepth) return {};
    return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("{} {} is not in 1 … {}", name, depth, kMaxDepth),
                      std::string(name));
  };
  CORE_CHECK(check("ndcg_depth", ndcg_depth));
  CORE_CHECK(check("reciprocal_rank_depth", reciprocal_rank_depth));
  CORE_CHECK(check("recall_depth", recall_depth));
  if (reciprocal_rank_grade < 1 || reciprocal_rank_grade > kMaxGrade) {
    return core::fail(core::ErrorCode::kInvalidArgument,
                      fmt::format("reciprocal_rank_grade {} is not in 1 … {}", reciprocal_rank_grade, kMaxGrade),
                      "reciprocal_rank_grade");
  }
  if (resamples < 100 || resamples > 1'000'000) {
    return core::fail(core::ErrorCode::kInvalidArgument,
                      fmt::format("resamples {} is not in 100 … 1000000", resamples), "resamples");
  }
  return {};
}

core::Result<SearchEvaluation> evaluate_search(const std::vector<EvaluationQuery>& queries,
                                               const Judgements& judgements, const RankFunction& rank,
                                               const EvaluationOptions& options) {
  CORE_CHECK(options.validate());
  SearchEvaluation evaluation;
  evaluation.options = options;
  const std::size_t depth = std::max({options.ndcg_depth, options.reciprocal_rank_depth, options.recall_depth});
  std::set<std::string_view> asked;
  for (const EvaluationQuery& query : queries) {
    asked.insert(query.query_id);
    const auto grades = judgements.find(query.query_id);
    if (grades == judgements.end() ||
        std::ranges::none_of(grades->second, [](const auto& entry) { return entry.second >= 1; })) {
      evaluation.queries_without_judgements.push_back(query.query_id);
      continue;
    }
    auto ranked = rank(query, depth);
    if (!ranked) {
      ranked.error().message = fmt::format("query {}: {}", query.query_id, ranked.error().message);
      return std::unexpected(std::move(ranked).error());
    }
    evaluation.queries.push_back(figures_of(query, grades->second, *ranked, options));
  }
  for (const auto& [query_id, grades] : judgements) {
    if (!asked.contains(query_id)) evaluation.judgements_without_query.push_back(query_id);
  }
  if (evaluation.queries.empty()) {
    return core::fail(core::ErrorCode::kInvalidArgument,
                      "no query has an article of grade 1 or more; do the query ids of both files agree?");
  }
  evaluation.ndcg = interval_of(evaluation, &QueryFigures::ndcg);
  evaluation.reciprocal_rank = interval_of(evaluation, &QueryFigures::reciprocal_rank);
  evaluation.reciprocal_rank_any_grade = interval_of(evaluation, &QueryFigures::reciprocal_rank_any_grade);
  evaluation.recall = interval_of(evaluation, &QueryFigures::recall);
  return evaluation;
}

std::string to_text(const SearchEvaluation& evaluation) {
  const EvaluationOptions& options = evaluation.options;
  std::string text = fmt::format("{} queries, 95 % bootstrap intervals ({} resamples, seed {})\n\n",
                                 evaluation.queries.size(), options.resamples, options.seed);
  const auto line = [&text](const std::string& name, const Interval& interval) {
    text += fmt::format("{:<24}{:.4f}   {:.4f} – {:.4f}\n", name, interval.mean, interval.low, interval.high);
  };
  line(fmt::format("nDCG@{}", options.ndcg_depth), evaluation.ndcg);
  line(fmt::format("MRR@{} (grade ≥ {})", options.reciprocal_rank_depth, options.reciprocal_rank_grade) +
           "  ",  // "≥" is three bytes and one column: the padding counts bytes
       evaluation.reciprocal_rank);
  line(fmt::format("MRR@{} (any grade)", options.reciprocal_rank_depth), evaluation.reciprocal_rank_any_grade);
  line(fmt::format("recall@{}", options.recall_depth), evaluation.recall);
  if (!evaluation.queries_without_judgements.empty()) {
    text += fmt::format("\nleft out, no relevant article judged: {}\n",
                        fmt::join(evaluation.queries_without_judgements, ", "));
  }
  if (!evaluation.judgements_without_query.empty()) {
    text += fmt::format("\nleft out, judged but not asked: {}\n", fmt::join(evaluation.judgements_without_query, ", "));
  }
  return text;
}

std::string to_json(const SearchEvaluation& evaluation) {
  const EvaluationOptions& options = evaluation.options;
  std::string per_query;
  for (const QueryFigures& query : evaluation.queries) {
    fmt::format_to(std::back_inserter(per_query),
                   R"({}{{"query_id":{},"judged":{},"returned":{},"ndcg":{},"mrr":{},"mrr_any_grade":{},"recall":{}}})",
                   per_query.empty() ? "" : ",", json_text(query.query_id), query.judged, query.returned, query.ndcg,
                   query.reciprocal_rank, query.reciprocal_rank_any_grade, query.recall);
  }
  return fmt::format(
      R"({{"queries":{},"ndcg":{},"mrr":{},"mrr_any_grade":{},"recall":{},)"
      R"("options":{{"ndcg_depth":{},"mrr_depth":{},"mrr_grade":{},"recall_depth":{},"resamples":{},"seed":{}}},)"
      R"("queries_without_judgements":{},"judgements_without_query":{},"per_query":[{}]}})",
      evaluation.queries.size(), json_of(evaluation.ndcg), json_of(evaluation.reciprocal_rank),
      json_of(evaluation.reciprocal_rank_any_grade), json_of(evaluation.recall), options.ndcg_depth,
      options.reciprocal_rank_depth, options.reciprocal_rank_grade, options.recall_depth, options.resamples,
      options.seed, json_of(evaluation.queries_without_judgements), json_of(evaluation.judgements_without_query),
      per_query);
}

}  // namespace scalestyle::evaluation
