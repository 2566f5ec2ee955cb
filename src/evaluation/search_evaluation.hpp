#pragma once
// Runs a query set through one configuration of a search, or several, and measures the ranked lists and how long they
// took. Several are asked query by query in turn, each query beginning with another one, so that what else the machine
// does meets them alike.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "evaluation/measure.hpp"
#include "evaluation/metrics.hpp"
#include "evaluation/query_set.hpp"
#include "evaluation/ranker.hpp"

namespace scalestyle::evaluation {

// nDCG@10, MRR@10 of grade 2 and of any, recall@100, MAP@12, hit rate@10.
[[nodiscard]] std::vector<Measure> default_search_measures();

struct EvaluationOptions {
  std::vector<Measure> measures = default_search_measures();
  std::size_t coverage_depth = 10;
  std::size_t resamples = 10'000;  // fewer for many queries: resamples_for()
  std::uint64_t seed = 20200923;
  std::size_t warm_up = 3;         // queries asked first, with their words turned round, and not measured; of two words or more
  bool allow_degraded = false;     // false: the first degraded answer is an error
  // Whether the catalogue has an article; empty: not asked. Judged articles that it lacks stay in the ideal lists.
  std::function<bool(const catalog::ArticleId&)> has_article{};

  [[nodiscard]] core::Status validate() const;
};

struct MeasuredQuery {
  std::string query_id;
  std::string text;         // as asked
  std::size_t judged = 0;   // articles of grade ≥ 1
};

// Of one configuration and one query.
struct QueryFigures {
  std::vector<double> values;  // one a measure
  std::size_t returned = 0;    // articles the search gave
  double milliseconds = 0;
  bool degraded = false;
};

struct LatencyFigures {
  double mean = 0;
  double p50 = 0;
  double p99 = 0;
  double largest = 0;
};

struct ConfigurationFigures {
  std::string name;
  std::vector<QueryFigures> queries{};  // in the order of SearchEvaluation::queries
  std::vector<Interval> means{};        // one a measure
  LatencyFigures latency{};             // milliseconds
  std::size_t degraded = 0;           // answers
  std::map<std::string, std::size_t> degradations{};
  std::size_t covered = 0;            // distinct articles within coverage_depth, over all queries
};

struct SearchEvaluation {
  EvaluationOptions options;
  std::vector<MeasuredQuery> queries;                   // those that count, in the order of the file
  std::vector<ConfigurationFigures> configurations;     // in the order given
  std::vector<std::string> queries_without_judgements;  // left out of every mean
  std::vector<std::string> judgements_without_query;    // left out too
  std::size_t repeated_judgements = 0;
  std::size_t unknown_articles = 0;  // distinct, of grade ≥ 1, that the catalogue lacks
  std::vector<std::string> queries_of_unknown_articles;  // measured, but nothing that is right for them can be found
};

// A query without any article of grade ≥ 1 is left out and named. Errors: options, no configuration or two of one name,
// no query that counts, and the first error of a ranker, with configuration and query in front.
[[nodiscard]] core::Result<SearchEvaluation> evaluate_search(const QuerySet& set,
                                                             std::span<const Configuration> configurations,
                                                             const EvaluationOptions& options);

// ---- Comparison ----

struct QueryChange {
  std::size_t query = 0;  // in SearchEvaluation::queries
  double before = 0;
  double after = 0;
};

// One configuration against the first.
struct ConfigurationComparison {
  std::size_t configuration = 0;            // in SearchEvaluation::configurations
  std::vector<PairedComparison> measures{};   // one a measure
  std::vector<double> adjusted_p_values{};    // over all comparisons of the same measure (holm_adjusted())
  std::vector<QueryChange> most_changed{};    // by the first measure, largest change first, ties by query
};

// Every configuration but the first, against it. Empty when there is only one.
[[nodiscard]] std::vector<ConfigurationComparison> compare_configurations(const SearchEvaluation& evaluation,
                                                                          std::size_t most_changed = 10);

// The floors that the first configuration does not reach, as "ndcg@10 is 0.7012, less than 0.75".
[[nodiscard]] std::vector<std::string> missed_floors(const SearchEvaluation& evaluation, std::span<const MeasureFloor> floors);

}  // namespace scalestyle::evaluation
