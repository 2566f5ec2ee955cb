#include "adapters/graph/vector_graph.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "adapters/graph/graph_builder.hpp"
#include "graph_support.hpp"
#include "support/fake_clock.hpp"
#include "support/temporary_folder.hpp"

namespace scalestyle::adapters::graph {
namespace {

constexpr std::size_t kEverywhere = 1'000'000'000;

class VectorGraphTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::filesystem::path file() const { return folder_.path() / "vectors.graph"; }

  VectorGraph make(const retrieval::QuantizedVectors& vectors, const GraphOptions& options = {}) {
    const auto built = build_graph(vectors, options, file(), go_on);
    EXPECT_TRUE(built) << built.error().message;
    auto graph = VectorGraph::open(file(), vectors);
    EXPECT_TRUE(graph) << graph.error().message;
    return std::move(*graph);
  }

  [[nodiscard]] WalkFound walk(const VectorGraph& graph, const Walk& wanted) const {
    auto found = graph.walk(wanted, core::Deadline::never(), clock_);
    EXPECT_TRUE(found) << found.error().message;
    return found ? *found : WalkFound{};
  }

  support::TemporaryFolder folder_;
  core::SystemClock clock_;
};

TEST_F(VectorGraphTest, FindsNearlyAllUnderFiltersOfEveryShare) {
  const auto vectors = clustered_vectors(20'000, 64, 1);
  const BothForms forms(vectors);
  const auto graph = make(forms.quantized);
  EXPECT_EQ(graph.shape().nodes, 20'000U);
  std::mt19937 random(2);
  for (const double share : {1.0, 0.5, 0.05, 0.001}) {
    SCOPED_TRACE(share);
    catalog::Bitmap eligible(20'000);
    std::bernoulli_distribution chosen(share);
    for (std::uint32_t row = 0; row < 20'000; ++row) {
      if (chosen(random)) eligible.set({row});
    }
    const std::size_t k = std::min<std::size_t>(100, eligible.count());
    std::size_t common = 0;
    constexpr std::size_t kQueries = 20;
    for (std::size_t i = 0; i < kQueries; ++i) {
      const auto query = query_like(vectors, random);
      const auto wanted = nearest_rows(forms.exact, query, eligible, k);
      const auto found = walk(graph, {.query = query, .eligible = eligible.words(), .wanted = k, .breadth = 256,
                                     .most_steps = kEverywhere});
      EXPECT_FALSE(found.given_up);
      const std::set<std::uint32_t> rows(found.rows.begin(), found.rows.end());
      EXPECT_EQ(rows.size(), found.rows.size());
      for (const std::uint32_t row : rows) EXPECT_TRUE(eligible.test({row}));
      for (const std::uint32_t row : wanted) common += rows.contains(row) ? 1U : 0U;
    }
    EXPECT_GE(static_cast<double>(common), 0.97 * static_cast<double>(kQueries * k));
  }
}

TEST_F(VectorGraphTest, IsTheSameFileEveryTime) {
  const auto vectors = clustered_vectors(2'000, 32, 3);
  const BothForms forms(vectors);
  make(forms.quantized);
  const auto once = embedded::read_bytes(file());
  make(forms.quantized);
  EXPECT_EQ(embedded::read_bytes(file()), once);
  make(forms.quantized, {.neighbours = 8, .construction = 64});
  EXPECT_NE(embedded::read_bytes(file()), once);
}

TEST_F(VectorGraphTest, EqualVectorsAreOneNodeAndAllFound) {
  auto vectors = clustered_vectors(1'000, 32, 4);
  // Rows 300 … 899 are one vector: more than a node has neighbours.
  for (std::size_t row = 301; row < 900; ++row) {
    std::ranges::copy(vectors.row(300), vectors.values.begin() + static_cast<std::ptrdiff_t>(row * 32));
  }
  const BothForms forms(vectors);
  const auto graph = make(forms.quantized);
  EXPECT_EQ(graph.shape().nodes, 401U);
  catalog::Bitmap odd(1'000);
  for (std::uint32_t row = 1; row < 1'000; row += 2) odd.set({row});
  std::mt19937 random(5);
  for (const std::size_t start : {std::size_t{10}, std::size_t{300}, std::size_t{950}}) {
    const auto found = walk(graph, {.query = vectors.row(start), .eligible = odd.words(), .wanted = 400, .breadth = 500,
                                   .most_steps = kEverywhere});
    // Every eligible row: 300 of the one vector and 200 others.
    EXPECT_EQ(found.rows.size(), 500U);
    for (const std::uint32_t row : found.rows) EXPECT_EQ(row % 2, 1U);
  }
  const auto few = walk(graph, {.query = vectors.row(300), .eligible = {}, .wanted = 7, .breadth = 1, .most_steps = kEverywhere});
  EXPECT_EQ(few.rows, (std::vector<std::uint32_t>{300, 301, 302, 303, 304, 305, 306}));
}

TEST_F(VectorGraphTest, NoRowsAndOneRow) {
  retrieval::QuantizedVectors none;
  none.dimension = 8;
  none.stride = 64;
  const auto empty = make(none);
  EXPECT_EQ(empty.shape().nodes, 0U);
  const std::vector<float> query(8, 0.35355339F);
  EXPECT_TRUE(walk(empty, {.query = query, .wanted = 5, .breadth = 10, .most_steps = 10}).rows.empty());

  const auto one = clustered_vectors(1, 8, 6);
  const BothForms forms(one);
  const auto graph = make(forms.quantized);
  EXPECT_EQ(walk(graph, {.query = query, .wanted = 5, .breadth = 10, .most_steps = 10}).rows, (std::vector<std::uint32_t>{0}));
  const catalog::Bitmap nothing(1);
  const Walk in_vain{.query = query, .eligible = nothing.words(), .wanted = 5, .breadth = 10, .most_steps = 10};
  EXPECT_TRUE(walk(graph, in_vain).rows.empty());
}

TEST_F(VectorGraphTest, AWalkIsGivenUpAfterItsSteps) {
  const auto vectors = clustered_vectors(2'000, 32, 7);
  const BothForms forms(vectors);
  const auto graph = make(forms.quantized);
  const auto whole = walk(graph, {.query = vectors.row(3), .wanted = 50, .breadth = 64, .most_steps = kEverywhere});
  EXPECT_FALSE(whole.given_up);
  const auto cut = walk(graph, {.query = vectors.row(3), .wanted = 50, .breadth = 64, .most_steps = whole.steps - 1});
  EXPECT_TRUE(cut.given_up);
  EXPECT_EQ(cut.steps, whole.steps - 1);
  const auto enough = walk(graph, {.query = vectors.row(3), .wanted = 50, .breadth = 64, .most_steps = whole.steps});
  EXPECT_FALSE(enough.given_up);
  EXPECT_EQ(enough.rows, whole.rows);
}

TEST_F(VectorGraphTest, EndsAtTheDeadline) {
  const auto vectors = clustered_vectors(2'000, 32, 8);
  const BothForms forms(vectors);
  const auto graph = make(forms.quantized);
  const auto late = graph.walk({.query = vectors.row(3), .wanted = 100, .breadth = 1'000, .most_steps = kEverywhere},
                               core::Deadline::at(clock_.steady_now() - std::chrono::seconds(1)), clock_);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, core::ErrorCode::kDeadlineExceeded);
}

TEST_F(VectorGraphTest, BuildingEndsWhenItIsToldTo) {
  const BothForms forms(clustered_vectors(500, 16, 9));
  std::size_t reported = 0;
  const auto ended = build_graph(forms.quantized, {}, file(), [&](std::size_t done, std::size_t nodes) -> core::Status {
    EXPECT_EQ(nodes, 500U);
    reported = done;
    if (done >= 128) return core::fail(core::ErrorCode::kCancelled, "enough");
    return {};
  });
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, core::ErrorCode::kCancelled);
  EXPECT_EQ(reported, 128U);
  EXPECT_FALSE(std::filesystem::exists(file()));
  EXPECT_EQ(build_graph(forms.quantized, {.neighbours = 3}, file(), go_on).error().field, "graph_m");
  EXPECT_EQ(build_graph(forms.quantized, {.construction = 7}, file(), go_on).error().field, "graph_ef_construction");
}

}  // namespace
}  // namespace scalestyle::adapters::graph
