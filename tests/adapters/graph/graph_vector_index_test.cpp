#include "adapters/graph/graph_vector_index.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "graph_support.hpp"
#include "support/running_pool.hpp"
#include "support/temporary_folder.hpp"

namespace scalestyle::adapters::graph {
namespace {

class GraphVectorIndexTest : public ::testing::Test {
 protected:
  GraphVectorIndex& index(const WalkOptions& walk, embedded::FileCheck check = embedded::FileCheck::kSizes) {
    index_.emplace(GraphVectorIndex::Options{.vectors = {.data_dir = data_.path(), .check = check}, .walk = walk},
                   GraphVectorIndex::Dependencies{.pool = *pool_, .clock = pool_.clock(), .metrics = metrics_});
    return *index_;
  }
  core::Status open(const std::string& id) {
    return core::sync_wait(index_->open(core::GenerationId(id), core::Deadline::never()));
  }
  ports::VectorHits search(const std::string& id, std::vector<float> vector, std::size_t k,
                           std::shared_ptr<const catalog::Bitmap> eligible = nullptr) {
    std::vector<ports::VectorQuery> queries;
    queries.push_back({.vector = std::move(vector), .k = k, .filter = nullptr, .eligible = std::move(eligible)});
    auto found = core::sync_wait(index_->search(core::GenerationId(id), std::move(queries), core::Deadline::never()));
    EXPECT_TRUE(found) << found.error().message;
    return found && found->size() == 1 ? found->front() : ports::VectorHits{};
  }
  double queries_by(const char* way) {
    return metrics_.counter({"scalestyle_graph_queries_total",
                             "Queries of the graph of vectors by the way they went: a walk, the exact scan, a walk that the scan "
                             "answered.",
                             {{"way", way}}}).value();
  }
  [[nodiscard]] std::filesystem::path graph_file(const std::string& id) const {
    return embedded::DataFolder(data_.path()).generation(core::GenerationId(id)) / embedded::kGraphFile;
  }

  support::TemporaryFolder data_;
  support::RunningPool pool_{2};
  telemetry::Metrics metrics_;
  std::optional<GraphVectorIndex> index_;
};

TEST_F(GraphVectorIndexTest, EachQueryGoesTheCheaperWay) {
  const auto vectors = clustered_vectors(20'000, 32, 1);
  write_generation_with_graph(data_.path(), core::GenerationId("g1"), vectors);
  index({.breadth = 150, .rows_a_step = 15});
  ASSERT_TRUE(open("g1"));
  const BothForms forms(vectors);
  std::mt19937 random(2);
  for (const auto& [every, walks] : {std::pair{1U, true}, std::pair{2U, true}, std::pair{20U, false}, std::pair{1000U, false}}) {
    SCOPED_TRACE(every);
    auto eligible = std::make_shared<catalog::Bitmap>(20'000);
    for (std::uint32_t row = 0; row < 20'000; row += every) eligible->set({row});
    std::size_t common = 0;
    std::size_t wanted_hits = 0;
    for (int i = 0; i < 10; ++i) {
      const auto query = query_like(vectors, random);
      const auto found = search("g1", query, 100, eligible);
      EXPECT_EQ(found.exact, !walks);
      const auto wanted = nearest_rows(forms.exact, query, *eligible, 100);
      ASSERT_EQ(found.hits.size(), wanted.size());
      std::set<catalog::ArticleId> ids;
      for (const auto& hit : found.hits) ids.insert(hit.article_id);
      for (const std::uint32_t row : wanted) common += ids.contains(vectors.ids[row]) ? 1U : 0U;
      wanted_hits += wanted.size();
      for (std::size_t at = 1; at < found.hits.size(); ++at) EXPECT_GE(found.hits[at - 1].score, found.hits[at].score);
      if (walks) {
        EXPECT_LT(found.rows_scanned, 20'000U / 2);
      }
    }
    EXPECT_GE(static_cast<double>(common), (walks ? 0.97 : 1.0) * static_cast<double>(wanted_hits));
  }
  EXPECT_EQ(queries_by("walk"), 20);
  EXPECT_EQ(queries_by("scan"), 20);
  EXPECT_EQ(queries_by("fallback"), 0);
}

TEST_F(GraphVectorIndexTest, AWalkThatIsGivenUpIsAnsweredByTheScan) {
  // What is eligible lies far from the query: all of one half, seen from the other.
  auto vectors = clustered_vectors(20'000, 32, 3);
  for (std::size_t row = 10'000; row < 20'000; ++row) {
    for (std::size_t i = 0; i < 32; ++i) vectors.values[row * 32 + i] = -vectors.values[row * 32 + i];
  }
  write_generation_with_graph(data_.path(), core::GenerationId("g1"), vectors);
  index({.breadth = 125, .rows_a_step = 20});
  ASSERT_TRUE(open("g1"));
  auto far = std::make_shared<catalog::Bitmap>(20'000);
  for (std::uint32_t row = 10'000; row < 20'000; ++row) far->set({row});
  const BothForms forms(vectors);
  const auto row = vectors.row(17);
  const std::vector<float> query(row.begin(), row.end());
  const auto found = search("g1", query, 100, far);
  EXPECT_TRUE(found.exact);
  const auto wanted = nearest_rows(forms.exact, query, *far, 100);
  ASSERT_EQ(found.hits.size(), 100U);
  for (std::size_t i = 0; i < 100; ++i) EXPECT_EQ(found.hits[i].article_id, vectors.ids[wanted[i]]);
  EXPECT_EQ(queries_by("fallback"), 1);
  EXPECT_EQ(queries_by("walk"), 0);
}

TEST_F(GraphVectorIndexTest, ABatchMixesWaysAndKeepsItsOrder) {
  const auto vectors = clustered_vectors(20'000, 32, 4);
  write_generation_with_graph(data_.path(), core::GenerationId("g1"), vectors);
  index({.breadth = 150, .rows_a_step = 20});
  ASSERT_TRUE(open("g1"));
  auto few = std::make_shared<catalog::Bitmap>(20'000);
  for (std::uint32_t row = 5; row < 20'000; row += 100) few->set({row});
  std::mt19937 random(5);
  std::vector<ports::VectorQuery> queries;
  for (int i = 0; i < 9; ++i) {
    const auto eligible = i % 3 == 1 ? few : nullptr;
    queries.push_back({.vector = query_like(vectors, random), .k = 20, .filter = nullptr, .eligible = eligible});
  }
  const auto batch = core::sync_wait(index_->search(core::GenerationId("g1"), queries, core::Deadline::never()));
  ASSERT_TRUE(batch) << batch.error().message;
  for (std::size_t i = 0; i < queries.size(); ++i) {
    const auto alone = search("g1", queries[i].vector, 20, queries[i].eligible);
    EXPECT_EQ((*batch)[i].exact, i % 3 == 1);
    ASSERT_EQ((*batch)[i].hits.size(), alone.hits.size());
    for (std::size_t at = 0; at < alone.hits.size(); ++at) {
      EXPECT_EQ((*batch)[i].hits[at].article_id, alone.hits[at].article_id);
      EXPECT_EQ((*batch)[i].hits[at].score, alone.hits[at].score);
    }
  }
}

TEST_F(GraphVectorIndexTest, OneRow) {
  write_generation_with_graph(data_.path(), core::GenerationId("g1"), clustered_vectors(1, 8, 6));
  index({.rows_a_step = 0});
  ASSERT_TRUE(open("g1"));
  EXPECT_EQ(search("g1", std::vector<float>(8, 0.35355339F), 10).hits.size(), 1U);
  EXPECT_TRUE(search("g1", std::vector<float>(8, 0.35355339F), 10, std::make_shared<catalog::Bitmap>(1)).hits.empty());
}

TEST_F(GraphVectorIndexTest, AGenerationWithoutAGraphIsRefusedWithWhatToRun) {
  embedded::write_generation_of(data_.path(), core::GenerationId("g1"), clustered_vectors(50, 8, 7));
  index({});
  const auto refused = open("g1");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, core::ErrorCode::kFailedPrecondition);
  EXPECT_NE(refused.error().message.find("--graph"), std::string::npos) << refused.error().message;
}

TEST_F(GraphVectorIndexTest, ADamagedFileIsNamed) {
  write_generation_with_graph(data_.path(), core::GenerationId("g1"), clustered_vectors(500, 8, 8));
  const auto file = graph_file("g1");
  const auto bytes = embedded::read_bytes(file);
  const auto expect_refused = [&](const std::string& changed) {
    embedded::write_bytes(file, changed);
    index({});
    const auto refused = open("g1");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, core::ErrorCode::kDataLoss);
    EXPECT_NE(refused.error().message.find(file.string()), std::string::npos) << refused.error().message;
  };
  expect_refused(bytes.substr(0, bytes.size() / 2));
  expect_refused("");
  std::string changed = bytes;
  changed[bytes.size() / 2] = static_cast<char>(changed[bytes.size() / 2] ^ 1);
  expect_refused(changed);
  std::filesystem::remove(file);
  index({});
  const auto missing = open("g1");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, core::ErrorCode::kDataLoss);
  embedded::write_bytes(file, bytes);
  index({}, embedded::FileCheck::kHashes);
  EXPECT_TRUE(open("g1"));
}

}  // namespace
}  // namespace scalestyle::adapters::graph
