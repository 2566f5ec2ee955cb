// How much of the exact answer the approximate indexes find, and what a search takes.

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "milvus_servers.hpp"

namespace scalestyle::adapters::milvus {
namespace {

constexpr std::size_t kRows = 6'000;
constexpr std::size_t kDimension = 96;
constexpr std::size_t kQueries = 40;

// Vectors in clusters, as those of a catalogue are; a tenth of the rows is red.
class MilvusRecallTest : public MilvusTest {
 protected:
  void SetUp() override {
    MilvusTest::SetUp();
    if (IsSkipped()) return;
    std::mt19937 random(11);
    std::vector<std::vector<float>> centres;
    for (int i = 0; i < 60; ++i) centres.push_back(support::random_unit_vector(random, kDimension));
    const auto near_a_centre = [&] {
      std::vector<float> vector = centres[random() % centres.size()];
      const auto noise = support::random_unit_vector(random, kDimension);
      double sum = 0;
      for (std::size_t i = 0; i < kDimension; ++i) {
        vector[i] += 0.7F * noise[i];
        sum += static_cast<double>(vector[i]) * static_cast<double>(vector[i]);
      }
      for (float& value : vector) value = static_cast<float>(static_cast<double>(value) / std::sqrt(sum));
      return vector;
    };
    vectors_.dimension = kDimension;
    for (std::size_t row = 0; row < kRows; ++row) {
      vectors_.ids.push_back(*catalog::ArticleId::parse(std::to_string(1000 + row)));
      const auto vector = near_a_centre();
      vectors_.values.insert(vectors_.values.end(), vector.begin(), vector.end());
      is_red_.push_back(random() % 10 == 0);
    }
    for (std::size_t i = 0; i < kQueries; ++i) queries_.push_back(near_a_centre());
  }

  std::unique_ptr<MilvusVectorIndex> indexed_by(MilvusCollectionWriter::Options write, MilvusVectorIndex::Options read) {
    write.collection_prefix = read.collection_prefix = new_prefix();
    const auto writer = connection_->writer(write);
    auto rows = rows_of(vectors_);
    for (std::size_t row = 0; row < rows.size(); ++row) rows[row].values[0] = is_red_[row] ? "red" : "blue";
    const auto never = core::Deadline::never();
    EXPECT_TRUE(core::sync_wait(writer->begin(generation_, sample_encoder(kDimension), never)));
    EXPECT_TRUE(core::sync_wait(writer->insert(generation_, std::move(rows), never)));
    const auto completed = core::sync_wait(writer->complete(generation_, kRows, never));
    EXPECT_TRUE(completed) << completed.error().message;
    auto index = connection_->index(read);
    EXPECT_TRUE(core::sync_wait(index->open(generation_, never)));
    return index;
  }

  std::set<std::string> exact(const std::vector<float>& query, std::size_t k, bool only_red) const {
    std::vector<std::pair<double, std::size_t>> all;
    for (std::size_t row = 0; row < kRows; ++row) {
      if (only_red && !is_red_[row]) continue;
      double score = 0;
      for (std::size_t i = 0; i < kDimension; ++i)
        score += static_cast<double>(vectors_.row(row)[i]) * static_cast<double>(query[i]);
      all.emplace_back(-score, row);
    }
    std::ranges::sort(all);
    std::set<std::string> ids;
    for (std::size_t i = 0; i < std::min(k, all.size()); ++i) ids.insert(vectors_.ids[all[i].second].text());
    return ids;
  }

  // Prints recall and times of searches; gives the recall.
  double measure(MilvusVectorIndex& index, const std::string& name, std::size_t k, bool only_red) {
    std::shared_ptr<catalog::Filter> filter;
    if (only_red) {
      filter = std::make_shared<catalog::Filter>();
      (*filter)[catalog::FilterField::kColour] = {"Red"};
    }
    std::vector<double> milliseconds;
    std::size_t wanted = 0;
    std::size_t common = 0;
    for (int round = 0; round < 3; ++round) {
      for (const auto& vector : queries_) {
        const auto began = connection_->clock().steady_now();
        const auto hits = core::sync_wait(index.search(
            generation_, {{.vector = vector, .k = k, .filter = filter, .eligible = nullptr}}, core::Deadline::never()));
        milliseconds.push_back(std::chrono::duration<double, std::milli>(connection_->clock().steady_now() - began).count());
        EXPECT_TRUE(hits) << hits.error().message;
        if (!hits || round > 0) continue;
        const auto nearest = exact(vector, k, only_red);
        wanted += nearest.size();
        for (const auto& hit : (*hits)[0].hits) common += nearest.contains(hit.article_id.text()) ? 1U : 0U;
      }
    }
    std::ranges::sort(milliseconds);
    const double recall = static_cast<double>(common) / static_cast<double>(wanted);
    fmt::print("{} {}, {} rows, k={}{}: recall {:.4f}, p50 {:.1f} ms, p99 {:.1f} ms\n", server_name({GetParam(), 0}), name, kRows,
               k, only_red ? ", a filter of 10 %" : "", recall, milliseconds[milliseconds.size() / 2],
               milliseconds[milliseconds.size() * 99 / 100]);
    return recall;
  }

  const core::GenerationId generation_{"g1"};
  support::IndexedVectors vectors_;
  std::vector<bool> is_red_;
  std::vector<std::vector<float>> queries_;
};

TEST_P(MilvusRecallTest, HnswFindsNearlyAllOfTheExactAnswer) {
  const auto index = indexed_by({}, {});
  EXPECT_GE(measure(*index, "HNSW", 10, false), 0.95);
  EXPECT_GE(measure(*index, "HNSW", 100, false), 0.95);
  EXPECT_GE(measure(*index, "HNSW", 1000, false), 0.95);
  // milvus-lite filters what a search of the graph gave, and so gives fewer than asked for: its figures are printed alone.
  const double filtered = measure(*index, "HNSW", 1000, true);
  const double few = measure(*index, "HNSW", 10, true);
  if (!is_lite()) {
    EXPECT_GE(filtered, 0.95);
    EXPECT_GE(few, 0.95);
  }
}

TEST_P(MilvusRecallTest, IvfFlatFindsWhatItsCellsHold) {
  const auto index = indexed_by({.index = MilvusIndexType::kIvfFlat, .nlist = 64}, {.nprobe = 32});
  EXPECT_GE(measure(*index, "IVF_FLAT", 100, false), 0.95);
}

TEST_P(MilvusRecallTest, FlatFindsAll) {
  const auto index = indexed_by({.index = MilvusIndexType::kFlat}, {});
  EXPECT_GE(measure(*index, "FLAT", 1000, false), 0.999);  // equal scores at the end may be others
  EXPECT_GE(measure(*index, "FLAT", 1000, true), 0.999);
}

INSTANTIATE_TEST_SUITE_P(Servers, MilvusRecallTest, testing::Values(kMilvus, kMilvusLite), server_name);

}  // namespace
}  // namespace scalestyle::adapters::milvus
