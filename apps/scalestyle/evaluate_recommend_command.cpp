// scalestyle evaluate recommend: how well lists foresee what customers bought in the days after those that are known.
// Baselines come from the file itself; with --data the lists of that folder are judged too.

#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <optional>

#include "adapters/embedded/local_catalog_store.hpp"
#include "catalog/date.hpp"
#include "catalog/purchase_reader.hpp"
#include "command_list.hpp"
#include "core/task.hpp"
#include "evaluation/held_out_purchases.hpp"
#include "evaluation/recommend_evaluation.hpp"
#include "recommend/popularity_board.hpp"
#include "runtime.hpp"
#include "search/popular_list.hpp"

namespace scalestyle::app {

namespace {

using namespace std::chrono_literals;
using std::chrono::days;
using std::chrono::sys_days;

core::Result<evaluation::RecommendOptions> recommend_options(const core::Settings& settings) {
  evaluation::RecommendOptions options;
  if (settings.is_set("measures")) {
    CORE_TRY(options.measures, evaluation::parse_measures(settings.text("measures")));
  }
  options.seed = static_cast<std::uint64_t>(settings.integer("bootstrap_seed"));
  options.resamples = static_cast<std::size_t>(settings.integer("resamples"));
  CORE_CHECK(options.validate());
  return options;
}

core::Result<sys_days> last_known_day(const core::Settings& settings) {
  if (const auto day = catalog::parse_date(settings.text("train_until"))) return *day;
  return core::fail(core::ErrorCode::kInvalidArgument,
                    settings.is_set("train_until")
                        ? fmt::format("--train-until \"{}\" is not a day of the form YYYY-MM-DD", settings.text("train_until"))
                        : std::string("--train-until is missing: name the last day that is known; the days after it are judged"),
                    "train_until");
}

core::Result<evaluation::HeldOutPurchases> read_split(const core::Settings& settings, sys_days last_known) {
  if (!settings.is_set("transactions")) {
    return core::fail(core::ErrorCode::kInvalidArgument, "--transactions is missing: name the file of purchases", "transactions");
  }
  catalog::PurchaseDays wanted;
  if (const auto count = settings.integer("train_days"); count > 0) wanted.from = last_known - days(count - 1);
  if (const auto count = settings.integer("test_days"); count > 0) wanted.to = last_known + days(count);
  CORE_TRY(auto purchases, catalog::read_purchases(settings.text("transactions"), wanted, {}));
  if (purchases.rejected > 0) {
    const auto& example = purchases.examples.front();
    fmt::print(stderr, "{} of {} rows left out, the first in row {}: {}\n", purchases.rejected, purchases.rows_read,
               example.row_number, example.cause);
  }
  return evaluation::HeldOutPurchases::split(std::move(purchases), last_known, wanted.to);
}

// The generation that the folder serves. Its purchase counts must not know the days that are judged.
core::Result<std::shared_ptr<const ports::CatalogSnapshot>> load_generation(const core::Settings& settings, sys_days last_known,
                                                                           Compute& compute) {
  adapters::embedded::LocalCatalogStore store({.data_dir = settings.text("data")}, compute.pool());
  const auto deadline = core::Deadline::after(60s, compute.clock());
  CORE_TRY(const auto id, core::sync_wait(store.current(deadline)));
  CORE_TRY(auto snapshot, core::sync_wait(store.load(id, deadline)));
  const std::string& until = snapshot->info.purchases_to;
  if (until > catalog::format_date(last_known)) {
    return core::fail(core::ErrorCode::kFailedPrecondition,
                      fmt::format("the catalogue's popularity knows purchases up to {}, but only those up to {} may be known: "
                                  "ingest with purchases up to that day",
                                  until, catalog::format_date(last_known)));
  }
  return snapshot;
}

// What browsing by popularity shows everybody when no event has come in yet.
std::vector<catalog::ArticleId> all_time_popular(const std::shared_ptr<const ports::CatalogSnapshot>& snapshot, std::size_t depth) {
  const recommend::PopularityBoard board(snapshot, {});
  const auto list = search::popular_of_all_time(
      board, {.eligible = nullptr, .eligible_count = snapshot->catalog->size(), .depth = depth, .now_ms = 0});
  std::vector<catalog::ArticleId> articles;
  for (const catalog::RowIndex row : list.rows) {
    if (auto id = catalog::ArticleId::parse(snapshot->catalog->row(row).id())) articles.push_back(std::move(*id));
  }
  return articles;
}

core::Result<evaluation::RecommendEvaluation> evaluate(const core::Settings& settings) {
  CORE_TRY(const auto options, recommend_options(settings));
  CORE_TRY(const auto last_known, last_known_day(settings));
  CORE_TRY(const auto purchases, read_split(settings, last_known));
  const double half_life_days = settings.number("decay_half_life_days");
  const auto decayed = evaluation::popular_articles(purchases, half_life_days);
  std::vector<evaluation::NamedRecommender> recommenders{
      {"popularity", evaluation::fixed_list(evaluation::popular_articles(purchases))},
      {fmt::format("popularity, half-life {} d", half_life_days), evaluation::fixed_list(decayed)},
      {"own purchases, then that", evaluation::own_purchases_then(decayed)}};
  std::size_t articles = purchases.known_articles();
  if (settings.is_set("data")) {
    Compute compute(compute_threads(settings));
    CORE_TRY(const auto snapshot, load_generation(settings, last_known, compute));
    articles = snapshot->catalog->size();
    recommenders.push_back({"catalogue: all-time popularity",
                            evaluation::fixed_list(all_time_popular(snapshot, evaluation::deepest(options.measures)))});
  }
  return evaluation::evaluate_recommenders(purchases, recommenders, articles, options);
}

int run_evaluate(const Invocation& invocation) {
  const auto evaluation = evaluate(invocation.settings);
  if (!evaluation) return report(evaluation.error());
  fmt::print("{}\n", invocation.settings.boolean("json") ? evaluation::to_json(*evaluation) : evaluation::to_text(*evaluation));
  return kExitOk;
}

}  // namespace

Command evaluate_recommend_command() {
  return {.path = {"evaluate", "recommend"},
          .help = "How well lists foresee purchases of the days after those that are known",
          .settings = {"transactions", "train_until", "train_days", "test_days", "decay_half_life_days", "data", "measures",
                       "compute_threads", "resamples", "bootstrap_seed", "json"},
          .run = run_evaluate};
}

}  // namespace scalestyle::app
