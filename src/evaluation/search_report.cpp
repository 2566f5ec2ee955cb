#include "evaluation/search_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string_view>
#include <vector>

#include "evaluation/report_json.hpp"
#include "evaluation/text_table.hpp"

namespace scalestyle::evaluation {
namespace {

constexpr std::size_t kNamesShown = 20;

// ---- Text ----

std::string shown(const Interval& interval) { return fmt::format("{:.4f} ({:.4f}–{:.4f})", interval.mean, interval.low, interval.high); }

std::string shown_signed(const Interval& interval) {
  return fmt::format("{:+.4f} ({:+.4f} … {:+.4f})", interval.mean, interval.low, interval.high);
}

std::string some_of(const std::vector<std::string>& names) {
  const std::size_t count = std::min(names.size(), kNamesShown);
  std::string text = fmt::format("{}", fmt::join(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(count), ", "));
  if (count < names.size()) text += fmt::format(" and {} more", names.size() - count);
  return text;
}

std::string figures_table(const SearchEvaluation& evaluation) {
  const EvaluationOptions& options = evaluation.options;
  std::vector<std::string> header{"configuration"};
  for (const Measure& measure : options.measures) header.push_back(title_of(measure));
  header.insert(header.end(), {fmt::format("articles@{}", options.coverage_depth), "p50 ms", "p99 ms", "degraded"});
  TextTable table(header);
  for (const ConfigurationFigures& figures : evaluation.configurations) {
    std::vector<std::string> cells{figures.name};
    for (const Interval& mean : figures.means) cells.push_back(shown(mean));
    cells.insert(cells.end(), {fmt::format("{}", figures.covered), fmt::format("{:.2f}", figures.latency.p50),
                               fmt::format("{:.2f}", figures.latency.p99), fmt::format("{}", figures.degraded)});
    table.add(std::move(cells));
  }
  return table.text();
}

// One configuration reads better downwards.
std::string figures_list(const SearchEvaluation& evaluation) {
  const ConfigurationFigures& figures = evaluation.configurations.front();
  TextTable table({"measure", "mean", "from", "to"});
  for (std::size_t i = 0; i < figures.means.size(); ++i) {
    const Interval& mean = figures.means[i];
    table.add({title_of(evaluation.options.measures[i]), fmt::format("{:.4f}", mean.mean), fmt::format("{:.4f}", mean.low),
               fmt::format("{:.4f}", mean.high)});
  }
  return table.text() + fmt::format("\n{} articles within the first {}; p50 {:.2f} ms, p99 {:.2f} ms, largest {:.2f} ms; {} degraded\n",
                                    figures.covered, evaluation.options.coverage_depth, figures.latency.p50,
                                    figures.latency.p99, figures.latency.largest, figures.degraded);
}

std::string comparison_text(const SearchEvaluation& evaluation, const ConfigurationComparison& comparison) {
  const auto& measures = evaluation.options.measures;
  std::string text = fmt::format("\n{} against {}\n", evaluation.configurations[comparison.configuration].name,
                                 evaluation.configurations.front().name);
  TextTable table({"measure", "difference", "p", "p (Holm)", "better", "worse", "same"});
  for (std::size_t i = 0; i < measures.size(); ++i) {
    const PairedComparison& paired = comparison.measures[i];
    table.add({title_of(measures[i]), shown_signed(paired.difference), fmt::format("{:.4f}", paired.p_value),
               fmt::format("{:.4f}", comparison.adjusted_p_values[i]), fmt::format("{}", paired.wins),
               fmt::format("{}", paired.losses), fmt::format("{}", paired.ties)});
  }
  text += table.text();
  if (comparison.most_changed.empty()) return text;
  text += fmt::format("most changed by {}:\n", title_of(measures.front()));
  for (const QueryChange& change : comparison.most_changed) {
    const MeasuredQuery& query = evaluation.queries[change.query];
    text += fmt::format("  {:+.4f}  {:.4f} → {:.4f}  {}  {}\n", change.after - change.before, change.before, change.after,
                        query.query_id, query.text);
  }
  return text;
}

std::string left_out_text(const SearchEvaluation& evaluation) {
  std::string text;
  const auto names = [&text](std::string_view what, const std::vector<std::string>& ids) {
    if (!ids.empty()) text += fmt::format("{} ({}): {}\n", what, ids.size(), some_of(ids));
  };
  names("left out, no relevant article judged", evaluation.queries_without_judgements);
  names("left out, judged but not asked", evaluation.judgements_without_query);
  if (evaluation.repeated_judgements > 0) text += fmt::format("judgements said more than once: {}\n", evaluation.repeated_judgements);
  if (evaluation.unknown_articles > 0) {
    text += fmt::format("right articles that the catalogue lacks: {}; they stay in the ideal lists\n", evaluation.unknown_articles);
  }
  names("nothing that is right for them is in the catalogue", evaluation.queries_of_unknown_articles);
  for (const ConfigurationFigures& figures : evaluation.configurations) {
    for (const auto& [reason, count] : figures.degradations) {
      text += fmt::format("degraded: {} of {}: {}\n", count, figures.name, reason);
    }
  }
  return text.empty() ? text : "\n" + text;
}

// ---- JSON ----

std::string json_list(const std::vector<std::string>& texts) {
  std::vector<std::string> quoted;
  for (const std::string& text : texts) quoted.push_back(json_of(text));
  return fmt::format("[{}]", fmt::join(quoted, ","));
}

// {"ndcg@10":…,…}
template <class Values, class Write>
std::string by_measure(const std::vector<Measure>& measures, const Values& values, const Write& write) {
  std::string object;
  for (std::size_t i = 0; i < measures.size(); ++i) {
    object += fmt::format("{}{}:{}", i == 0 ? "" : ",", json_of(key_of(measures[i])), write(values[i]));
  }
  return "{" + object + "}";
}

std::string configuration_json(const SearchEvaluation& evaluation, const ConfigurationFigures& figures) {
  const auto& measures = evaluation.options.measures;
  std::string per_query;
  for (std::size_t i = 0; i < figures.queries.size(); ++i) {
    const QueryFigures& query = figures.queries[i];
    fmt::format_to(std::back_inserter(per_query),
                   R"({}{{"query_id":{},"judged":{},"returned":{},"measures":{},"milliseconds":{},"degraded":{}}})",
                   i == 0 ? "" : ",", json_of(evaluation.queries[i].query_id), evaluation.queries[i].judged, query.returned,
                   by_measure(measures, query.values, [](double value) { return fmt::format("{}", value); }),
                   query.milliseconds, query.degraded);
  }
  std::vector<std::string> reasons;
  for (const auto& [reason, count] : figures.degradations) reasons.push_back(fmt::format("{}:{}", json_of(reason), count));
  const LatencyFigures& latency = figures.latency;
  return fmt::format(
      R"({{"name":{},"measures":{},"covered_articles":{},"milliseconds":{{"mean":{},"p50":{},"p99":{},"largest":{}}},)"
      R"("degraded":{},"degradations":{{{}}},"per_query":[{}]}})",
      json_of(figures.name), by_measure(measures, figures.means, [](const Interval& mean) { return json_of(mean); }),
      figures.covered, latency.mean, latency.p50, latency.p99, latency.largest, figures.degraded, fmt::join(reasons, ","),
      per_query);
}

std::string comparison_json(const SearchEvaluation& evaluation, const ConfigurationComparison& comparison) {
  const auto& measures = evaluation.options.measures;
  std::vector<std::string> written;
  for (std::size_t i = 0; i < measures.size(); ++i) {
    const PairedComparison& paired = comparison.measures[i];
    written.push_back(fmt::format(R"({{"difference":{},"p":{},"p_adjusted":{},"better":{},"worse":{},"same":{}}})",
                                  json_of(paired.difference), paired.p_value, comparison.adjusted_p_values[i], paired.wins,
                                  paired.losses, paired.ties));
  }
  std::vector<std::string> changes;
  for (const QueryChange& change : comparison.most_changed) {
    changes.push_back(fmt::format(R"({{"query_id":{},"before":{},"after":{}}})",
                                  json_of(evaluation.queries[change.query].query_id), change.before, change.after));
  }
  return fmt::format(R"({{"name":{},"baseline":{},"measures":{},"most_changed":[{}]}})",
                     json_of(evaluation.configurations[comparison.configuration].name),
                     json_of(evaluation.configurations.front().name),
                     by_measure(measures, written, [](const std::string& text) { return text; }), fmt::join(changes, ","));
}

std::string one_field(std::string_view text) {
  std::string field(text);
  std::ranges::replace_if(field, [](char c) { return c == '\t' || c == '\n' || c == '\r'; }, ' ');
  return field;
}

}  // namespace

std::string to_text(const SearchEvaluation& evaluation, std::span<const ConfigurationComparison> comparisons) {
  const EvaluationOptions& options = evaluation.options;
  std::string text = fmt::format("{} queries, 95 % bootstrap intervals ({} resamples, seed {})\n\n", evaluation.queries.size(),
                                 resamples_for(evaluation.queries.size(), options.resamples), options.seed);
  text += evaluation.configurations.size() == 1 ? figures_list(evaluation) : figures_table(evaluation);
  for (const ConfigurationComparison& comparison : comparisons) text += comparison_text(evaluation, comparison);
  return text + left_out_text(evaluation);
}

std::string to_json(const SearchEvaluation& evaluation, std::span<const ConfigurationComparison> comparisons) {
  const EvaluationOptions& options = evaluation.options;
  std::vector<std::string> configurations;
  for (const ConfigurationFigures& figures : evaluation.configurations) configurations.push_back(configuration_json(evaluation, figures));
  std::vector<std::string> compared;
  for (const ConfigurationComparison& comparison : comparisons) compared.push_back(comparison_json(evaluation, comparison));
  return fmt::format(
      R"({{"queries":{},"options":{{"resamples":{},"seed":{},"coverage_depth":{}}},"configurations":[{}],"comparisons":[{}],)"
      R"("queries_without_judgements":{},"judgements_without_query":{},"repeated_judgements":{},"unknown_articles":{},)"
      R"("queries_of_unknown_articles":{}}})",
      evaluation.queries.size(), resamples_for(evaluation.queries.size(), options.resamples), options.seed,
      options.coverage_depth, fmt::join(configurations, ","), fmt::join(compared, ","),
      json_list(evaluation.queries_without_judgements), json_list(evaluation.judgements_without_query),
      evaluation.repeated_judgements, evaluation.unknown_articles, json_list(evaluation.queries_of_unknown_articles));
}

std::string to_tsv(const SearchEvaluation& evaluation) {
  std::string text = "configuration\tquery_id\tquery\tjudged\treturned";
  for (const Measure& measure : evaluation.options.measures) text += "\t" + key_of(measure);
  text += "\tmilliseconds\tdegraded\n";
  for (const ConfigurationFigures& figures : evaluation.configurations) {
    for (std::size_t i = 0; i < figures.queries.size(); ++i) {
      const MeasuredQuery& query = evaluation.queries[i];
      const QueryFigures& found = figures.queries[i];
      text += fmt::format("{}\t{}\t{}\t{}\t{}\t{:.6f}\t{:.3f}\t{}\n", one_field(figures.name), one_field(query.query_id),
                          one_field(query.text), query.judged, found.returned, fmt::join(found.values, "\t"),
                          found.milliseconds, found.degraded);
    }
  }
  return text;
}

}  // namespace scalestyle::evaluation
