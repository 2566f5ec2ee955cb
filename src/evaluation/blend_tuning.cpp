#include "evaluation/blend_tuning.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <utility>

namespace scalestyle::evaluation {
namespace {

constexpr double kLeastGain = 1e-6;

std::unexpected<core::Error> invalid(std::string message, std::string field) {
  return core::fail(core::ErrorCode::kInvalidArgument, std::move(message), std::move(field));
}

// A buyer's candidates, and which of them were bought.
struct Case {
  ranking::Candidates candidates;
  std::vector<bool> bought;
  std::size_t to_find = 0;  // also what is no candidate
};

std::vector<Case> cases_of(std::span<const TuningSplit> splits, const ranking::ForYouOptions& options) {
  std::vector<Case> cases;
  for (const TuningSplit& split : splits) {
    for (const Buyer& buyer : split.purchases->buyers()) {
      if (buyer.history.empty()) continue;
      const auto items = split.models->items_of(buyer.history);
      const auto sections = split.models->sections_of(items);
      Case one{.candidates = ranking::collect(split.models->inputs_of(items, sections), options),
               .bought = {},
               .to_find = buyer.bought.size()};
      one.bought.resize(one.candidates.rows.size(), false);
      for (const auto& [id, grade] : buyer.bought) {
        const auto row = split.models->articles().find(id);
        if (!row) continue;
        const auto found = std::ranges::lower_bound(one.candidates.rows, *row);
        if (found != one.candidates.rows.end() && *found == *row) {
          one.bought[static_cast<std::size_t>(found - one.candidates.rows.begin())] = true;
        }
      }
      cases.push_back(std::move(one));
    }
  }
  return cases;
}

double average_precision(const Case& one, const ranking::SourceScores& weights, std::size_t depth,
                         std::vector<std::uint32_t>& order) {
  const std::vector<double> scores = ranking::blend(one.candidates.scores, weights);
  order.resize(scores.size());
  std::iota(order.begin(), order.end(), 0U);
  const std::size_t kept = std::min(depth, order.size());
  const auto end = order.begin() + static_cast<std::ptrdiff_t>(kept);
  std::partial_sort(order.begin(), end, order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return scores[a] != scores[b] ? scores[a] > scores[b] : a < b;
  });
  double found = 0;
  double sum = 0;
  for (std::size_t rank = 0; rank < kept; ++rank) {
    if (!one.bought[order[rank]]) continue;
    ++found;
    sum += found / static_cast<double>(rank + 1);
  }
  return sum / static_cast<double>(std::min(depth, one.to_find));
}

class Search {
 public:
  Search(std::span<const TuningSplit> splits, const TuningOptions& options) : splits_(splits), options_(options) {}

  TunedBlend run() {
    bool is_first = true;
    for (const double half_life : half_lives()) {
      ranking::ForYouOptions current = options_.start;
      current.item_half_life_days = half_life;
      cases_ = cases_of(splits_, current);
      if (cases_.empty()) return tuned_;
      if (!is_first) current.weights = tuned_.best.weights;
      const double map = judge(current.weights);
      if (is_first) {
        tuned_.start_map = tuned_.map = map;
        tuned_.buyers = cases_.size();
        tuned_.best = current;
        is_first = false;
      }
      climb(current, map);
    }
    const float greatest = std::ranges::max(tuned_.best.weights);
    for (float& weight : tuned_.best.weights) weight /= greatest;
    return tuned_;
  }

 private:
  // The start's own first, so that what is reported as the start is that.
  std::vector<double> half_lives() const {
    std::vector<double> all{options_.start.item_half_life_days};
    for (const double days : options_.half_lives_days) {
      if (days != all.front()) all.push_back(days);
    }
    return all;
  }

  double judge(const ranking::SourceScores& weights) {
    ++tuned_.tried;
    double sum = 0;
    for (const Case& one : cases_) sum += average_precision(one, weights, options_.depth, order_);
    return sum / static_cast<double>(cases_.size());
  }

  void note(const ranking::ForYouOptions& found, double map, std::string what) {
    if (map <= tuned_.map + kLeastGain) return;
    tuned_.map = map;
    tuned_.best = found;
    tuned_.steps.push_back({std::move(what), map});
  }

  void climb(ranking::ForYouOptions current, double map) {
    note(current, map, fmt::format("item_half_life_days {}", current.item_half_life_days));
    for (std::size_t round = 0; round < options_.rounds; ++round) {
      const double before = map;
      for (std::size_t source = 0; source < ranking::kSourceCount; ++source) map = try_source(current, source, map);
      if (map <= before + kLeastGain) return;
    }
  }

  double try_source(ranking::ForYouOptions& current, std::size_t source, double map) {
    const float weight = current.weights[source];
    float best = weight;
    for (const double factor : options_.factors) {
      current.weights[source] = static_cast<float>(weight * factor);
      if (weight == 0) break;
      const double found = judge(current.weights);
      if (found <= map + kLeastGain) continue;
      map = found;
      best = current.weights[source];
    }
    current.weights[source] = best;
    if (best != weight) {
      note(current, map, fmt::format("item_half_life_days {}, {} {:.4g}", current.item_half_life_days,
                                     ranking::to_string(static_cast<ranking::Source>(source)), best));
    }
    return map;
  }

  std::span<const TuningSplit> splits_;
  const TuningOptions& options_;
  std::vector<Case> cases_;
  std::vector<std::uint32_t> order_;
  TunedBlend tuned_;
};

}  // namespace

core::Status TuningOptions::validate() const {
  CORE_CHECK(start.validate());
  for (const double days : half_lives_days) {
    if (!(days > 0 && days <= 10'000)) {
      return invalid(fmt::format("half-life {} is not above 0 and at most 10000", days), "half_lives_days");
    }
  }
  for (const double factor : factors) {
    if (!(factor > 0 && factor <= 1'000)) {
      return invalid(fmt::format("factor {} is not above 0 and at most 1000", factor), "factors");
    }
  }
  if (rounds < 1 || rounds > 100) return invalid(fmt::format("rounds {} is not in 1 … 100", rounds), "rounds");
  if (depth < 1 || depth > 1'000) return invalid(fmt::format("depth {} is not in 1 … 1000", depth), "depth");
  return {};
}

core::Result<TunedBlend> tune_blend(std::span<const TuningSplit> splits, const TuningOptions& options) {
  CORE_CHECK(options.validate());
  TunedBlend tuned = Search(splits, options).run();
  if (tuned.buyers == 0) {
    return invalid("no buyer of the days that are judged has a history: there is nothing to tune by", "transactions");
  }
  return tuned;
}

std::string to_text(const TunedBlend& tuned) {
  std::string text = fmt::format("{} buyers with a history, {} settings tried\nMAP {:.5f} at the start, {:.5f} at the best\n",
                                 tuned.buyers, tuned.tried, tuned.start_map, tuned.map);
  for (const TuningStep& step : tuned.steps) text += fmt::format("  {:.5f}  {}\n", step.map, step.what);
  text += fmt::format("item_half_life_days {}\n", tuned.best.item_half_life_days);
  for (std::size_t source = 0; source < ranking::kSourceCount; ++source) {
    text += fmt::format("{} {:.4g}\n", ranking::to_string(static_cast<ranking::Source>(source)), tuned.best.weights[source]);
  }
  return text;
}

}  // namespace scalestyle::evaluation
