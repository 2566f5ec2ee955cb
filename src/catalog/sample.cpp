#include "catalog/sample.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/article_rows.hpp"
#include "catalog/date.hpp"
#include "catalog/sample_articles.hpp"
#include "catalog/sample_random.hpp"
#include "core/files.hpp"

namespace scalestyle::catalog {
namespace {

constexpr std::uint32_t kMaxProducts = 100'000;
constexpr std::uint32_t kDays = 180;
constexpr std::uint64_t kPurchasesPerArticle = 20;
constexpr std::chrono::sys_days kFirstDay = std::chrono::year{2025} / 1 / 1;

void append_field(std::string& csv, std::string_view field) {
  if (field.find_first_of(",\"\r\n") == std::string_view::npos) {
    csv += field;
    return;
  }
  csv += '"';
  for (const char c : field) {
    if (c == '"') csv += '"';
    csv += c;
  }
  csv += '"';
}

std::string money(std::uint32_t cents) { return fmt::format("{}.{:02}", cents / 100, cents % 100); }

std::string articles_csv(const std::vector<SampleArticle>& articles) {
  std::string csv;
  for (std::size_t i = 0; i < kArticleColumnCount; ++i) csv.append(i == 0 ? "" : ",").append(article_column_name(i));
  csv += '\n';
  for (const SampleArticle& sample : articles) {
    const Article& article = sample.article;
    for (const std::string& field : {article.id.text(), article.product_code, article.name, article.description, money(sample.price_cents)}) {
      append_field(csv, field);
      csv += ',';
    }
    for (std::size_t i = 0; i < kAttributeCount; ++i) {
      append_field(csv, article.attributes[i]);
      csv += i + 1 < kAttributeCount ? ',' : '\n';
    }
  }
  return csv;
}

std::string transactions_csv(const std::vector<SampleArticle>& articles, std::uint64_t seed, std::uint64_t purchases) {
  std::vector<std::uint64_t> cumulative;
  std::uint64_t total = 0;
  for (const SampleArticle& sample : articles) cumulative.push_back(total += sample.popularity);
  SampleRandom random(seed, 2);
  const auto customers = static_cast<std::uint32_t>(std::max<std::uint64_t>(10, purchases / 6));
  std::string csv = "t_dat,customer_id,article_id,price,sales_channel_id\n";
  for (std::uint64_t i = 0; i < purchases; ++i) {
    const std::chrono::sys_days day = kFirstDay + std::chrono::days(i * kDays / purchases);
    const std::uint64_t ticket = random.next64() % total;
    const auto chosen = std::upper_bound(cumulative.begin(), cumulative.end(), ticket) - cumulative.begin();
    const SampleArticle& sample = articles[static_cast<std::size_t>(chosen)];
    SampleRandom customer(seed, 1'000'000 + random.below(customers));
    const std::uint32_t discount_percent = random.chance(15) ? 10 * random.between(1, 3) : 0;
    csv += fmt::format("{},{:016x}{:016x},{},{},{}\n", format_date(day), customer.next64(), customer.next64(),
                       sample.article.id.text(),
                       money(sample.price_cents * (100 - discount_percent) / 100), random.chance(65) ? 2 : 1);
  }
  return csv;
}

// Pictures can be drawn again, so they are not synced one by one.
core::Status write_file(const std::filesystem::path& path, std::string_view content) {
  errno = 0;
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(content.data(), static_cast<std::streamsize>(content.size()));
  file.close();
  if (!file) return std::unexpected(core::system_error("write", path, errno));
  return {};
}

core::Status write_images(const std::filesystem::path& folder, const std::vector<SampleArticle>& articles) {
  for (const SampleArticle& sample : articles) {
    CORE_TRY(const std::string png, draw_png(sample.picture));
    const std::string& id = sample.article.id.text();
    const std::filesystem::path place = folder / id.substr(0, 3);
    CORE_CHECK(core::make_folders(place));
    CORE_CHECK(write_file(place / (id + ".png"), png));
  }
  return {};
}

}  // namespace

core::Result<SampleSummary> write_sample(const std::filesystem::path& out_dir, const SampleOptions& options) {
  if (options.products == 0 || options.products > kMaxProducts) {
    return core::fail(core::ErrorCode::kInvalidArgument,
                      fmt::format("products must be 1 to {}, not {}", kMaxProducts, options.products), "products");
  }
  CORE_CHECK(core::make_folders(out_dir));
  const std::vector<SampleArticle> articles = make_sample_articles(options);
  SampleSummary summary;
  summary.products = options.products;
  summary.articles = articles.size();
  summary.purchases = kPurchasesPerArticle * articles.size();
  CORE_CHECK(core::write_file_atomically(out_dir / "articles.csv", articles_csv(articles)));
  CORE_CHECK(core::write_file_atomically(out_dir / "transactions.csv",
                                         transactions_csv(articles, options.seed, summary.purchases)));
  if (options.images) {
    CORE_CHECK(write_images(out_dir / "images", articles));
    summary.images = articles.size();
  }
  return summary;
}

}  // namespace scalestyle::catalog
