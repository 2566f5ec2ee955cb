// The ingest of real articles with the real model: killed half way and resumed, it ends with the same bytes.

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <thread>

#include "adapters/embedded/local_catalog_store.hpp"
#include "adapters/embedded/local_text_encoder.hpp"
#include "adapters/embedded/local_vector_index.hpp"
#include "core/task.hpp"
#include "ingest/ingest_fixture.hpp"
#include "support/shared_data.hpp"

namespace scalestyle::ingest {
namespace {

using adapters::embedded::LocalTextEncoder;

class RealModelTest : public ::testing::Test {
 protected:
  void SetUp() override {
    SCALESTYLE_NEED(model_dir());
    SCALESTYLE_NEED(articles());
  }

  static std::filesystem::path model_dir() { return support::models_dir() / "bge-small-en-v1.5"; }
  static std::filesystem::path articles() { return support::shared_dir() / "data" / "hm" / "articles_small.csv"; }

  static core::Result<std::unique_ptr<LocalTextEncoder>> load(support::RunningPool& pool) {
    LocalTextEncoder::Options options;
    options.model_dir = model_dir();
    options.model_name = "bge-small-en-v1.5";
    options.encoder = {.precision = nn::Precision::kInt8, .pooling = nn::Pooling::kCls};
    return LocalTextEncoder::load(options, *pool, pool.clock());
  }

  static core::Result<IngestSummary> run(const std::filesystem::path& data_dir) {
    support::RunningPool pool(2);
    CORE_TRY(const auto encoder, load(pool));
    IngestOptions options;
    options.data_dir = data_dir;
    options.articles = articles();
    options.checkpoint_interval = std::chrono::milliseconds(500);
    SilentProgress silent;
    return run_ingest(options, {.encoder = *encoder, .clock = pool.clock(), .progress = silent});
  }

  static std::string vectors_of(const std::filesystem::path& data_dir) {
    const adapters::embedded::DataFolder data(data_dir);
    const auto current = data.read_current();
    EXPECT_TRUE(current) << current.error().message;
    return read_text(data.generation(*current) / "vectors.f32") + read_text(data.generation(*current) / "vectors.i8");
  }

  support::TemporaryFolder folder_;
};

TEST_F(RealModelTest, KilledHalfWayAndResumedTheVectorsAreTheSameBytes) {
  const auto whole = run(folder_ / "whole");
  ASSERT_TRUE(whole) << whole.error().message;
  EXPECT_EQ(whole->rows_read, 2000U);
  EXPECT_EQ(whole->accepted + whole->rejected, whole->rows_read);
  std::fputs(whole->to_text().c_str(), stdout);

  const pid_t child = ::fork();
  if (child == 0) ::_exit(run(folder_ / "killed") ? 0 : 1);
  std::this_thread::sleep_for(std::chrono::duration<double>(2.0 + whole->embed_seconds / 2));
  ::kill(child, SIGKILL);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));

  const auto resumed = run(folder_ / "killed");
  ASSERT_TRUE(resumed) << resumed.error().message;
  EXPECT_GT(resumed->resumed_texts, 0U);
  EXPECT_GT(resumed->embedded_texts, 0U);
  EXPECT_EQ(resumed->resumed_texts + resumed->embedded_texts, whole->distinct_texts);
  EXPECT_TRUE(vectors_of(folder_ / "killed") == vectors_of(folder_ / "whole"));
}

TEST_F(RealModelTest, ASearchByMeaningFindsWhatWasIngested) {
  const auto summary = run(folder_ / "data");
  ASSERT_TRUE(summary) << summary.error().message;
  support::RunningPool pool(2);
  auto encoder = load(pool);
  ASSERT_TRUE(encoder) << encoder.error().message;
  adapters::embedded::LocalCatalogStore store({.data_dir = folder_ / "data"}, *pool);
  adapters::embedded::LocalVectorIndex index({.data_dir = folder_ / "data"}, *pool, pool.clock());
  const auto never = core::Deadline::never();
  const auto snapshot = core::sync_wait(store.load(summary->generation, never));
  ASSERT_TRUE(snapshot) << snapshot.error().message;
  ASSERT_TRUE(core::sync_wait(index.open(summary->generation, never)));
  const auto query = core::sync_wait((*encoder)->encode({"warm knitted socks"}, never));
  ASSERT_TRUE(query) << query.error().message;
  const auto found = core::sync_wait(
      index.search(summary->generation, {{.vector = query->values, .k = 10, .filter = nullptr, .eligible = nullptr}}, never));
  ASSERT_TRUE(found) << found.error().message;
  int socks = 0;
  for (const auto& hit : (*found)[0].hits) {
    const auto row = (*snapshot)->catalog->find(hit.article_id);
    ASSERT_TRUE(row);
    socks += (*snapshot)->catalog->row(*row).product_type() == "Socks" ? 1 : 0;
  }
  EXPECT_GE(socks, 7);
}

}  // namespace
}  // namespace scalestyle::ingest
