// to_text and to_json of a RankerReport.

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "catalog/date.hpp"
#include "evaluation/ranker_training.hpp"
#include "evaluation/report_json.hpp"
#include "evaluation/text_table.hpp"

namespace scalestyle::evaluation {
namespace {

constexpr std::array kGroups{RankedGroup::kAll, RankedGroup::kKnown, RankedGroup::kCold};

std::string cell(const Interval& interval) { return fmt::format("{:.4f} ({:.4f}–{:.4f})", interval.mean, interval.low, interval.high); }

std::string groups_table(const RankerReport& report) {
  TextTable table({"buyers", "number", "measure", "blend", "learned", "learned − blend", "p"});
  for (const RankedGroup group : kGroups) {
    const ComparedGroup& found = report.groups[static_cast<std::size_t>(group)];
    for (const auto& [name, measure] : {std::pair("MAP@12", &found.map), std::pair("nDCG@12", &found.ndcg)}) {
      const Interval& difference = measure->difference.difference;
      table.add({std::string(to_string(group)), fmt::to_string(found.buyers), name, cell(measure->blend), cell(measure->learned),
                 fmt::format("{:+.4f} ({:+.4f} … {:+.4f})", difference.mean, difference.low, difference.high),
                 fmt::format("{:.4f}", measure->difference.p_value)});
    }
  }
  return table.text();
}

// Features by what they gained, most first.
std::vector<std::size_t> by_gain(const RankerReport& report) {
  std::vector<std::size_t> order(report.gains.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return report.gains[a] > report.gains[b]; });
  return order;
}

std::string measure_json(const ComparedMeasure& measure) {
  return fmt::format(R"({{"blend":{},"learned":{},"difference":{},"p":{}}})", json_of(measure.blend), json_of(measure.learned),
                     json_of(measure.difference.difference), measure.difference.p_value);
}

std::string day_json(std::chrono::sys_days day) { return json_of(catalog::format_date(day)); }

std::string options_json(const RankerTrainingOptions& options) {
  std::vector<std::string> weights;
  for (std::size_t i = 0; i < ranking::kSourceCount; ++i) {
    weights.push_back(fmt::format("{}:{}", json_of(ranking::to_string(static_cast<ranking::Source>(i))), options.blend.weights[i]));
  }
  const BoostingOptions& boosting = options.boosting;
  return fmt::format(
      R"({{"negatives":{},"weights":{{{}}},"item_half_life_days":{},"popularity_half_life_days":{},"objective":{},"max_trees":{},)"
      R"("max_depth":{},"learning_rate":{},"min_child_weight":{},"patience":{},"boosting_seed":{},"seed":{},"resamples":{}}})",
      options.negatives, fmt::join(weights, ","), options.blend.item_half_life_days, options.models.popularity_half_life_days,
      json_of(boosting.objective), boosting.max_trees, boosting.max_depth, boosting.learning_rate, boosting.min_child_weight,
      boosting.patience, boosting.seed, options.seed, options.resamples);
}

}  // namespace

std::string to_text(const RankerReport& report) {
  const RankerTrainingOptions& options = report.options;
  std::string text = fmt::format("ranker {}: {} trees\n", report.id, report.trees);
  text += fmt::format("learned from {} … {}: {} lists, {} rows, {} of them right; stopped by {}: {} lists, MAP@12 {:.4f} of their rows\n",
                      catalog::format_date(options.first_day), catalog::format_date(options.last_day), report.lists, report.rows,
                      report.right, catalog::format_date(options.stop_day()), report.stop_lists, report.stop_map);
  text += fmt::format("judged by {}, {} purchases before it known; 95 % bootstrap intervals over buyers (seed {})\n\n",
                      catalog::format_date(options.judged_day()), report.known_purchases, options.seed);
  text += groups_table(report);
  text += "\nwhat splits gained, by feature\n";
  for (const std::size_t feature : by_gain(report)) {
    if (report.gains[feature] <= 0) break;
    text += fmt::format("{:6.2f} %  {}\n", report.gains[feature] * 100, ranking::ranker_feature_names()[feature]);
  }
  return text + fmt::format("\nlargest difference between these trees and xgboost's scores: {}\n{}", report.largest_difference,
                            report.verdict.beats_blend() ? "it beats the blend: `ranker=auto` serves it"
                                                         : "it does not beat the blend for certain: `ranker=auto` goes on with the blend");
}

std::string to_json(const RankerReport& report) {
  std::vector<std::string> groups;
  for (const RankedGroup group : kGroups) {
    const ComparedGroup& found = report.groups[static_cast<std::size_t>(group)];
    groups.push_back(fmt::format(R"({}:{{"buyers":{},"map@12":{},"ndcg@12":{}}})", json_of(to_string(group)), found.buyers,
                                 measure_json(found.map), measure_json(found.ndcg)));
  }
  std::vector<std::string> gains;
  for (const std::size_t feature : by_gain(report)) {
    gains.push_back(fmt::format("{}:{}", json_of(ranking::ranker_feature_names()[feature]), report.gains[feature]));
  }
  const RankerTrainingOptions& options = report.options;
  return fmt::format(
      R"({{"id":{},"features_version":{},"beats_blend":{},"days":{{"first":{},"last":{},"stop":{},"judged":{}}},"known_purchases":{},)"
      R"("lists":{},"rows":{},"right":{},"stop_lists":{},"stop_map":{},"trees":{},"largest_difference":{},"options":{},)"
      R"("buyers":{{{}}},"gains":{{{}}}}})",
      json_of(report.id), ranking::kRankerFeaturesVersion, report.verdict.beats_blend(), day_json(options.first_day),
      day_json(options.last_day), day_json(options.stop_day()), day_json(options.judged_day()), report.known_purchases, report.lists,
      report.rows, report.right, report.stop_lists, report.stop_map, report.trees, report.largest_difference, options_json(options),
      fmt::join(groups, ","), fmt::join(gains, ","));
}

}  // namespace scalestyle::evaluation
