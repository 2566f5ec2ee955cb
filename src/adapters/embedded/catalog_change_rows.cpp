#include "adapters/embedded/catalog_change_rows.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <optional>
#include <string_view>
#include <utility>

namespace scalestyle::adapters::embedded {

namespace json = boost::json;

namespace {

constexpr std::int64_t kApplicationId = 0x53534348;  // "SSCH"
constexpr std::int64_t kVersion = 1;
constexpr std::uint32_t kPriceBit = 1U << static_cast<unsigned>(catalog::ChangeColumn::kPrice);

constexpr const char* kTables = R"sql(
  CREATE TABLE change (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    time_ms INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    article_id TEXT NOT NULL,
    columns INTEGER NOT NULL,
    price REAL,
    available INTEGER,
    texts TEXT NOT NULL);
  CREATE INDEX change_article ON change (article_id);
  CREATE TABLE article_vector (
    article_id TEXT NOT NULL PRIMARY KEY,
    text_hash BLOB NOT NULL,
    encoder TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    vector BLOB NOT NULL);
)sql";

// Calls visit(column name, value) for every text column of the change.
template <class Change, class Visit>
void for_each_text(Change& change, Visit&& visit) {
  visit(std::string_view("product_code"), change.product_code);
  visit(std::string_view("prod_name"), change.name);
  visit(std::string_view("detail_desc"), change.description);
  for (const catalog::Attribute attribute : catalog::all_attributes()) visit(catalog::column_name(attribute), change[attribute]);
}

bool take_texts(std::string_view text, catalog::ArticleChange& change) {
  boost::system::error_code error;
  const json::value value = json::parse(json::string_view(text.data(), text.size()), error);
  if (error || !value.is_object()) return false;
  std::size_t taken = 0;
  bool right = true;
  for_each_text(change, [&](std::string_view name, std::optional<std::string>& column) {
    const json::value* found = value.get_object().if_contains(json::string_view(name.data(), name.size()));
    if (found == nullptr) return;
    ++taken;
    if (found->is_string()) column = std::string(found->get_string());
    else right = false;
  });
  return right && taken == value.get_object().size();
}

}  // namespace

core::Status check_changes_file(SqliteDatabase& database) {
  CORE_TRY(const std::int64_t application, database.integer("PRAGMA application_id"));
  CORE_TRY(const std::int64_t version, database.integer("PRAGMA user_version"));
  if (application == kApplicationId && version == kVersion) return {};
  return core::fail(core::ErrorCode::kFailedPrecondition,
                    fmt::format("{} does not hold changes of a catalogue in version {} of their format", database.path(),
                                kVersion));
}

core::Status prepare_changes_file(SqliteDatabase& database) {
  CORE_TRY(const std::int64_t tables, database.integer("SELECT count(*) FROM sqlite_schema"));
  if (tables == 0) {
    CORE_CHECK(database.execute(fmt::format("BEGIN IMMEDIATE; {} PRAGMA application_id = {}; PRAGMA user_version = {}; COMMIT;",
                                            kTables, kApplicationId, kVersion)));
  }
  return check_changes_file(database);
}

std::string change_texts(const catalog::ArticleChange& change) {
  json::object texts;
  for_each_text(change, [&](std::string_view name, const std::optional<std::string>& column) {
    if (column) texts[json::string_view(name.data(), name.size())] = *column;
  });
  return json::serialize(texts);
}

void bind_change(SqliteStatement& statement, int first, const catalog::ArticleChange& change, std::string& texts) {
  texts = change_texts(change);
  statement.bind(first, static_cast<std::int64_t>(change.kind));
  statement.bind(first + 1, std::string_view(change.id.text()));
  statement.bind(first + 2, static_cast<std::int64_t>(change.columns()));
  if (change.price) statement.bind(first + 3, *change.price);
  else statement.bind_null(first + 3);
  if (change.available) statement.bind(first + 4, std::int64_t{*change.available ? 1 : 0});
  else statement.bind_null(first + 4);
  statement.bind(first + 5, std::string_view(texts));
}

core::Result<ports::LoggedChange> read_change(const SqliteStatement& row, const std::string& path) {
  const std::int64_t sequence = row.integer(0);
  const auto damaged = [&](std::string_view what) {
    return core::fail(core::ErrorCode::kDataLoss, fmt::format("{}, change {}: {}; the file is damaged", path, sequence, what));
  };
  const std::int64_t kind = row.integer(2);
  if (kind < 0 || kind > static_cast<std::int64_t>(catalog::ChangeKind::kDelete)) return damaged("its kind is unknown");
  auto id = catalog::ArticleId::parse(row.text(3));
  if (!id) return damaged("it has no valid article id");
  catalog::ArticleChange change{.kind = static_cast<catalog::ChangeKind>(kind), .id = std::move(*id)};
  const std::int64_t columns = row.integer(4);
  change.sets_price = (static_cast<std::uint64_t>(columns) & kPriceBit) != 0;
  if (!row.is_null(5)) change.price = row.number(5);
  if (!row.is_null(6)) change.available = row.integer(6) != 0;
  if (!take_texts(row.text(7), change)) return damaged("its texts cannot be read");
  if (static_cast<std::int64_t>(change.columns()) != columns) return damaged("it does not set the columns that it says");
  if (const auto valid = change.validate(); !valid) return damaged(valid.error().message);
  return ports::LoggedChange{.sequence = sequence, .time_ms = row.integer(1), .change = std::move(change)};
}

std::string encoder_key(const ports::EncoderInfo& encoder) {
  return fmt::format("{} {} {} {} {} {}", encoder.model, encoder.weights_hash, encoder.precision, encoder.dimension,
                     encoder.max_tokens, catalog::kTextFormat);
}

}  // namespace scalestyle::adapters::embedded
