#include "ingest/staged_neighbours.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "catalog/purchase_reader.hpp"
#include "catalog/table_file.hpp"

namespace scalestyle::ingest {

namespace {

constexpr std::uint32_t kNoRow = 0xffffffff;

// Of customer_id and t_dat the ones that the file lacks; empty: it has both.
core::Result<std::string> missing_columns(const IngestOptions& options) {
  CORE_TRY(const auto info, catalog::inspect_table(options.transactions, options.reader));
  std::string missing;
  for (const std::string_view name : {"customer_id", "t_dat"}) {
    CORE_TRY(const auto column, catalog::find_column(info, name));
    if (column) continue;
    if (!missing.empty()) missing += " and ";
    missing += name;
  }
  return missing;
}

std::string text_of(std::int32_t day) {
  const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(day))};
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()));
}

// Those of the catalogue's articles, by row. Uses `read` up.
std::vector<ranking::ItemPurchase> purchases_by_row(catalog::Purchases read, const catalog::Catalog& catalog) {
  std::vector<std::string>().swap(read.customers);  // only their numbers are needed
  std::vector<std::uint32_t> row_of;
  row_of.reserve(read.articles.size());
  for (const catalog::ArticleId& id : read.articles) {
    const auto row = catalog.find(id);
    row_of.push_back(row ? row->value : kNoRow);
  }
  std::vector<ranking::ItemPurchase> purchases;
  purchases.reserve(read.purchases.size());
  for (const catalog::Purchase& one : read.purchases) {
    if (row_of[one.article] == kNoRow) continue;
    purchases.push_back({one.customer, row_of[one.article], static_cast<std::int32_t>(one.day.time_since_epoch().count())});
  }
  return purchases;
}

void note_none(IngestSummary& summary, std::string_view why) {
  summary.notes.push_back(fmt::format("what was bought together is not known: {}", why));
}

}  // namespace

core::Status find_neighbours(const IngestOptions& options, const IngestContext& context, StagedCatalog& staged,
                             IngestSummary& summary) {
  if (options.transactions.empty() || !options.neighbours) return {};
  CORE_CHECK(check_stop(context));
  context.before_step("find neighbours");
  CORE_TRY(const std::string missing, missing_columns(options));
  if (!missing.empty()) {
    note_none(summary, fmt::format("the transactions have no column {}", missing));
    return {};
  }
  context.progress.reading("customers of the transactions", 0, 0);
  auto read = catalog::read_purchases(options.transactions, {}, options.reader);
  if (!read) {
    // Without a usable row, or with more rows than are read, the rest of the ingest goes on.
    if (read.error().code != core::ErrorCode::kInvalidArgument) return std::unexpected(std::move(read).error());
    note_none(summary, read.error().message);
    return {};
  }
  context.progress.reading("customers of the transactions", read->rows_read, 1);
  if (read->rejected > 0) {
    summary.notes.push_back(fmt::format("{} transactions without a valid article, customer or day tell nothing of what was bought "
                                        "together", read->rejected));
  }
  const std::size_t customers = read->customers.size();
  auto purchases = purchases_by_row(std::move(*read), staged.catalog);
  if (purchases.empty()) {
    note_none(summary, "no transaction with a customer and a day is of an article of the catalogue");
    return {};
  }
  CORE_CHECK(check_stop(context));
  const auto [first, last] = std::ranges::minmax(purchases, {}, &ranking::ItemPurchase::day);
  StagedNeighbours made;
  made.facts = {.purchases = purchases.size(), .first_day = text_of(first.day), .last_day = text_of(last.day),
                .options = *options.neighbours};
  const auto begun = context.clock.steady_now();
  CORE_TRY(made.neighbours, ranking::build_item_neighbours(std::move(purchases), staged.catalog.size(), *options.neighbours));
  made.facts.neighbours = made.neighbours.all().size();
  const double seconds = std::chrono::duration<double>(context.clock.steady_now() - begun).count();
  context.progress.note(fmt::format("found {} neighbours of articles from {} purchases by {} customers in {:.1f} s",
                                    made.facts.neighbours, made.facts.purchases, customers, seconds));
  summary.neighbours = made.facts.neighbours;
  summary.neighbour_purchases = made.facts.purchases;
  staged.neighbours = std::move(made);
  return {};
}

}  // namespace scalestyle::ingest
