#include "ingest/staged_catalog.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <system_error>
#include <unordered_map>
#include <utility>

#include "core/files.hpp"
#include "core/hash.hpp"
#include "ingest/image_finder.hpp"

namespace scalestyle::ingest {

namespace {

// Says which input an error of a reader is about, so that the caller can tell it from a fault of the program.
template <class T>
core::Result<T> of_input(core::Result<T> result, std::string_view field) {
  if (!result && result.error().field.empty()) result.error().field = field;
  return result;
}

struct Purchases {
  std::uint64_t count = 0;
  std::optional<double> mean_price;
};
struct AllPurchases {
  std::unordered_map<catalog::ArticleId, Purchases> by_article;
  std::string first_date{};  // both empty when not known
  std::string last_date{};
};

core::Result<AllPurchases> read_purchases(const IngestOptions& options, const IngestContext& context,
                                          RejectsFile& rejects, IngestSummary& summary) {
  AllPurchases purchases;
  if (options.transactions.empty()) return purchases;
  context.progress.reading("transactions", 0, 0);
  const auto sink = [&](const catalog::ArticlePurchases& article) -> core::Status {
    purchases.by_article.insert_or_assign(article.id, Purchases{article.purchase_count, article.mean_price});
    summary.purchases += article.purchase_count;
    return check_stop(context);
  };
  CORE_TRY(const auto read, of_input(catalog::read_transactions(options.transactions, options.reader, sink), "transactions"));
  for (const catalog::RejectedRow& row : read.examples) CORE_CHECK(rejects.add("transactions", row));
  const std::uint64_t listed = read.examples.size();
  rejects.count_unlisted("transactions", read.rejected > listed ? read.rejected - listed : 0);
  if (read.without_price > 0) {
    summary.notes.push_back(fmt::format("{} transactions have no usable price: counted as purchases only", read.without_price));
  }
  purchases.first_date = read.first_date;
  purchases.last_date = read.last_date;
  if (read.articles > 0 && read.last_date.empty()) {
    summary.notes.push_back("the transactions have no dates: popularity takes them as the purchases of a year");
  }
  context.progress.reading("transactions", read.rows_read, 1);
  return purchases;
}

core::Result<ImageFinder> open_images(const IngestOptions& options) {
  if (options.images.empty()) return ImageFinder();
  return ImageFinder::open(options.images);
}

// Adds what the other inputs know to each article on its way into the catalogue.
class ArticleSink {
 public:
  struct OtherInputs {
    bool own_prices = false;  // the articles file has a price column
    const AllPurchases& purchases;
    const ImageFinder& images;
  };
  ArticleSink(const IngestOptions& options, const IngestContext& context, RejectsFile& rejects, OtherInputs others)
      : options_(options), context_(context), rejects_(rejects), others_(others) {}

  catalog::CatalogBuilder builder;
  std::uint64_t with_price = 0;
  std::uint64_t with_image = 0;
  std::uint64_t purchased_articles = 0;

  core::Status take(const catalog::ArticleChunk& chunk) {
    CORE_CHECK(check_stop(context_));
    for (const catalog::RejectedRow& row : chunk.rejected) CORE_CHECK(rejects_.add("articles", row));
    for (catalog::ArticleRow& row : chunk.accepted) {
      complete(row.article);
      CORE_CHECK(builder.add(row.article));
    }
    context_.progress.reading("articles", chunk.rows_read, chunk.fraction_read);
    return {};
  }

 private:
  void complete(catalog::Article& article) {
    const auto& purchases = others_.purchases.by_article;
    if (const auto found = purchases.find(article.id); found != purchases.end()) {
      article.purchase_count = found->second.count;
      if (!others_.own_prices) article.price = found->second.mean_price;
      ++purchased_articles;
    }
    if (article.price) {
      article.price = *article.price * options_.price_scale;
      ++with_price;
    }
    article.image_path = others_.images.find(article.id);
    if (!article.image_path.empty()) ++with_image;
  }

  const IngestOptions& options_;
  const IngestContext& context_;
  RejectsFile& rejects_;
  OtherInputs others_;
};

core::Result<std::vector<adapters::embedded::FileRecord>> describe_sources(const IngestOptions& options) {
  std::vector<adapters::embedded::FileRecord> sources;
  for (const auto& [path, role] : {std::pair(options.articles, "articles"), std::pair(options.transactions, "transactions"),
                                   std::pair(options.embeddings, "embeddings"),
                                   std::pair(options.image_embeddings, "image_embeddings")}) {
    if (path.empty()) continue;
    CORE_TRY(auto record, describe_source(path, role));
    sources.push_back(std::move(record));
  }
  return sources;
}

// Whether the articles file has a price column, known only from its header.
core::Result<bool> has_own_prices(const IngestOptions& options) {
  CORE_TRY(const auto info, catalog::inspect_table(options.articles, options.reader));
  return std::ranges::any_of(info.columns, [](std::string_view column) {
    constexpr std::string_view kPrice = "price";
    return std::ranges::equal(column, kPrice, {}, [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  });
}

void note_absent_columns(const catalog::ArticlesSummary& read, IngestSummary& summary) {
  std::string names;
  for (const std::string& column : read.absent_columns) {
    if (column == "price") continue;
    if (!names.empty()) names += ", ";
    names += column;
  }
  if (!names.empty()) summary.notes.push_back("the articles file has no column " + names);
  if (std::ranges::find(read.absent_columns, "product_code") != read.absent_columns.end()) {
    summary.notes.push_back("without product_code every article is a product of its own");
  }
}

void note_unused(const IngestOptions& options, bool own_prices, std::uint64_t unknown_articles, IngestSummary& summary) {
  if (own_prices && !options.transactions.empty()) {
    summary.notes.push_back("the articles file has a price column: prices come from it, purchase counts from the transactions");
  }
  if (unknown_articles > 0) {
    summary.notes.push_back(fmt::format("{} articles of the transactions are not in the catalogue", unknown_articles));
  }
}

std::unexpected<core::Error> no_usable_article(const IngestOptions& options, const RejectsFile& rejects,
                                               const catalog::ArticlesSummary& read) {
  std::string causes;
  for (const auto& [cause, rows] : rejects.by_cause()) causes += fmt::format("; {} × {}", rows, cause);
  return core::fail(core::ErrorCode::kInvalidArgument,
                    fmt::format("{} has no usable article: {} rows read, {} rejected{}", options.articles.string(),
                                read.rows_read, read.rejected, causes),
                    "articles");
}

}  // namespace

core::Status check_stop(const IngestContext& context) {
  const int signal_number = context.stop_signal();
  if (signal_number == 0) return {};
  return core::fail(core::ErrorCode::kCancelled,
                    fmt::format("stopped by {}; run the same command again to go on",
                                signal_number == SIGINT ? "SIGINT" : signal_number == SIGTERM ? "SIGTERM" : "a signal"));
}

core::Result<adapters::embedded::FileRecord> describe_source(const std::filesystem::path& path, std::string_view role) {
  adapters::embedded::FileRecord record;
  record.name = path.string();
  record.role = role;
  std::error_code error;
  if (!std::filesystem::is_directory(path, error)) {
    record.size_bytes = static_cast<std::uint64_t>(std::filesystem::file_size(path, error));
    if (error) return std::unexpected(core::system_error("read", path, error.value()));
    CORE_TRY(record.sha256, core::sha256_file_hex(path));
    return record;
  }
  std::vector<std::filesystem::path> shards;
  std::filesystem::directory_iterator entries(path, error);
  for (; !error && entries != std::filesystem::directory_iterator(); entries.increment(error)) {
    if (entries->path().extension() == ".parquet") shards.push_back(entries->path());
  }
  if (error) return std::unexpected(core::system_error("list", path, error.value()));
  std::ranges::sort(shards);
  core::Sha256 all;
  for (const auto& shard : shards) {
    CORE_TRY(const auto inner, describe_source(shard, role));
    record.size_bytes += inner.size_bytes;
    all.update(fmt::format("{} {}\n", shard.filename().string(), inner.sha256));
  }
  record.sha256 = core::to_hex(all.finish());
  return record;
}

core::Result<StagedCatalog> stage_catalog(const IngestOptions& options, const IngestContext& context,
                                          RejectsFile& rejects, IngestSummary& summary) {
  CORE_TRY(const bool own_prices, has_own_prices(options));
  CORE_TRY(const AllPurchases purchases, read_purchases(options, context, rejects, summary));
  CORE_TRY(const ImageFinder images, open_images(options));
  ArticleSink sink(options, context, rejects, {.own_prices = own_prices, .purchases = purchases, .images = images});
  const auto take = [&](const catalog::ArticleChunk& chunk) { return sink.take(chunk); };
  CORE_TRY(const auto read, of_input(catalog::read_articles(options.articles, options.reader, take), "articles"));
  summary.rows_read = read.rows_read;
  summary.accepted = read.accepted;
  summary.rejected = read.rejected;
  summary.with_price = sink.with_price;
  summary.with_image = sink.with_image;
  if (read.accepted == 0) return no_usable_article(options, rejects, read);
  note_absent_columns(read, summary);
  note_unused(options, own_prices, purchases.by_article.size() - sink.purchased_articles, summary);
  CORE_TRY(auto built, std::move(sink.builder).build());
  CORE_TRY(auto sources, describe_sources(options));
  return StagedCatalog{.catalog = std::move(built),
                       .price_source = own_prices ? "articles" : options.transactions.empty() ? "none" : "transactions",
                       .image_folder = images.root().string(),
                       .purchases_from = purchases.first_date,
                       .purchases_to = purchases.last_date,
                       .sources = std::move(sources)};
}

}  // namespace scalestyle::ingest
