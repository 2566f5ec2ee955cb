// scalestyle train ranker: a learned order for the list for one shopper, from purchases; kept beside the catalogue's generations.

#include <fmt/format.h>

#include <chrono>
#include <memory>

#include "adapters/embedded/local_catalog_store.hpp"
#include "catalog/date.hpp"
#include "catalog/purchase_reader.hpp"
#include "command_list.hpp"
#include "core/task.hpp"
#include "evaluation/gradient_boosting.hpp"
#include "evaluation/ranker_training.hpp"
#include "recommend/ranker_file.hpp"
#include "runtime.hpp"

namespace scalestyle::app {

namespace {

using namespace std::chrono_literals;
using std::chrono::days;

core::Result<catalog::Purchases> read_all_purchases(const core::Settings& settings) {
  if (!settings.is_set("transactions")) {
    return core::fail(core::ErrorCode::kInvalidArgument, "--transactions is missing: name the file of purchases", "transactions");
  }
  CORE_TRY(auto purchases, catalog::read_purchases(settings.text("transactions"), {}, {}));
  if (purchases.rejected > 0) {
    const auto& example = purchases.examples.front();
    fmt::print(stderr, "{} of {} rows left out, the first in row {}: {}\n", purchases.rejected, purchases.rows_read,
               example.row_number, example.cause);
  }
  return purchases;
}

// Without --train-until the last two days of the file stop and judge; without --train-days all days before are learned from
// but the
// first, of which nothing is known before.
core::Status choose_days(const core::Settings& settings, const catalog::Purchases& purchases, evaluation::RankerTrainingOptions& options) {
  const auto first_known = purchases.purchases.front().day;
  options.last_day = purchases.purchases.back().day - days(2);
  if (settings.is_set("train_until")) {
    const auto day = catalog::parse_date(settings.text("train_until"));
    if (!day) {
      return core::fail(core::ErrorCode::kInvalidArgument,
                        fmt::format("--train-until \"{}\" is not a day of the form YYYY-MM-DD", settings.text("train_until")), "train_until");
    }
    options.last_day = *day;
  }
  const auto count = settings.integer("train_days");
  options.first_day = count > 0 ? options.last_day - days(count - 1) : first_known + days(1);
  return {};
}

core::Result<evaluation::RankerTrainingOptions> training_options(const core::Settings& settings, const catalog::Purchases& purchases) {
  evaluation::RankerTrainingOptions options;
  options.negatives = static_cast<std::size_t>(settings.integer("negatives"));
  options.boosting.objective = settings.text("objective");
  options.boosting.max_trees = static_cast<std::size_t>(settings.integer("max_trees"));
  options.boosting.max_depth = static_cast<std::size_t>(settings.integer("max_depth"));
  options.boosting.learning_rate = settings.number("learning_rate");
  options.boosting.seed = static_cast<std::uint64_t>(settings.integer("training_seed"));
  options.seed = options.boosting.seed;
  options.resamples = static_cast<std::size_t>(settings.integer("resamples"));
  options.models.popularity_half_life_days = settings.number("popularity_half_life_hours") / 24;
  CORE_CHECK(choose_days(settings, purchases, options));
  CORE_CHECK(options.validate());
  return options;
}

core::Result<std::shared_ptr<const catalog::Catalog>> load_catalog(const std::filesystem::path& data, Compute& compute) {
  adapters::embedded::LocalCatalogStore store({.data_dir = data}, compute.pool());
  const auto deadline = core::Deadline::after(60s, compute.clock());
  CORE_TRY(const auto id, core::sync_wait(store.current(deadline)));
  CORE_TRY(const auto snapshot, core::sync_wait(store.load(id, deadline)));
  return std::shared_ptr<const catalog::Catalog>(snapshot->catalog);
}

core::Result<evaluation::RankerReport> train(const core::Settings& settings) {
  if (!evaluation::can_learn_trees()) {
    return std::unexpected(evaluation::learn_trees({}, {}, {}).error());  // before minutes of reading
  }
  CORE_TRY(const auto data, data_folder(settings));
  CORE_TRY(const auto purchases, read_all_purchases(settings));
  CORE_TRY(const auto options, training_options(settings, purchases));
  Compute compute(compute_threads(settings));
  CORE_TRY(const auto articles, load_catalog(data, compute));
  CORE_TRY(auto trained, evaluation::train_ranker(purchases, articles, options));
  CORE_CHECK(recommend::write_ranker(data, trained.ranker, evaluation::to_json(trained.report)));
  return std::move(trained.report);
}

int run_train(const Invocation& invocation) {
  const auto trained = train(invocation.settings);
  if (!trained) return report(trained.error());
  fmt::print("{}\n", invocation.settings.boolean("json") ? evaluation::to_json(*trained) : evaluation::to_text(*trained));
  return kExitOk;
}

}  // namespace

Command train_ranker_command() {
  return {.path = {"train", "ranker"},
          .help = "Learn the order of the list for one shopper from purchases, and judge it against the blend",
          .settings = {"data", "transactions", "train_until", "train_days", "negatives", "objective", "max_trees", "max_depth",
                       "learning_rate", "training_seed", "popularity_half_life_hours", "resamples", "compute_threads", "json"},
          .run = run_train};
}

}  // namespace scalestyle::app
