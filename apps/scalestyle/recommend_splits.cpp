#include "recommend_splits.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>

#include "adapters/embedded/local_catalog_store.hpp"
#include "catalog/date.hpp"
#include "catalog/purchase_reader.hpp"
#include "catalog/table_reader.hpp"
#include "core/task.hpp"
#include "runtime.hpp"

namespace scalestyle::app {

namespace {

using namespace std::chrono_literals;
using catalog::Purchases;
using evaluation::HeldOutPurchases;
using std::chrono::days;
using std::chrono::sys_days;

std::unexpected<core::Error> wrong(std::string message, std::string field) {
  return core::fail(core::ErrorCode::kInvalidArgument, std::move(message), std::move(field));
}

core::Result<sys_days> last_known_day(const core::Settings& settings) {
  if (const auto day = catalog::parse_date(settings.text("train_until"))) return *day;
  return wrong(settings.is_set("train_until")
                   ? fmt::format("--train-until \"{}\" is not a day of the form YYYY-MM-DD", settings.text("train_until"))
                   : std::string("--train-until is missing: name the last day that is known; the days after it are judged"),
               "train_until");
}

core::Result<Purchases> read_file(const std::string& file, const catalog::PurchaseDays& wanted) {
  CORE_TRY(auto purchases, catalog::read_purchases(file, wanted, {}));
  if (purchases.rejected > 0) {
    const auto& example = purchases.examples.front();
    fmt::print(stderr, "{}: {} of {} rows left out, the first in row {}: {}\n", file, purchases.rejected, purchases.rows_read,
               example.row_number, example.cause);
  }
  return purchases;
}

// Purchases of these days only; customers and articles keep their numbers.
Purchases of_days(const Purchases& all, std::optional<sys_days> from, sys_days to) {
  Purchases some;
  some.customers = all.customers;
  some.articles = all.articles;
  std::ranges::copy_if(all.purchases, std::back_inserter(some.purchases),
                       [&](const catalog::Purchase& one) { return (!from || one.day >= *from) && one.day <= to; });
  return some;
}

std::string days_text(sys_days first, sys_days last) {
  return first == last ? catalog::format_date(first) : fmt::format("{} – {}", catalog::format_date(first), catalog::format_date(last));
}

core::Result<std::vector<JudgedSplit>> by_days(const core::Settings& settings) {
  CORE_TRY(const auto last_known, last_known_day(settings));
  const auto rolling = settings.integer("rolling");
  const auto train_days = settings.integer("train_days");
  const auto test_days = rolling > 0 ? std::max<std::int64_t>(1, settings.integer("test_days")) : settings.integer("test_days");
  const std::int64_t splits = std::max<std::int64_t>(1, rolling);
  catalog::PurchaseDays wanted;
  if (train_days > 0) wanted.from = last_known - days(splits - 1 + train_days - 1);
  if (test_days > 0) wanted.to = last_known + days(test_days);
  CORE_TRY(auto all, read_file(settings.text("transactions"), wanted));
  std::vector<JudgedSplit> judged;
  for (std::int64_t i = splits - 1; i > 0; --i) {
    const sys_days known = last_known - days(i);
    const std::optional<sys_days> from = train_days > 0 ? std::optional(known - days(train_days - 1)) : std::nullopt;
    CORE_TRY(auto split, HeldOutPurchases::split(of_days(all, from, known + days(test_days)), known));
    judged.push_back({days_text(known + days(1), known + days(test_days)), std::move(split)});
  }
  const sys_days last = all.purchases.back().day;
  if (splits > 1 && train_days > 0) all = of_days(all, last_known - days(train_days - 1), last);
  CORE_TRY(auto split, HeldOutPurchases::split(std::move(all), last_known, wanted.to));
  judged.push_back({days_text(last_known + days(1), std::max(last, last_known + days(1))), std::move(split)});
  return judged;
}

// Settings that say which days are known have nothing to say where something else does.
core::Status check_no_days(const core::Settings& settings, std::string_view why) {
  for (const std::string name : {"train_days", "test_days", "rolling"}) {
    if (settings.integer(name) > 0) return wrong(fmt::format("{} does not go with {}", core::flag_name(name), why), name);
  }
  if (settings.is_set("train_until")) return wrong(fmt::format("--train-until does not go with {}", why), "train_until");
  return {};
}

core::Result<std::vector<JudgedSplit>> by_files(const core::Settings& settings) {
  CORE_CHECK(check_no_days(settings, "--train and --test: these files say what is known"));
  if (settings.is_set("transactions")) return wrong("--transactions does not go with --train and --test", "transactions");
  CORE_TRY(auto known, read_file(settings.text("train"), {}));
  CORE_TRY(auto tested, read_file(settings.text("test"), {}));
  std::string name = days_text(tested.purchases.front().day, tested.purchases.back().day);
  CORE_TRY(auto split, HeldOutPurchases::join(std::move(known), std::move(tested)));
  std::vector<JudgedSplit> judged;
  judged.push_back({std::move(name), std::move(split)});
  return judged;
}

core::Result<std::vector<JudgedSplit>> last_days(const core::Settings& settings) {
  CORE_CHECK(check_no_days(settings, "--task session, which hides the last day of each customer"));
  CORE_TRY(auto all, read_file(settings.text("transactions"), {}));
  CORE_TRY(auto split, HeldOutPurchases::hide_last_days(std::move(all)));
  std::vector<JudgedSplit> judged;
  judged.push_back({"last days", std::move(split)});
  return judged;
}

// The generation that the folder serves.
core::Result<std::shared_ptr<const ports::CatalogSnapshot>> load_generation(const std::string& folder, std::size_t threads) {
  Compute compute(threads);
  adapters::embedded::LocalCatalogStore store({.data_dir = folder}, compute.pool());
  const auto deadline = core::Deadline::after(60s, compute.clock());
  CORE_TRY(const auto id, core::sync_wait(store.current(deadline)));
  return core::sync_wait(store.load(id, deadline));
}

core::Result<catalog::Catalog> read_articles(const std::string& file) {
  catalog::CatalogBuilder builder;
  const auto add = [&builder](const catalog::ArticleChunk& chunk) -> core::Status {
    for (const catalog::ArticleRow& row : chunk.accepted) CORE_CHECK(builder.add(row.article));
    return {};
  };
  CORE_TRY(const auto summary, catalog::read_articles(file, {}, add));
  if (summary.rejected > 0) fmt::print(stderr, "{}: {} of {} rows left out\n", file, summary.rejected, summary.rows_read);
  return std::move(builder).build();
}

}  // namespace

core::Result<std::vector<JudgedSplit>> read_splits(const core::Settings& settings) {
  const bool has_files = settings.is_set("train") || settings.is_set("test");
  const std::string missing = has_files ? (settings.is_set("train") ? "test" : "train") : "transactions";
  if (!settings.is_set(missing)) return wrong(fmt::format("--{} is missing: name the file of purchases", missing), missing);
  const std::string task = settings.text("task");
  if (task == "session") {
    if (has_files) return wrong("--train and --test do not go with --task session: name one file with --transactions", "train");
    return last_days(settings);
  }
  CORE_TRY(auto judged, has_files ? by_files(settings) : by_days(settings));
  if (task != "basket") return judged;
  const auto seed = static_cast<std::uint64_t>(settings.integer("seed"));
  for (JudgedSplit& split : judged) {
    CORE_TRY(split.purchases, std::move(split.purchases).hide_one_of_each_basket(seed));
  }
  return judged;
}

core::Result<JudgedCatalog> read_catalog(const core::Settings& settings, sys_days last_known) {
  JudgedCatalog judged;
  if (settings.is_set("data")) {
    if (settings.is_set("articles")) return wrong("articles does not go with data: the folder has its own", "articles");
    CORE_TRY(judged.generation, load_generation(settings.text("data"), compute_threads(settings)));
    judged.articles = judged.generation->catalog;
    const std::string& until = judged.generation->info.purchases_to;
    if (until > catalog::format_date(last_known)) {
      return core::fail(core::ErrorCode::kFailedPrecondition,
                        fmt::format("the catalogue's popularity knows purchases up to {}, but only those up to {} may be known: "
                                    "ingest with purchases up to that day, or name its articles with --articles",
                                    until, catalog::format_date(last_known)));
    }
  } else if (settings.is_set("articles")) {
    CORE_TRY(auto articles, read_articles(settings.text("articles")));
    judged.articles = std::make_shared<const catalog::Catalog>(std::move(articles));
  }
  return judged;
}

}  // namespace scalestyle::app
