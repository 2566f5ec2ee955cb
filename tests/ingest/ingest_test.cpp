// A whole ingest: what it writes, counts, refuses and keeps.

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <csignal>

#include "adapters/embedded/local_catalog_store.hpp"
#include "core/hash.hpp"
#include "core/task.hpp"
#include "ingest/ingest_fixture.hpp"

namespace scalestyle::ingest {
namespace {

using adapters::embedded::FileCheck;
using ::testing::HasSubstr;

class IngestTest : public IngestFixture {
 protected:
  std::shared_ptr<const ports::CatalogSnapshot> load_current() {
    support::RunningPool pool(1);
    adapters::embedded::LocalCatalogStore store({.data_dir = options_.data_dir}, *pool);
    auto id = core::sync_wait(store.current(core::Deadline::never()));
    EXPECT_TRUE(id) << id.error().message;
    auto snapshot = core::sync_wait(store.load(*id, core::Deadline::never()));
    EXPECT_TRUE(snapshot) << snapshot.error().message;
    return *snapshot;
  }

  std::vector<std::vector<float>> current_vectors() {
    const auto manifest = adapters::embedded::read_manifest(current_folder());
    EXPECT_TRUE(manifest) << manifest.error().message;
    const auto mapped = adapters::embedded::map_vectors(current_folder(), *manifest, FileCheck::kHashes);
    EXPECT_TRUE(mapped) << mapped.error().message;
    std::vector<std::vector<float>> rows;
    for (std::size_t i = 0; i < mapped->exact.rows; ++i) {
      const auto row = mapped->exact.row(i);
      rows.emplace_back(row.begin(), row.end());
    }
    return rows;
  }
};

TEST_F(IngestTest, WritesAGenerationThatTheCatalogStoreOpens) {
  write_text(options_.articles, articles_csv(23));
  const auto summary = run();
  ASSERT_TRUE(summary) << summary.error().message;
  EXPECT_EQ(summary->rows_read, 23U);
  EXPECT_EQ(summary->accepted, 23U);
  EXPECT_EQ(summary->rejected, 0U);
  EXPECT_EQ(summary->distinct_texts, 19U);
  EXPECT_EQ(summary->embedded_texts, 19U);
  EXPECT_EQ(texts_encoded_, 19);
  EXPECT_TRUE(summary->rejects_file.empty());
  EXPECT_EQ(work_folders(), 0U);

  const auto snapshot = load_current();
  EXPECT_EQ(snapshot->info.id, summary->generation);
  EXPECT_EQ(snapshot->info.articles, 23U);
  EXPECT_EQ(snapshot->info.document_encoder.model, "hash-model");
  EXPECT_EQ(snapshot->info.document_encoder.dimension, 16U);
  EXPECT_EQ(snapshot->info.text_format, "product_text_v1");
  const catalog::Catalog& catalog = *snapshot->catalog;
  ASSERT_EQ(catalog.size(), 23U);
  EXPECT_EQ(catalog.row({0}).id(), "0500000000");
  EXPECT_EQ(catalog.row({22}).id(), "0500000022");
  EXPECT_EQ(catalog.row({4}).description(), "A shirt of kind 3");
  EXPECT_EQ(catalog.row({4}).colour(), "Blue");
  EXPECT_FALSE(catalog.row({4}).price().has_value());

  support::RunningPool pool(1);
  const support::HashingTextEncoder encoder(*pool);
  const auto vectors = current_vectors();
  ASSERT_EQ(vectors.size(), 23U);
  for (std::uint32_t row = 0; row < 23; ++row) {
    EXPECT_EQ(vectors[row], encoder.vector_of(catalog::product_text_v1(catalog.row({row}).to_article()))) << row;
  }
}

TEST_F(IngestTest, RejectedRowsAreListedWithRowColumnAndCauseAndDoNotStopTheRest) {
  std::string csv = articles_csv(3);
  csv += "500000001,1,Again,Shirt,Blue,twice\n";        // data row 4
  csv += ",1,Nameless,Shirt,Blue,no id\n";               // 5
  csv += "500000009,1,\"Broken, quoting,Shirt\n";        // 6, to the end of the file
  write_text(options_.articles, csv);
  const auto summary = run();
  ASSERT_TRUE(summary) << summary.error().message;
  EXPECT_EQ(summary->rows_read, 6U);
  EXPECT_EQ(summary->accepted, 3U);
  EXPECT_EQ(summary->rejected, 3U);
  ASSERT_EQ(summary->rejects_file, options_.data_dir / ("rejects-" + summary->generation.value() + ".csv"));
  const std::string rejects = read_text(summary->rejects_file);
  EXPECT_THAT(rejects, ::testing::StartsWith("file,row,line,column,cause,value\n"));
  EXPECT_THAT(rejects, HasSubstr("articles,4,5,article_id,the id occurred before; the first row stays,500000001\n"));
  EXPECT_THAT(rejects, HasSubstr("articles,5,6,article_id,"));
  EXPECT_THAT(rejects, HasSubstr("articles,6,7,"));
  std::uint64_t counted = 0;
  for (const auto& [cause, rows] : summary->rejected_by_cause) counted += rows;
  EXPECT_EQ(counted, 3U);
  EXPECT_THAT(summary->to_text(), HasSubstr("6 read, 3 accepted, 3 rejected"));
  EXPECT_THAT(summary->to_json(), HasSubstr("\"rejected\":3"));
}

TEST_F(IngestTest, AnUnusableFileIsOneErrorAndChangesNothing) {
  write_text(options_.articles, articles_csv(5));
  ASSERT_TRUE(run());
  const auto before = *data().read_current();
  const auto good = options_.articles;

  options_.articles = folder_ / "missing.csv";
  auto missing = run();
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, core::ErrorCode::kNotFound);
  EXPECT_THAT(missing.error().message, HasSubstr("missing.csv"));

  options_.articles = folder_ / "columns.csv";
  write_text(options_.articles, "article_id,colour\n1,red\n");
  auto columns = run();
  ASSERT_FALSE(columns);
  EXPECT_EQ(columns.error().code, core::ErrorCode::kInvalidArgument);
  EXPECT_THAT(columns.error().message, HasSubstr("prod_name"));

  options_.articles = folder_ / "nothing.csv";
  write_text(options_.articles, std::string(kArticlesHeader) + ",,x,x,x,x\n");
  auto nothing = run();
  ASSERT_FALSE(nothing);
  EXPECT_EQ(nothing.error().code, core::ErrorCode::kInvalidArgument);
  EXPECT_THAT(nothing.error().message, HasSubstr("no usable article: 1 rows read, 1 rejected"));

  EXPECT_EQ(*data().read_current(), before);
  EXPECT_EQ(work_folders(), 0U);
  for (const auto& entry : std::filesystem::directory_iterator(options_.data_dir)) {
    EXPECT_FALSE(entry.path().filename().string().starts_with(".rejects")) << entry.path();
    EXPECT_FALSE(entry.path().filename().string().starts_with("rejects")) << entry.path();
  }
}

TEST_F(IngestTest, BadOptionsNameTheirField) {
  write_text(options_.articles, articles_csv(2));
  for (const double scale : {0.0, -1.0, std::nan(""), HUGE_VAL}) {
    options_.price_scale = scale;
    const auto result = run();
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().field, "price_scale");
  }
  options_.price_scale = 1;
  for (const char* currency : {"EURO", "eur", "E1R"}) {
    options_.currency = currency;
    const auto result = run();
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().field, "currency");
  }
}

TEST_F(IngestTest, TransactionsGiveMeanPriceAndPurchaseCounts) {
  write_text(options_.articles, articles_csv(3));
  options_.transactions = folder_ / "transactions.csv";
  write_text(options_.transactions,
             "t_dat,customer_id,article_id,price,sales_channel_id\n"
             "2020-09-01,a,500000001,0.01,1\n2020-09-02,b,0500000001,0.03,2\n"
             "2020-09-02,b,500000002,,2\n2020-09-02,b,999999999,0.5,2\n");
  options_.price_scale = 1000;
  options_.currency = "EUR";
  const auto summary = run();
  ASSERT_TRUE(summary) << summary.error().message;
  EXPECT_EQ(summary->purchases, 4U);
  EXPECT_EQ(summary->with_price, 1U);
  const auto snapshot = load_current();
  EXPECT_EQ(snapshot->info.currency, "EUR");
  EXPECT_EQ(snapshot->info.price_scale, 1000);
  EXPECT_FALSE(snapshot->catalog->row({0}).price().has_value());
  EXPECT_EQ(snapshot->catalog->row({0}).purchase_count(), 0U);
  ASSERT_TRUE(snapshot->catalog->row({1}).price().has_value());
  EXPECT_DOUBLE_EQ(*snapshot->catalog->row({1}).price(), 20.0);
  EXPECT_EQ(snapshot->catalog->row({1}).purchase_count(), 2U);
  EXPECT_FALSE(snapshot->catalog->row({2}).price().has_value());
  EXPECT_EQ(snapshot->catalog->row({2}).purchase_count(), 1U);
  EXPECT_THAT(summary->notes, ::testing::Contains(HasSubstr("1 articles of the transactions are not in the catalogue")));
  EXPECT_EQ(snapshot->info.purchases_from, "2020-09-01");
  EXPECT_EQ(snapshot->info.purchases_to, "2020-09-02");
}

TEST_F(IngestTest, AnOwnPriceColumnWinsOverTransactions) {
  write_text(options_.articles, "article_id,prod_name,price\n500000001,Shirt,12.5\n500000002,Sock,\n");
  options_.transactions = folder_ / "transactions.csv";
  write_text(options_.transactions, "article_id,price\n500000001,0.01\n500000002,0.03\n");
  const auto summary = run();
  ASSERT_TRUE(summary) << summary.error().message;
  const auto snapshot = load_current();
  EXPECT_EQ(*snapshot->catalog->row({0}).price(), 12.5);
  EXPECT_FALSE(snapshot->catalog->row({1}).price().has_value());
  EXPECT_EQ(snapshot->catalog->row({1}).purchase_count(), 1U);
  EXPECT_THAT(summary->notes, ::testing::Contains(HasSubstr("prices come from it")));
  EXPECT_THAT(summary->notes, ::testing::Contains(HasSubstr("the transactions have no dates")));
  EXPECT_EQ(snapshot->info.purchases_from, "");
  EXPECT_EQ(snapshot->info.purchases_to, "");
}

TEST_F(IngestTest, PicturesAreFoundById) {
  write_text(options_.articles, articles_csv(5) + "../x,1,Odd id,Shirt,Blue,text\n");
  options_.images = folder_ / "images";
  std::filesystem::create_directories(options_.images / "050");
  std::filesystem::create_directories(options_.images / "051");
  write_text(options_.images / "050" / "0500000000.jpg", "x");
  write_text(options_.images / "0500000000.jpg", "x");       // the folder goes first
  write_text(options_.images / "0500000001.PNG", "x");
  write_text(options_.images / "500000002.webp", "x");       // canonical id
  write_text(options_.images / "051" / "0500000003.jpg", "x");  // wrong folder
  write_text(options_.images / "0500000004.gif", "x");       // unknown kind
  write_text(folder_ / "x.jpg", "x");                        // outside
  const auto summary = run();
  ASSERT_TRUE(summary) << summary.error().message;
  EXPECT_EQ(summary->with_image, 3U);
  const auto snapshot = load_current();
  EXPECT_EQ(snapshot->info.image_folder, std::filesystem::canonical(options_.images).string());
  const auto path_of = [&](std::string_view id) { return snapshot->catalog->row(*snapshot->catalog->find(id)).image_path(); };
  EXPECT_EQ(path_of("0500000000"), "050/0500000000.jpg");
  EXPECT_EQ(path_of("0500000001"), "0500000001.PNG");
  EXPECT_EQ(path_of("0500000002"), "500000002.webp");
  EXPECT_EQ(path_of("0500000003"), "");
  EXPECT_EQ(path_of("0500000004"), "");
  EXPECT_EQ(path_of("../x"), "");
}

TEST_F(IngestTest, KeepsTheCurrentAndThePreviousGeneration) {
  std::vector<core::GenerationId> made;
  for (int i = 0; i < 4; ++i) {
    write_text(options_.articles, articles_csv(4, fmt::format(" {}", i)) + ",x,x,x,x,x\n");
    const auto summary = run();
    ASSERT_TRUE(summary) << summary.error().message;
    made.push_back(summary->generation);
    EXPECT_EQ(*data().read_current(), made.back());
  }
  auto kept = *data().list_generations();
  auto expected = std::vector{made[2], made[3]};
  std::ranges::sort(expected);
  EXPECT_EQ(kept, expected);
  EXPECT_FALSE(std::filesystem::exists(options_.data_dir / ("rejects-" + made[0].value() + ".csv")));
  EXPECT_TRUE(std::filesystem::exists(options_.data_dir / ("rejects-" + made[2].value() + ".csv")));
}

TEST_F(IngestTest, ASecondIngestIsRefusedWhileOneRuns) {
  write_text(options_.articles, articles_csv(5));
  bool tried = false;
  before_step_ = [&](std::string_view step) {
    if (step != "assemble") return;
    tried = true;
    support::RunningPool pool(1);
    support::HashingTextEncoder encoder(*pool);
    SilentProgress progress;
    const auto second = run_ingest(options_, {.encoder = encoder, .clock = pool.clock(), .progress = progress});
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, core::ErrorCode::kFailedPrecondition);
    EXPECT_THAT(second.error().message, HasSubstr("another ingest is writing"));
  };
  ASSERT_TRUE(run());
  EXPECT_TRUE(tried);
}

TEST_F(IngestTest, TooLittleDiskIsToldBeforeAnythingIsEmbedded) {
  write_text(options_.articles, articles_csv(5));
  free_bytes_ = [](const std::filesystem::path&) -> core::Result<std::uint64_t> { return std::uint64_t{3} << 20; };
  const auto result = run();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, core::ErrorCode::kResourceExhausted);
  EXPECT_THAT(result.error().message, HasSubstr("has 3 MiB free"));
  EXPECT_EQ(texts_encoded_, 0);
}

TEST_F(IngestTest, AFolderThatCannotBeWrittenIsNamed) {
  write_text(options_.articles, articles_csv(5));
  write_text(folder_ / "file", "x");
  options_.data_dir = folder_ / "file" / "data";
  const auto result = run();
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr(options_.data_dir.string()));
  EXPECT_EQ(texts_encoded_, 0);
}

TEST_F(IngestTest, AnEncoderThatFailsLeavesTheOldGenerationAndTheWorkDone) {
  write_text(options_.articles, articles_csv(40));
  ASSERT_TRUE(run());
  const auto before = *data().read_current();
  write_text(options_.articles, articles_csv(40, " new"));
  fail_after_texts_ = 16;
  const auto failed = run();
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, core::ErrorCode::kUnavailable);
  EXPECT_EQ(*data().read_current(), before);
  fail_after_texts_ = -1;
  const auto summary = run();
  ASSERT_TRUE(summary) << summary.error().message;
  EXPECT_GT(summary->resumed_texts, 0U);
  EXPECT_EQ(summary->resumed_texts + summary->embedded_texts, summary->distinct_texts);
}

TEST_F(IngestTest, ASignalStopsItAtACheckpointAndTheNextRunGoesOn) {
  write_text(options_.articles, articles_csv(60));
  int appended = 0;
  before_step_ = [&](std::string_view step) { appended += step == "append vectors" ? 1 : 0; };
  stop_signal_ = [&] { return appended >= 3 ? SIGINT : 0; };
  const auto stopped = run();
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, core::ErrorCode::kCancelled);
  EXPECT_THAT(stopped.error().message, HasSubstr("stopped by SIGINT; run the same command again to go on"));
  EXPECT_FALSE(data().read_current());
  stop_signal_ = [] { return 0; };
  const auto summary = run();
  ASSERT_TRUE(summary) << summary.error().message;
  EXPECT_GE(summary->resumed_texts, 12U);
  EXPECT_EQ(texts_encoded_, static_cast<std::int64_t>(summary->embedded_texts));
}

}  // namespace
}  // namespace scalestyle::ingest
