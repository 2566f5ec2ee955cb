// to_text and to_json of a RecommendEvaluation.

#include <fmt/format.h>

#include <vector>

#include "evaluation/recommend_evaluation.hpp"
#include "evaluation/report_json.hpp"
#include "evaluation/text_table.hpp"

namespace scalestyle::evaluation {
namespace {

std::string group_table(const RecommendEvaluation& evaluation, BuyerGroup group) {
  const auto place = static_cast<std::size_t>(group);
  const auto& measures = evaluation.options.measures;
  std::string text = fmt::format("\n{}: {}\n", to_string(group), evaluation.buyers[place]);
  if (evaluation.buyers[place] == 0) return text;
  std::vector<std::string> header{"recommender"};
  for (const Measure& measure : measures) header.push_back(title_of(measure));
  header.insert(header.end(), {fmt::format("{} against the first", title_of(measures.front())), "p"});
  TextTable table(header);
  for (const RecommenderFigures& figures : evaluation.recommenders) {
    const GroupFigures& found = figures.groups[place];
    std::vector<std::string> cells{figures.name};
    for (const Interval& mean : found.means) cells.push_back(fmt::format("{:.4f} ({:.4f}–{:.4f})", mean.mean, mean.low, mean.high));
    if (&figures == &evaluation.recommenders.front()) {
      cells.insert(cells.end(), {"", ""});
    } else {
      const Interval& difference = found.against_first.difference;
      cells.push_back(fmt::format("{:+.4f} ({:+.4f} … {:+.4f})", difference.mean, difference.low, difference.high));
      cells.push_back(fmt::format("{:.4f}", found.against_first.p_value));
    }
    table.add(std::move(cells));
  }
  return text + table.text();
}

std::string group_json(const RecommendEvaluation& evaluation, const GroupFigures& figures) {
  std::vector<std::string> measures;
  for (std::size_t i = 0; i < figures.means.size(); ++i) {
    measures.push_back(fmt::format("{}:{}", json_of(key_of(evaluation.options.measures[i])), json_of(figures.means[i])));
  }
  return fmt::format(R"({{"measures":{{{}}},"against_first":{{"difference":{},"p":{}}}}})", fmt::join(measures, ","),
                     json_of(figures.against_first.difference), figures.against_first.p_value);
}

}  // namespace

std::string to_text(const RecommendEvaluation& evaluation) {
  std::string text = fmt::format("{} purchases known, {} judged; 95 % bootstrap intervals over buyers (seed {})\n",
                                 evaluation.known_purchases, evaluation.tested_purchases, evaluation.options.seed);
  for (const BuyerGroup group : {BuyerGroup::kAll, BuyerGroup::kKnown}) text += group_table(evaluation, group);
  text += fmt::format("\ncoverage of {} articles\n", evaluation.articles);
  for (const RecommenderFigures& figures : evaluation.recommenders) {
    const double share = evaluation.articles == 0 ? 0 : static_cast<double>(figures.covered) / static_cast<double>(evaluation.articles);
    text += fmt::format("{}: {} ({:.2f} %)\n", figures.name, figures.covered, share * 100);
  }
  return text;
}

std::string to_json(const RecommendEvaluation& evaluation) {
  std::vector<std::string> recommenders;
  for (const RecommenderFigures& figures : evaluation.recommenders) {
    recommenders.push_back(fmt::format(
        R"({{"name":{},"covered_articles":{},"all_buyers":{},"known_buyers":{}}})", json_of(figures.name), figures.covered,
        group_json(evaluation, figures.groups[static_cast<std::size_t>(BuyerGroup::kAll)]),
        group_json(evaluation, figures.groups[static_cast<std::size_t>(BuyerGroup::kKnown)])));
  }
  return fmt::format(
      R"({{"known_purchases":{},"tested_purchases":{},"buyers":{},"known_buyers":{},"articles":{},"seed":{},"recommenders":[{}]}})",
      evaluation.known_purchases, evaluation.tested_purchases, evaluation.buyers[static_cast<std::size_t>(BuyerGroup::kAll)],
      evaluation.buyers[static_cast<std::size_t>(BuyerGroup::kKnown)], evaluation.articles, evaluation.options.seed,
      fmt::join(recommenders, ","));
}

}  // namespace scalestyle::evaluation
