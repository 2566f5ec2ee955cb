#include "evaluation/ranker_training.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <span>
#include <unordered_set>
#include <utility>

#include "catalog/date.hpp"
#include "core/hash.hpp"
#include "evaluation/random.hpp"
#include "evaluation/ranker_day.hpp"

namespace scalestyle::evaluation {
namespace {

using catalog::RowIndex;
using std::chrono::days;
using std::chrono::sys_days;

constexpr std::size_t kDepth = 12;
constexpr days kMostDays{366};

std::unexpected<core::Error> invalid(std::string message, std::string field = {}) {
  return core::fail(core::ErrorCode::kInvalidArgument, std::move(message), std::move(field));
}

std::unordered_set<std::uint32_t> bought_rows(const catalog::Catalog& articles, const Grades& bought) {
  std::unordered_set<std::uint32_t> rows;
  for (const auto& [article, grade] : bought) {
    if (const auto row = articles.find(article)) rows.insert(row->value);
  }
  return rows;
}

// Of `judged` (best first): what was bought, and negatives.
std::vector<std::uint32_t> sample(const ranking::Candidates& candidates, std::span<const std::uint32_t> judged,
                                  const std::unordered_set<std::uint32_t>& bought, std::size_t negatives, Random random) {
  std::vector<std::uint32_t> chosen;
  std::vector<std::uint32_t> others;
  for (const std::uint32_t i : judged) {
    (bought.contains(candidates.rows[i].value) ? chosen : others).push_back(i);
  }
  const std::size_t best = std::min(negatives / 2, others.size());
  const std::size_t end = std::min(negatives, others.size());
  for (std::size_t i = best; i < end; ++i) std::swap(others[i], others[i + random.below(others.size() - i)]);
  chosen.insert(chosen.end(), others.begin(), others.begin() + static_cast<std::ptrdiff_t>(end));
  std::ranges::sort(chosen);
  return chosen;
}

// More of what speaks for a candidate must not speak against it: a few days of purchases would teach that of single articles.
std::vector<bool> rising_features() {
  std::vector<bool> rising(ranking::kRankerFeatureCount, false);
  for (std::size_t source = 0; source < ranking::kSourceCount; ++source) rising[source] = true;
  for (const auto feature : {ranking::RankerFeature::kSources, ranking::RankerFeature::kBlend, ranking::RankerFeature::kPopularityDay,
                             ranking::RankerFeature::kPopularityWeek, ranking::RankerFeature::kPopularityDecayed}) {
    rising[static_cast<std::size_t>(feature)] = true;
  }
  return rising;
}

// Lists of one day's buyers, as rows to learn. Lists without a right candidate teach nothing; nor do those of strangers, which
// the
// blend goes on ordering: they all share one, of which there is nothing to learn but that day's sales.
void add_day(RankerDay& day, sys_days date, const RankerTrainingOptions& options, RankingRows& rows) {
  const std::string salt = catalog::format_date(date);
  for (const Buyer& buyer : day.buyers()) {
    if (buyer.history.empty()) continue;
    const auto bought = bought_rows(day.articles(), buyer.bought);
    const auto list = day.ask(buyer);
    const auto& candidates = list->candidates;
    const bool has_right = std::ranges::any_of(candidates.rows, [&](RowIndex row) { return bought.contains(row.value); });
    if (!has_right) continue;
    const auto judged = ranking::judged_candidates(candidates, options.blend.weights);
    const auto chosen = sample(candidates, judged, bought, options.negatives, Random(options.seed, salt + std::string(buyer.customer)));
    const auto is_right = [&](std::uint32_t i) { return bought.contains(candidates.rows[i].value); };
    if (std::ranges::none_of(chosen, is_right)) continue;
    ranking::RankerContext context = list->context(day.articles());
    context.item_half_life_days = options.blend.item_half_life_days;
    const auto features = ranking::ranker_features(candidates, context, options.blend.weights);
    for (const std::uint32_t i : chosen) {
      const auto row = std::span(features).subspan(i * ranking::kRankerFeatureCount, ranking::kRankerFeatureCount);
      rows.values.insert(rows.values.end(), row.begin(), row.end());
      rows.labels.push_back(is_right(i) ? 1.0F : 0.0F);
    }
    rows.lists.push_back(static_cast<std::uint32_t>(chosen.size()));
  }
}

// The best articles by these scores, ties by row.
std::vector<catalog::ArticleId> best_articles(const catalog::Catalog& articles, std::span<const RowIndex> rows,
                                              std::span<const double> scores) {
  std::vector<std::uint32_t> order(rows.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  const auto end = order.begin() + static_cast<std::ptrdiff_t>(std::min(kDepth, order.size()));
  std::ranges::partial_sort(order, end, [&](std::uint32_t a, std::uint32_t b) {
    return scores[a] != scores[b] ? scores[a] > scores[b] : rows[a] < rows[b];
  });
  std::vector<catalog::ArticleId> best;
  for (auto i = order.begin(); i != end; ++i) {
    if (auto id = catalog::ArticleId::parse(articles.row(rows[*i]).id())) best.push_back(std::move(*id));
  }
  return best;
}

// Values of one measure, one a buyer.
struct Values {
  std::vector<double> blend{};
  std::vector<double> learned{};
};
struct GroupValues {
  Values map{};
  Values ndcg{};
};

core::Result<ComparedMeasure> compare(const Values& values, const RankerTrainingOptions& options) {
  const std::size_t resamples = resamples_for(values.blend.size(), options.resamples);
  ComparedMeasure compared;
  compared.blend = bootstrap_mean(values.blend, resamples, options.seed);
  compared.learned = bootstrap_mean(values.learned, resamples, options.seed);
  CORE_TRY(compared.difference, compare_paired(values.blend, values.learned, resamples, options.seed));
  return compared;
}

core::Result<std::array<ComparedGroup, kRankedGroupCount>> judge(RankerDay& day, const ranking::Ranker& ranker,
                                                                 const RankerTrainingOptions& options) {
  std::array<GroupValues, kRankedGroupCount> values;
  std::shared_ptr<const AskedList> asked;  // strangers share a list, which is ordered once
  std::vector<catalog::ArticleId> blended;
  std::vector<catalog::ArticleId> learned;
  std::vector<const Buyer*> strangers_first;
  for (const Buyer& buyer : day.buyers()) strangers_first.push_back(&buyer);
  std::ranges::stable_partition(strangers_first, [](const Buyer* buyer) { return buyer->history.empty(); });
  for (const Buyer* buyer : strangers_first) {
    const auto list = day.ask(*buyer);
    if (list != asked) {
      asked = list;
      const auto& candidates = list->candidates;
      blended = best_articles(day.articles(), candidates.rows, ranking::blend(candidates.scores, options.blend.weights));
      learned = best_articles(day.articles(), candidates.rows, ranker.score(candidates, list->context(day.articles())));
    }
    const auto own = buyer->history.empty() ? RankedGroup::kCold : RankedGroup::kKnown;
    for (const RankedGroup group : {RankedGroup::kAll, own}) {
      GroupValues& of_group = values[static_cast<std::size_t>(group)];
      of_group.map.blend.push_back(average_precision(blended, buyer->bought, kDepth, 1));
      of_group.map.learned.push_back(average_precision(learned, buyer->bought, kDepth, 1));
      of_group.ndcg.blend.push_back(ndcg(blended, buyer->bought, kDepth));
      of_group.ndcg.learned.push_back(ndcg(learned, buyer->bought, kDepth));
    }
  }
  std::array<ComparedGroup, kRankedGroupCount> groups;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    groups[i].buyers = values[i].map.blend.size();
    CORE_TRY(groups[i].map, compare(values[i].map, options));
    CORE_TRY(groups[i].ndcg, compare(values[i].ndcg, options));
  }
  return groups;
}

// The day that judged it, and what is in it: the same ranker has the same id.
std::string id_of(const ranking::Ranker& ranker, sys_days judged) {
  constexpr std::size_t kHashDigits = 8;
  return fmt::format("{}-{}", catalog::format_date(judged), core::sha256_hex(ranking::encode_ranker(ranker)).substr(0, kHashDigits));
}

core::Result<RankerDay> day_of(const catalog::Purchases& purchases, const std::shared_ptr<const catalog::Catalog>& articles,
                               sys_days day, const RankerTrainingOptions& options) {
  return RankerDay::make(purchases, articles, day, options.models, options.blend);
}

}  // namespace

std::string_view to_string(RankedGroup group) {
  constexpr std::array<std::string_view, kRankedGroupCount> kNames{"all", "known", "cold"};
  return kNames[static_cast<std::size_t>(group)];
}

core::Status RankerTrainingOptions::validate() const {
  if (last_day < first_day) return invalid("the last day to learn from lies before the first", "train_until");
  if (last_day - first_day > kMostDays) return invalid(fmt::format("more than {} days to learn from", kMostDays.count()), "train_days");
  if (negatives < 2 || negatives > ranking::kMaxLearned) {
    return invalid(fmt::format("negatives {} is not in 2 … {}", negatives, ranking::kMaxLearned), "negatives");
  }
  if (resamples < 100 || resamples > 1'000'000) return invalid(fmt::format("resamples {} is not in 100 … 1000000", resamples), "resamples");
  CORE_CHECK(blend.validate());
  CORE_CHECK(models.validate());
  return boosting.validate();
}

core::Result<TrainedRanker> train_ranker(const catalog::Purchases& purchases, std::shared_ptr<const catalog::Catalog> articles,
                                         const RankerTrainingOptions& options) {
  CORE_CHECK(options.validate());
  RankingRows train{.features = ranking::kRankerFeatureCount};
  RankingRows stop{.features = ranking::kRankerFeatureCount};
  for (sys_days date = options.first_day; date <= options.stop_day(); date += days(1)) {
    CORE_TRY(auto day, day_of(purchases, articles, date, options));
    add_day(day, date, options, date < options.stop_day() ? train : stop);
  }
  if (train.lists.empty() || stop.lists.empty()) {
    return invalid(fmt::format("no buyer of the days to {} bought a candidate", train.lists.empty() ? "learn from" : "stop by"));
  }
  BoostingOptions boosting = options.boosting;
  boosting.rising = rising_features();
  CORE_TRY(auto learned, learn_trees(train, stop, boosting));

  TrainedRanker trained;
  trained.ranker = {.id = {},
                    .trees = std::move(learned.trees),
                    .weights = options.blend.weights,
                    .item_half_life_days = options.blend.item_half_life_days,
                    .verdict = {}};
  RankerReport& report = trained.report;
  CORE_TRY(auto judged, day_of(purchases, articles, options.judged_day(), options));
  CORE_TRY(report.groups, judge(judged, trained.ranker, options));
  const Interval& difference = report.groups[static_cast<std::size_t>(RankedGroup::kAll)].map.difference.difference;
  trained.ranker.verdict = report.verdict = {difference.mean, difference.low, difference.high};
  trained.ranker.id = report.id = id_of(trained.ranker, options.judged_day());
  report.options = options;
  report.known_purchases = judged.known_purchases();
  report.lists = train.lists.size();
  report.rows = train.labels.size();
  report.right = static_cast<std::size_t>(std::ranges::count(train.labels, 1.0F));
  report.stop_lists = stop.lists.size();
  report.trees = trained.ranker.trees.trees();
  report.stop_map = learned.stop_map;
  report.largest_difference = learned.largest_difference;
  report.gains = std::move(learned.gains);
  return trained;
}

}  // namespace scalestyle::evaluation
