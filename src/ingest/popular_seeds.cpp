#include "ingest/popular_seeds.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "catalog/date.hpp"
#include "catalog/purchase_reader.hpp"
#include "ranking/popularity.hpp"

namespace scalestyle::ingest {

namespace {

constexpr std::chrono::days kWeek{7};

// The best `top` rows with a score, best first, then by row.
std::vector<ports::PopularArticle> best(const std::vector<double>& scores, std::size_t top) {
  std::vector<ports::PopularArticle> found;
  for (std::uint32_t row = 0; row < scores.size(); ++row) {
    if (scores[row] > 0) found.push_back({catalog::RowIndex{row}, scores[row]});
  }
  const auto before = [](const ports::PopularArticle& a, const ports::PopularArticle& b) {
    return a.score != b.score ? a.score > b.score : a.row < b.row;
  };
  const auto middle = found.begin() + static_cast<std::ptrdiff_t>(std::min(top, found.size()));
  std::partial_sort(found.begin(), middle, found.end(), before);
  found.erase(middle, found.end());
  return found;
}

core::Result<std::vector<double>> all_time(const IngestOptions& options, const StagedCatalog& staged) {
  ranking::PurchaseScale scale{.purchase_weight = options.purchase_weight,
                               .half_life_seconds = options.popularity_half_life_seconds};
  CORE_TRY(scale.period_seconds, ranking::purchase_period_seconds(staged.purchases_from, staged.purchases_to));
  std::vector<double> scores(staged.catalog.size());
  for (std::uint32_t row = 0; row < scores.size(); ++row) {
    scores[row] = ranking::purchase_prior(staged.catalog.row(catalog::RowIndex{row}).purchase_count(), scale);
  }
  return scores;
}

// Adds the windows. What the file does not tell is noted.
core::Status find_windows(const IngestOptions& options, const IngestContext& context, const StagedCatalog& staged,
                          IngestSummary& summary, ports::PopularitySeeds& seeds) {
  const auto last = catalog::parse_date(staged.purchases_to);
  if (options.transactions.empty() || !last) {
    summary.notes.emplace_back("the last days' popular articles are not known: there are no transactions with days");
    return {};
  }
  context.progress.reading("the last days' transactions", 0, 0);
  const catalog::PurchaseDays days{.from = *last - kWeek + std::chrono::days(1), .to = *last};
  const auto read = catalog::read_purchases(options.transactions, days, options.reader);
  if (!read) {
    if (read.error().code != core::ErrorCode::kInvalidArgument) return std::unexpected(read.error());
    summary.notes.push_back("the last days' popular articles are not known: " + read.error().message);
    return {};
  }
  context.progress.reading("the last days' transactions", read->rows_read, 1);
  std::vector<double> of_day(staged.catalog.size());
  std::vector<double> of_week(staged.catalog.size());
  for (const catalog::Purchase& purchase : read->purchases) {
    const auto row = staged.catalog.find(read->articles[purchase.article]);
    if (!row) continue;
    of_week[row->value] += options.purchase_weight;
    if (purchase.day == *last) of_day[row->value] += options.purchase_weight;
  }
  seeds.last_24h = best(of_day, options.popular_top);
  seeds.last_7d = best(of_week, options.popular_top);
  return {};
}

}  // namespace

core::Result<ports::PopularitySeeds> find_popular(const IngestOptions& options, const IngestContext& context,
                                                  const StagedCatalog& staged, IngestSummary& summary) {
  CORE_TRY(const auto scores, all_time(options, staged));
  ports::PopularitySeeds seeds;
  seeds.all_time = best(scores, options.popular_top);
  if (seeds.all_time.empty()) {
    const std::string_view what =
        options.transactions.empty() ? "there are no transactions" : "the transactions are of other articles";
    if (!options.allow_no_purchases) {
      return core::fail(core::ErrorCode::kInvalidArgument,
                        fmt::format("no article has a purchase ({}), so the stores would have no popular articles: name the "
                                    "purchases with --transactions, or fill them without by --allow-no-purchases",
                                    what),
                        "transactions");
    }
    summary.notes.push_back(fmt::format("WARNING: no article has a purchase ({}): the stores have no popular articles", what));
    return seeds;
  }
  CORE_CHECK(find_windows(options, context, staged, summary, seeds));
  return seeds;
}

}  // namespace scalestyle::ingest
