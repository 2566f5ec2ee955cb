#include "evaluation/search_evaluation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <string_view>
#include <unordered_set>

#include "evaluation/text_lines.hpp"

namespace scalestyle::evaluation {
namespace {

std::unexpected<core::Error> wrong_option(std::string_view name, std::string message) {
  return core::fail(core::ErrorCode::kInvalidArgument, std::move(message), std::string(name));
}

bool is_right(const Grades::value_type& judgement) { return judgement.second >= 1; }

// What the files have, apart: queries that count, and what is left out.
std::vector<const Grades*> take_queries(const QuerySet& set, SearchEvaluation& evaluation) {
  std::vector<const Grades*> grades;
  std::unordered_set<std::string_view> asked;
  for (const EvaluationQuery& query : set.queries) {
    asked.insert(query.query_id);
    const auto found = set.judgements.find(query.query_id);
    const auto judged = found == set.judgements.end() ? 0 : std::ranges::count_if(found->second, is_right);
    if (judged == 0) {
      evaluation.queries_without_judgements.push_back(query.query_id);
      continue;
    }
    evaluation.queries.push_back({query.query_id, query.text, static_cast<std::size_t>(judged)});
    grades.push_back(&found->second);
  }
  for (const auto& [query_id, judged] : set.judgements) {
    if (!asked.contains(query_id)) evaluation.judgements_without_query.push_back(query_id);
  }
  evaluation.repeated_judgements = set.repeated_judgements;
  return grades;
}

void count_unknown_articles(const std::vector<const Grades*>& grades, SearchEvaluation& evaluation) {
  const auto& has_article = evaluation.options.has_article;
  if (!has_article) return;
  std::unordered_set<catalog::ArticleId> unknown;
  for (std::size_t i = 0; i < grades.size(); ++i) {
    bool any_known = false;
    for (const auto& judgement : *grades[i]) {
      if (!is_right(judgement)) continue;
      const bool known = has_article(judgement.first);
      any_known = any_known || known;
      if (!known) unknown.insert(judgement.first);
    }
    if (!any_known) evaluation.queries_of_unknown_articles.push_back(evaluation.queries[i].query_id);
  }
  evaluation.unknown_articles = unknown.size();
}

// The words of a query in the opposite order: about the same work, and nothing that stays in a cache answers the query.
std::string turned_round(std::string_view text) {
  std::string turned;
  for (std::string_view word = next_word(text); !word.empty(); word = next_word(text)) {
    turned = turned.empty() ? std::string(word) : std::string(word) + " " + turned;
  }
  return turned;
}

class Run {
 public:
  Run(std::span<const Configuration> configurations, SearchEvaluation& evaluation)
      : configurations_(configurations), evaluation_(evaluation), covered_(configurations.size()),
        depth_(std::max(deepest(evaluation.options.measures), evaluation.options.coverage_depth)) {
    for (const Configuration& configuration : configurations) {
      evaluation.configurations.push_back({.name = configuration.name});
    }
  }

  core::Status ask_all(const std::vector<const Grades*>& grades) {
    warm_up();
    for (std::size_t query = 0; query < grades.size(); ++query) {
      for (std::size_t turn = 0; turn < configurations_.size(); ++turn) {
        CORE_CHECK(ask((query + turn) % configurations_.size(), query, *grades[query]));
      }
    }
    for (std::size_t i = 0; i < covered_.size(); ++i) evaluation_.configurations[i].covered = covered_[i].size();
    return {};
  }

 private:
  // What goes wrong here goes wrong again where it counts.
  void warm_up() const {
    std::size_t left = evaluation_.options.warm_up;
    for (const MeasuredQuery& query : evaluation_.queries) {
      const std::string text = turned_round(query.text);
      if (left == 0) return;
      if (text == query.text) continue;  // one word, or the same from both ends
      for (const Configuration& configuration : configurations_) (void)configuration.rank(text, depth_);
      --left;
    }
  }

  core::Status ask(std::size_t configuration, std::size_t query, const Grades& grades) {
    const EvaluationOptions& options = evaluation_.options;
    ConfigurationFigures& figures = evaluation_.configurations[configuration];
    const auto in_query = [&](core::Error error) {
      error.message = fmt::format("{}: query {}: {}", figures.name, evaluation_.queries[query].query_id, error.message);
      return std::unexpected(std::move(error));
    };
    const auto ranked = configurations_[configuration].rank(evaluation_.queries[query].text, depth_);
    if (!ranked) return in_query(ranked.error());
    QueryFigures found{.values = {}, .returned = ranked->articles.size(), .milliseconds = ranked->milliseconds,
                       .degraded = !ranked->degradations.empty()};
    if (found.degraded && !options.allow_degraded) {
      return in_query({.code = core::ErrorCode::kUnavailable,
                       .message = fmt::format("the answer was degraded ({}): its quality would not be the configuration's",
                                              fmt::join(ranked->degradations, ", "))});
    }
    if (found.degraded) ++figures.degraded;
    for (const std::string& reason : ranked->degradations) ++figures.degradations[reason];
    for (const Measure& measure : options.measures) found.values.push_back(measure_list(measure, ranked->articles, grades));
    figures.queries.push_back(std::move(found));
    const std::size_t counted = std::min(options.coverage_depth, ranked->articles.size());
    covered_[configuration].insert(ranked->articles.begin(), ranked->articles.begin() + static_cast<std::ptrdiff_t>(counted));
    return {};
  }

  std::span<const Configuration> configurations_;
  SearchEvaluation& evaluation_;
  std::vector<std::unordered_set<catalog::ArticleId>> covered_;
  std::size_t depth_;
};

std::vector<double> values_of(const ConfigurationFigures& figures, std::size_t measure) {
  std::vector<double> values;
  values.reserve(figures.queries.size());
  for (const QueryFigures& query : figures.queries) values.push_back(query.values[measure]);
  return values;
}

void summarise(ConfigurationFigures& figures, const EvaluationOptions& options) {
  const std::size_t resamples = resamples_for(figures.queries.size(), options.resamples);
  for (std::size_t i = 0; i < options.measures.size(); ++i) {
    figures.means.push_back(bootstrap_mean(values_of(figures, i), resamples, options.seed));
  }
  std::vector<double> times;
  for (const QueryFigures& query : figures.queries) times.push_back(query.milliseconds);
  std::ranges::sort(times);
  figures.latency = {.mean = std::accumulate(times.begin(), times.end(), 0.0) / static_cast<double>(times.size()),
                     .p50 = quantile(times, 0.5), .p99 = quantile(times, 0.99), .largest = times.back()};
}

core::Status check_configurations(std::span<const Configuration> configurations) {
  if (configurations.empty()) return core::fail(core::ErrorCode::kInvalidArgument, "there is no configuration to evaluate");
  std::set<std::string_view> names;
  for (const Configuration& configuration : configurations) {
    if (names.insert(configuration.name).second) continue;
    return core::fail(core::ErrorCode::kInvalidArgument,
                      fmt::format("two configurations are called \"{}\"; give each a name of its own", configuration.name));
  }
  return {};
}

}  // namespace

std::vector<Measure> default_search_measures() {
  return {{.kind = MeasureKind::kNdcg, .depth = 10},
          {.kind = MeasureKind::kReciprocalRank, .depth = 10, .minimum_grade = 2},
          {.kind = MeasureKind::kReciprocalRank, .depth = 10},
          {.kind = MeasureKind::kRecall, .depth = 100},
          {.kind = MeasureKind::kAveragePrecision, .depth = 12},
          {.kind = MeasureKind::kHitRate, .depth = 10}};
}

core::Status EvaluationOptions::validate() const {
  if (measures.empty() || measures.size() > kMaxMeasures) {
    return wrong_option("measures", fmt::format("{} measures are not 1 to {}", measures.size(), kMaxMeasures));
  }
  for (const Measure& measure : measures) CORE_CHECK(parse_measure(key_of(measure)));
  if (coverage_depth < 1 || coverage_depth > kMaxMeasureDepth) {
    return wrong_option("coverage_depth", fmt::format("coverage_depth {} is not in 1 … {}", coverage_depth, kMaxMeasureDepth));
  }
  if (resamples < 100 || resamples > 1'000'000) {
    return wrong_option("resamples", fmt::format("resamples {} is not in 100 … 1000000", resamples));
  }
  return {};
}

core::Result<SearchEvaluation> evaluate_search(const QuerySet& set, std::span<const Configuration> configurations,
                                               const EvaluationOptions& options) {
  CORE_CHECK(options.validate());
  CORE_CHECK(check_configurations(configurations));
  SearchEvaluation evaluation;
  evaluation.options = options;
  const std::vector<const Grades*> grades = take_queries(set, evaluation);
  if (grades.empty()) {
    return core::fail(core::ErrorCode::kInvalidArgument,
                      "no query has an article of grade 1 or more; do the query ids of both files agree?");
  }
  count_unknown_articles(grades, evaluation);
  CORE_CHECK(Run(configurations, evaluation).ask_all(grades));
  for (ConfigurationFigures& figures : evaluation.configurations) summarise(figures, options);
  return evaluation;
}

std::vector<ConfigurationComparison> compare_configurations(const SearchEvaluation& evaluation, std::size_t most_changed) {
  std::vector<ConfigurationComparison> comparisons;
  const EvaluationOptions& options = evaluation.options;
  const std::size_t resamples = resamples_for(evaluation.queries.size(), options.resamples);
  const ConfigurationFigures& baseline = evaluation.configurations.front();
  for (std::size_t i = 1; i < evaluation.configurations.size(); ++i) {
    const ConfigurationFigures& other = evaluation.configurations[i];
    ConfigurationComparison comparison{.configuration = i};
    for (std::size_t measure = 0; measure < options.measures.size(); ++measure) {
      // Both have the same queries, so this cannot fail.
      comparison.measures.push_back(
          compare_paired(values_of(baseline, measure), values_of(other, measure), resamples, options.seed).value());
    }
    for (std::size_t query = 0; query < evaluation.queries.size(); ++query) {
      const QueryChange change{query, baseline.queries[query].values[0], other.queries[query].values[0]};
      if (change.before != change.after) comparison.most_changed.push_back(change);
    }
    std::ranges::stable_sort(comparison.most_changed, std::greater<>(),
                             [](const QueryChange& change) { return std::abs(change.after - change.before); });
    comparison.most_changed.resize(std::min(comparison.most_changed.size(), most_changed));
    comparisons.push_back(std::move(comparison));
  }
  for (std::size_t measure = 0; measure < options.measures.size(); ++measure) {
    std::vector<double> p_values;
    for (const auto& comparison : comparisons) p_values.push_back(comparison.measures[measure].p_value);
    const std::vector<double> adjusted = holm_adjusted(p_values);
    for (std::size_t i = 0; i < comparisons.size(); ++i) comparisons[i].adjusted_p_values.push_back(adjusted[i]);
  }
  return comparisons;
}

std::vector<std::string> missed_floors(const SearchEvaluation& evaluation, std::span<const MeasureFloor> floors) {
  std::vector<std::string> missed;
  for (const MeasureFloor& floor : floors) {
    const double mean = evaluation.configurations.front().means[floor.measure].mean;
    if (mean >= floor.least) continue;
    missed.push_back(fmt::format("{} is {:.4f}, less than {}", key_of(evaluation.options.measures[floor.measure]), mean,
                                 floor.least));
  }
  return missed;
}

}  // namespace scalestyle::evaluation
