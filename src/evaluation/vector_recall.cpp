#include "evaluation/vector_recall.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <numeric>
#include <set>
#include <utility>

#include "core/task.hpp"
#include "evaluation/random.hpp"
#include "evaluation/text_table.hpp"

namespace scalestyle::evaluation {
namespace {

constexpr std::size_t kMaxDepth = 16'384;     // what VectorQuery::k may be
constexpr double kScoreTolerance = 1e-6;      // f32 scores of unit vectors differ by less between orders of addition

core::Status check(bool good, std::string_view field, std::string message) {
  if (good) return {};
  return core::fail(core::ErrorCode::kInvalidArgument, std::move(message), std::string(field));
}

std::vector<double> exact_scores(const retrieval::ExactVectors& vectors, std::span<const float> query) {
  std::vector<double> scores(vectors.rows);
  for (std::size_t row = 0; row < vectors.rows; ++row) {
    const std::span<const float> values = vectors.row(row);
    double sum = 0;
    for (std::size_t i = 0; i < values.size(); ++i) sum += static_cast<double>(values[i]) * static_cast<double>(query[i]);
    scores[row] = sum;
  }
  return scores;
}

std::shared_ptr<const catalog::Bitmap> draw_rows(std::size_t rows, double share, Random& random) {
  if (share >= 1) return nullptr;
  catalog::Bitmap eligible(rows);
  const auto threshold = static_cast<std::uint64_t>(share * 0x1p53);
  for (std::size_t row = 0; row < rows; ++row) {
    if (random.next() >> 11U < threshold) eligible.set({static_cast<std::uint32_t>(row)});
  }
  return std::make_shared<const catalog::Bitmap>(std::move(eligible));
}

bool is_eligible(const std::shared_ptr<const catalog::Bitmap>& eligible, std::size_t row) {
  return !eligible || eligible->test({static_cast<std::uint32_t>(row)});
}

// The exact scores of what was found, best first as the index has it.
core::Result<std::vector<double>> found_scores(const IndexedGeneration& indexed, const ports::VectorHits& hits,
                                               const std::vector<double>& scores,
                                               const std::shared_ptr<const catalog::Bitmap>& eligible) {
  std::vector<double> found;
  std::set<std::uint32_t> rows;
  for (const ports::VectorHit& hit : hits.hits) {
    const auto row = indexed.articles.find(hit.article_id);
    if (!row || !is_eligible(eligible, row->value) || !rows.insert(row->value).second) {
      return core::fail(core::ErrorCode::kInternal,
                        fmt::format("the index gave article {}, which {}", hit.article_id.text(),
                                    !row ? "the generation lacks" : !is_eligible(eligible, row->value) ? "is not eligible" : "it gave before"));
    }
    found.push_back(scores[row->value]);
  }
  return found;
}

// Share of the `depth` best that are among the first `depth` found. Nothing eligible: nothing is missing.
double recall_at(std::size_t depth, const std::vector<double>& best, const std::vector<double>& found) {
  const std::size_t wanted = std::min(depth, best.size());
  if (wanted == 0) return 1.0;
  const double least = best[wanted - 1] - kScoreTolerance;
  const auto end = found.begin() + static_cast<std::ptrdiff_t>(std::min(depth, found.size()));
  const auto right = static_cast<std::size_t>(std::count_if(found.begin(), end, [least](double score) { return score >= least; }));
  return static_cast<double>(std::min(right, wanted)) / static_cast<double>(wanted);
}

}  // namespace

core::Status VectorRecallOptions::validate() const {
  CORE_CHECK(check(!depths.empty() && depths.size() <= 10, "depths", fmt::format("{} depths are not 1 to 10", depths.size())));
  for (const std::size_t depth : depths) {
    CORE_CHECK(check(depth >= 1 && depth <= kMaxDepth, "depths", fmt::format("depth {} is not in 1 … {}", depth, kMaxDepth)));
  }
  CORE_CHECK(check(eligible_share > 0 && eligible_share <= 1, "eligible_share",
                   fmt::format("eligible_share {} is not above 0 and at most 1", eligible_share)));
  return check(resamples >= 100 && resamples <= 1'000'000, "resamples", fmt::format("resamples {} is not in 100 … 1000000", resamples));
}

core::Result<VectorRecall> evaluate_vectors(const IndexedGeneration& indexed, std::span<const std::vector<float>> queries,
                                            const core::Clock& clock, const VectorRecallOptions& options) {
  CORE_CHECK(options.validate());
  CORE_CHECK(check(!queries.empty(), "sample", "there is no query to search for"));
  VectorRecall result{.options = options, .queries = queries.size(), .rows = indexed.vectors.rows};
  const std::size_t deepest = std::ranges::max(options.depths);
  Random random(options.seed);
  std::vector<std::vector<double>> values(options.depths.size());
  std::vector<double> times;
  for (const std::vector<float>& query : queries) {
    CORE_CHECK(check(query.size() == indexed.vectors.dimension, "queries",
                     fmt::format("a query has {} values, the rows {}", query.size(), indexed.vectors.dimension)));
    const auto eligible = draw_rows(indexed.vectors.rows, options.eligible_share, random);
    std::vector<ports::VectorQuery> batch{{.vector = query, .k = deepest, .filter = nullptr, .eligible = eligible}};
    const auto begin = clock.steady_now();
    CORE_TRY(const auto answers, core::sync_wait(indexed.index.search(indexed.generation, std::move(batch), options.deadline)));
    times.push_back(std::chrono::duration<double, std::milli>(clock.steady_now() - begin).count());
    const std::vector<double> scores = exact_scores(indexed.vectors, query);
    CORE_TRY(const auto found, found_scores(indexed, answers.at(0), scores, eligible));
    result.claims_exact = result.claims_exact && answers[0].exact;
    std::vector<double> best;
    for (std::size_t row = 0; row < scores.size(); ++row) {
      if (is_eligible(eligible, row)) best.push_back(scores[row]);
    }
    const auto end = best.begin() + static_cast<std::ptrdiff_t>(std::min(deepest, best.size()));
    std::partial_sort(best.begin(), end, best.end(), std::greater<>());
    for (std::size_t i = 0; i < values.size(); ++i) values[i].push_back(recall_at(options.depths[i], best, found));
  }
  for (const auto& recall : values) {
    result.recall.push_back(bootstrap_mean(recall, resamples_for(recall.size(), options.resamples), options.seed));
    result.least.push_back(std::ranges::min(recall));
  }
  std::ranges::sort(times);
  result.p50_ms = quantile(times, 0.5);
  result.p99_ms = quantile(times, 0.99);
  return result;
}

std::vector<std::vector<float>> sample_rows(const retrieval::ExactVectors& vectors, std::size_t count, std::uint64_t seed) {
  std::vector<std::size_t> rows(vectors.rows);
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  Random random(seed);
  count = std::min(count, rows.size());
  std::vector<std::vector<float>> queries;
  for (std::size_t i = 0; i < count; ++i) {
    std::swap(rows[i], rows[i + random.below(rows.size() - i)]);
    const std::span<const float> row = vectors.row(rows[i]);
    queries.emplace_back(row.begin(), row.end());
  }
  return queries;
}

std::string to_text(const VectorRecall& recall) {
  std::string text = fmt::format("{} queries over {} rows{}, 95 % bootstrap intervals (seed {})\n\n", recall.queries, recall.rows,
                                 recall.options.eligible_share < 1
                                     ? fmt::format(", {:g} % of them eligible", recall.options.eligible_share * 100) : "",
                                 recall.options.seed);
  TextTable table({"measure", "mean", "from", "to", "worst query"});
  for (std::size_t i = 0; i < recall.recall.size(); ++i) {
    const Interval& mean = recall.recall[i];
    table.add({fmt::format("recall@{}", recall.options.depths[i]), fmt::format("{:.4f}", mean.mean), fmt::format("{:.4f}", mean.low),
               fmt::format("{:.4f}", mean.high), fmt::format("{:.4f}", recall.least[i])});
  }
  return text + table.text() + fmt::format("\none search of {}: p50 {:.2f} ms, p99 {:.2f} ms; the index calls its answers {}\n",
                                           std::ranges::max(recall.options.depths), recall.p50_ms, recall.p99_ms,
                                           recall.claims_exact ? "exact" : "approximate");
}

std::string to_json(const VectorRecall& recall) {
  std::vector<std::string> depths;
  for (std::size_t i = 0; i < recall.recall.size(); ++i) {
    const Interval& mean = recall.recall[i];
    depths.push_back(fmt::format(R"("recall@{}":{{"mean":{},"low":{},"high":{},"least":{}}})", recall.options.depths[i], mean.mean,
                                 mean.low, mean.high, recall.least[i]));
  }
  return fmt::format(
      R"({{"queries":{},"rows":{},"eligible_share":{},"seed":{},"measures":{{{}}},"exact":{},"milliseconds":{{"p50":{},"p99":{}}}}})",
      recall.queries, recall.rows, recall.options.eligible_share, recall.options.seed, fmt::join(depths, ","),
      recall.claims_exact, recall.p50_ms, recall.p99_ms);
}

}  // namespace scalestyle::evaluation
