#include "adapters/embedded/catalog_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "adapters/embedded/sqlite_database.hpp"
#include "core/files.hpp"

namespace scalestyle::adapters::embedded {

namespace {

// Columns of table `article` before and after the 21 attributes.
enum Column : int { kRow, kArticleId, kProductCode, kName, kDescription, kFirstAttribute };
constexpr int kPrice = kFirstAttribute + static_cast<int>(catalog::kAttributeCount);
constexpr int kPurchaseCount = kPrice + 1;
constexpr int kImagePath = kPrice + 2;
constexpr int kAvailable = kPrice + 3;
constexpr int kTextHash = kPrice + 4;
constexpr int kVectorSource = kPrice + 5;
constexpr int kColumnCount = kPrice + 6;
constexpr std::size_t kHashBytes = sizeof(catalog::TextHash::bytes);

// Calls add(name, SQL type) for every column, in order.
template <class Add>
void for_each_column(Add&& add) {
  add("\"row\"", "INTEGER PRIMARY KEY");
  add("article_id", "TEXT NOT NULL UNIQUE");
  add("product_code", "TEXT NOT NULL");
  add("prod_name", "TEXT NOT NULL");
  add("detail_desc", "TEXT NOT NULL");
  for (const catalog::Attribute attribute : catalog::all_attributes()) {
    add(std::string(catalog::column_name(attribute)), "TEXT NOT NULL");
  }
  add("price", "REAL");
  add("purchase_count", "INTEGER NOT NULL");
  add("image_path", "TEXT NOT NULL");
  add("available", "INTEGER NOT NULL");
  add("text_hash", "BLOB NOT NULL");
  add("vector_source", "INTEGER NOT NULL");
}

std::string create_statement() {
  std::string columns;
  for_each_column([&](std::string_view name, std::string_view type) {
    columns += fmt::format("{}{} {}", columns.empty() ? "" : ", ", name, type);
  });
  return fmt::format("CREATE TABLE article ({}) STRICT", columns);
}

std::string insert_statement() {
  std::string marks = "?";
  for (int i = 1; i < kColumnCount; ++i) marks += ",?";
  return fmt::format("INSERT INTO article VALUES ({})", marks);
}

std::string select_statement() {
  std::string columns;
  for_each_column([&](std::string_view name, std::string_view) {
    if (!columns.empty()) columns += ",";
    columns += name;
  });
  return fmt::format("SELECT {} FROM article ORDER BY \"row\"", columns);
}

void bind_article(SqliteStatement& insert, const catalog::ArticleView& view, const VectorOrigin& origin) {
  insert.bind(1 + kRow, static_cast<std::int64_t>(view.row().value));
  insert.bind(1 + kArticleId, view.id());
  insert.bind(1 + kProductCode, view.product_code());
  insert.bind(1 + kName, view.name());
  insert.bind(1 + kDescription, view.description());
  for (const catalog::Attribute attribute : catalog::all_attributes()) {
    insert.bind(1 + kFirstAttribute + static_cast<int>(attribute), view[attribute]);
  }
  if (const auto price = view.price()) insert.bind(1 + kPrice, *price);
  else insert.bind_null(1 + kPrice);
  insert.bind(1 + kPurchaseCount, static_cast<std::int64_t>(view.purchase_count()));
  insert.bind(1 + kImagePath, view.image_path());
  insert.bind(1 + kAvailable, std::int64_t{view.available() ? 1 : 0});
  insert.bind(1 + kTextHash, std::span<const std::uint8_t>(origin.text_hash.bytes));
  insert.bind(1 + kVectorSource, static_cast<std::int64_t>(origin.source));
}

std::unexpected<core::Error> damaged(const std::filesystem::path& path, std::string_view what) {
  return core::fail(core::ErrorCode::kDataLoss,
                    fmt::format("{}: {}; the file is damaged, ingest again", path.string(), what));
}

// Runs `select`, whose first two columns are row and article_id, and calls visit(statement, id) for each row after
// checking that rows count from 0 and ids ascend.
template <class Visit>
core::Status read_rows(const std::filesystem::path& path, const std::string& select, std::size_t expected_rows,
                       Visit&& visit) {
  CORE_TRY(auto database, SqliteDatabase::open(path, SqliteMode::kImmutable));
  CORE_TRY(auto statement, database.prepare(select));
  std::int64_t row = 0;
  std::string previous;
  while (true) {
    CORE_TRY(const bool more, statement.step());
    if (!more) break;
    auto id = catalog::ArticleId::parse(statement.text(1));
    if (!id || statement.integer(0) != row || (row > 0 && id->text() <= previous)) {
      return damaged(path, fmt::format("row {} is out of order or has no valid id", row));
    }
    previous = id->text();
    CORE_CHECK(visit(statement, *id));
    ++row;
  }
  if (static_cast<std::size_t>(row) != expected_rows) {
    return damaged(path, fmt::format("{} articles, the manifest says {}", row, expected_rows));
  }
  return {};
}

core::Status read_article(const SqliteStatement& statement, catalog::Article& article) {
  article.product_code = statement.text(kProductCode);
  article.name = statement.text(kName);
  article.description = statement.text(kDescription);
  for (const catalog::Attribute attribute : catalog::all_attributes()) {
    article[attribute] = statement.text(kFirstAttribute + static_cast<int>(attribute));
  }
  article.price.reset();
  if (!statement.is_null(kPrice)) article.price = statement.number(kPrice);
  article.purchase_count = static_cast<std::uint64_t>(statement.integer(kPurchaseCount));
  article.image_path = statement.text(kImagePath);
  article.available = statement.integer(kAvailable) != 0;
  return {};
}

}  // namespace

core::Status write_catalog_file(const std::filesystem::path& path, const catalog::Catalog& catalog,
                                std::span<const VectorOrigin> origins) {
  if (origins.size() != catalog.size()) {
    return core::fail(core::ErrorCode::kInternal,
                      fmt::format("{} vector origins for {} articles", origins.size(), catalog.size()));
  }
  CORE_TRY(auto database, SqliteDatabase::open(path, SqliteMode::kCreate));
  CORE_CHECK(database.execute(create_statement()));
  CORE_CHECK(database.execute("BEGIN"));
  {
    CORE_TRY(auto insert, database.prepare(insert_statement()));
    for (std::uint32_t row = 0; row < catalog.size(); ++row) {
      bind_article(insert, catalog.row(catalog::RowIndex{row}), origins[row]);
      CORE_CHECK(insert.run());
    }
  }
  CORE_CHECK(database.execute("COMMIT"));
  CORE_CHECK(database.close());
  return core::sync_file(path);
}

core::Result<std::shared_ptr<const catalog::Catalog>> read_catalog_file(const std::filesystem::path& path,
                                                                        std::size_t expected_rows) {
  catalog::CatalogBuilder builder;
  std::optional<catalog::Article> article;
  CORE_CHECK(read_rows(path, select_statement(), expected_rows,
                       [&](const SqliteStatement& statement, const catalog::ArticleId& id) -> core::Status {
                         if (article) article->id = id;
                         else article.emplace(catalog::Article{.id = id, .product_code = {}, .name = {}, .description = {}});
                         CORE_CHECK(read_article(statement, *article));
                         return builder.add(*article);
                       }));
  CORE_TRY(auto built, std::move(builder).build());
  return std::make_shared<const catalog::Catalog>(std::move(built));
}

core::Result<std::vector<catalog::ArticleId>> read_article_ids(const std::filesystem::path& path,
                                                               std::size_t expected_rows) {
  std::vector<catalog::ArticleId> ids;
  ids.reserve(expected_rows);
  CORE_CHECK(read_rows(path, "SELECT \"row\", article_id FROM article ORDER BY \"row\"", expected_rows,
                       [&](const SqliteStatement&, const catalog::ArticleId& id) -> core::Status {
                         ids.push_back(id);
                         return {};
                       }));
  return ids;
}

core::Result<std::vector<StoredVector>> read_vector_origins(const std::filesystem::path& path,
                                                            std::size_t expected_rows) {
  std::vector<StoredVector> stored;
  stored.reserve(expected_rows);
  CORE_CHECK(read_rows(path, "SELECT \"row\", article_id, text_hash, vector_source FROM article ORDER BY \"row\"",
                       expected_rows, [&](const SqliteStatement& statement, const catalog::ArticleId& id) -> core::Status {
                         const auto hash = statement.blob(2);
                         if (hash.size() != kHashBytes) {
                           return damaged(path, fmt::format("the text hash of article {} has {} bytes", id.text(), hash.size()));
                         }
                         VectorOrigin origin;
                         std::ranges::copy(hash, origin.text_hash.bytes.begin());
                         origin.source = statement.integer(3) == 0 ? VectorSource::kModel : VectorSource::kSupplied;
                         stored.push_back({id, origin});
                         return {};
                       }));
  return stored;
}

}  // namespace scalestyle::adapters::embedded
