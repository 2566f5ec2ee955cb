// All 105,542 articles through everything but the model: counts, prices, and how long a server takes to open them.

#include <gmock/gmock.h>

#include <cstdio>

#include "adapters/embedded/local_catalog_store.hpp"
#include "adapters/embedded/local_vector_index.hpp"
#include "core/task.hpp"
#include "ingest/ingest_fixture.hpp"
#include "support/shared_data.hpp"

namespace scalestyle::ingest {
namespace {

TEST(FullCatalogueTest, EveryRowIsAccountedForAndOpensInTime) {
  const auto hm = support::shared_dir() / "data" / "hm";
  SCALESTYLE_NEED(hm / "articles.parquet");
  const support::TemporaryFolder folder;
  support::RunningPool pool(2);
  support::HashingTextEncoder encoder(*pool, 384, "int8");
  IngestOptions options;
  options.data_dir = folder / "data";
  options.articles = hm / "articles.parquet";
  options.transactions = hm / "transactions.parquet";
  options.images = hm / "images";
  options.price_scale = 590;
  options.currency = "SEK";
  SilentProgress silent;
  const auto summary = run_ingest(options, {.encoder = encoder, .clock = pool.clock(), .progress = silent});
  ASSERT_TRUE(summary) << summary.error().message;
  std::fputs(summary->to_text().c_str(), stdout);
  EXPECT_EQ(summary->rows_read, 105542U);
  EXPECT_EQ(summary->accepted, 105542U);
  EXPECT_EQ(summary->rejected, 0U);
  EXPECT_EQ(summary->distinct_texts, 99900U);
  EXPECT_EQ(encoder.texts_encoded, 99900);
  EXPECT_EQ(summary->purchases, 175315U);
  EXPECT_EQ(summary->with_price, 16309U);
  EXPECT_EQ(summary->with_image, 100U);

  const auto started = pool.clock().steady_now();
  adapters::embedded::LocalCatalogStore store({.data_dir = options.data_dir}, *pool);
  const auto snapshot = core::sync_wait(store.load(summary->generation, core::Deadline::never()));
  ASSERT_TRUE(snapshot) << snapshot.error().message;
  const auto loaded = pool.clock().steady_now();
  adapters::embedded::LocalVectorIndex index({.data_dir = options.data_dir}, *pool, pool.clock());
  ASSERT_TRUE(core::sync_wait(index.open(summary->generation, core::Deadline::never())));
  const auto opened = pool.clock().steady_now();
  const double load_seconds = std::chrono::duration<double>(loaded - started).count();
  const double open_seconds = std::chrono::duration<double>(opened - loaded).count();
  std::printf("  open       catalogue %.2f s, vectors %.2f s, catalogue in memory %zu MB\n", load_seconds, open_seconds,
              (*snapshot)->catalog->memory_bytes() / 1000000);
  EXPECT_EQ((*snapshot)->catalog->size(), 105542U);
  EXPECT_LE(load_seconds + open_seconds, 10.0);  // alone it takes about one second; the budget is three
}

}  // namespace
}  // namespace scalestyle::ingest
