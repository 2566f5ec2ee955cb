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
  const std::string& against = evaluation.options.against.empty() ? evaluation.recommenders.front().name : evaluation.options.against;
  header.insert(header.end(), {fmt::format("{} against {}", title_of(measures.front()), against), "p"});
  TextTable table(header);
  for (const RecommenderFigures& figures : evaluation.recommenders) {
    const GroupFigures& found = figures.groups[place];
    std::vector<std::string> cells{figures.name};
    for (const Interval& mean : found.means) {
      cells.push_back(fmt::format("{:.4f} ({:.4f}–{:.4f})", mean.mean, mean.low, mean.high));
    }
    if (figures.name == against) {
      cells.insert(cells.end(), {"", ""});
    } else {
      const Interval& difference = found.comparison.difference;
      cells.push_back(fmt::format("{:+.4f} ({:+.4f} … {:+.4f})", difference.mean, difference.low, difference.high));
      cells.push_back(fmt::format("{:.4f}", found.comparison.p_value));
    }
    table.add(std::move(cells));
  }
  return text + table.text();
}

// Means of the first measure in each split.
std::string split_table(const RecommendEvaluation& evaluation, BuyerGroup group) {
  std::vector<std::string> header{fmt::format("{}, {}", title_of(evaluation.options.measures.front()), to_string(group))};
  header.insert(header.end(), evaluation.splits.begin(), evaluation.splits.end());
  TextTable table(header);
  for (const RecommenderFigures& figures : evaluation.recommenders) {
    std::vector<std::string> cells{figures.name};
    for (const auto& means : figures.by_split) cells.push_back(fmt::format("{:.4f}", means[static_cast<std::size_t>(group)]));
    table.add(std::move(cells));
  }
  return "\n" + table.text();
}

std::string splits_json(const RecommendEvaluation& evaluation, const RecommenderFigures& figures) {
  std::vector<std::string> splits;
  for (std::size_t i = 0; i < figures.by_split.size(); ++i) {
    splits.push_back(fmt::format(R"({{"split":{},"all_buyers":{},"known_buyers":{},"cold_buyers":{}}})",
                                 json_of(evaluation.splits[i]),
                                 figures.by_split[i][0], figures.by_split[i][1], figures.by_split[i][2]));
  }
  return fmt::format("[{}]", fmt::join(splits, ","));
}

std::string group_json(const RecommendEvaluation& evaluation, const GroupFigures& figures) {
  std::vector<std::string> measures;
  for (std::size_t i = 0; i < figures.means.size(); ++i) {
    measures.push_back(fmt::format("{}:{}", json_of(key_of(evaluation.options.measures[i])), json_of(figures.means[i])));
  }
  return fmt::format(R"({{"measures":{{{}}},"comparison":{{"difference":{},"p":{}}}}})", fmt::join(measures, ","),
                     json_of(figures.comparison.difference), figures.comparison.p_value);
}

}  // namespace

std::string to_text(const RecommendEvaluation& evaluation) {
  std::string text = fmt::format("{} purchases known, {} judged; 95 % bootstrap intervals over buyers (seed {})\n",
                                 evaluation.known_purchases, evaluation.tested_purchases, evaluation.options.seed);
  for (const BuyerGroup group : {BuyerGroup::kAll, BuyerGroup::kKnown, BuyerGroup::kCold}) text += group_table(evaluation, group);
  if (!evaluation.splits.empty()) {
    for (const BuyerGroup group : {BuyerGroup::kAll, BuyerGroup::kKnown}) text += split_table(evaluation, group);
  }
  text += fmt::format("\ncoverage of {} articles, and novelty\n", evaluation.articles);
  for (const RecommenderFigures& figures : evaluation.recommenders) {
    const double share = evaluation.articles == 0 ? 0 : static_cast<double>(figures.covered) / static_cast<double>(evaluation.articles);
    text += fmt::format("{}: {} ({:.2f} %), {:.2f} bits\n", figures.name, figures.covered, share * 100, figures.novelty_bits);
  }
  return text;
}

std::string to_json(const RecommendEvaluation& evaluation) {
  std::vector<std::string> recommenders;
  for (const RecommenderFigures& figures : evaluation.recommenders) {
    recommenders.push_back(fmt::format(
        R"({{"name":{},"covered_articles":{},"novelty_bits":{},"all_buyers":{},"known_buyers":{},"cold_buyers":{},"splits":{}}})",
        json_of(figures.name), figures.covered, figures.novelty_bits,
        group_json(evaluation, figures.groups[static_cast<std::size_t>(BuyerGroup::kAll)]),
        group_json(evaluation, figures.groups[static_cast<std::size_t>(BuyerGroup::kKnown)]),
        group_json(evaluation, figures.groups[static_cast<std::size_t>(BuyerGroup::kCold)]), splits_json(evaluation, figures)));
  }
  return fmt::format(
      R"({{"known_purchases":{},"tested_purchases":{},"buyers":{},"known_buyers":{},"articles":{},"seed":{},"recommenders":[{}]}})",
      evaluation.known_purchases, evaluation.tested_purchases, evaluation.buyers[static_cast<std::size_t>(BuyerGroup::kAll)],
      evaluation.buyers[static_cast<std::size_t>(BuyerGroup::kKnown)], evaluation.articles, evaluation.options.seed,
      fmt::join(recommenders, ","));
}

}  // namespace scalestyle::evaluation
