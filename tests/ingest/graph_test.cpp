// The graphs of a generation's vectors, as the ingest builds them.

#include <gmock/gmock.h>

#include <csignal>
#include <string>

#include "adapters/graph/vector_graph.hpp"
#include "ingest/ingest_fixture.hpp"
#include "ingest/photo_fixture.hpp"

namespace scalestyle::ingest {
namespace {

using ::testing::HasSubstr;
using namespace adapters::embedded;

class GraphIngestTest : public IngestFixture {
 protected:
  GraphIngestTest() {
    options_.graph = {.neighbours = 8, .construction = 50};
    write_text(options_.articles, articles_csv(60));
  }
  [[nodiscard]] GenerationManifest manifest() const {
    auto read = read_manifest(current_folder());
    EXPECT_TRUE(read) << read.error().message;
    return read ? *read : GenerationManifest{};
  }
};

TEST_F(GraphIngestTest, IsPartOfTheGeneration) {
  const auto summary = run();
  ASSERT_TRUE(summary) << summary.error().message;
  EXPECT_GT(summary->graph_seconds, 0);
  EXPECT_THAT(summary->to_text(), HasSubstr("graphs)"));
  const auto made = manifest();
  EXPECT_EQ(made.graph, (GraphFacts{.neighbours = 8, .construction = 50}));
  ASSERT_TRUE(check_file(current_folder(), made, kGraphFile, FileCheck::kHashes));
  EXPECT_FALSE(std::filesystem::exists(current_folder() / kImageGraphFile));
  const auto vectors = map_vectors(current_folder(), made, FileCheck::kHashes);
  ASSERT_TRUE(vectors);
  const auto graph = adapters::graph::VectorGraph::open(current_folder() / kGraphFile, vectors->quantized);
  ASSERT_TRUE(graph) << graph.error().message;
  EXPECT_EQ(graph->shape().rows, 60U);
  EXPECT_EQ(graph->shape().nodes, 48U);  // every fifth has its neighbour's text

  // Not asked for: the next generation has none.
  options_.graph.reset();
  options_.update = true;
  ASSERT_TRUE(run());
  EXPECT_FALSE(manifest().graph);
  EXPECT_FALSE(std::filesystem::exists(current_folder() / kGraphFile));
  EXPECT_EQ(texts_encoded_, 0);
}

TEST_F(GraphIngestTest, AStopWhileItIsBuiltKeepsWhatIsServedAndTheNextRunMakesTheSame) {
  options_.graph.reset();
  ASSERT_TRUE(run());
  const auto served = *data().read_current();
  options_.graph = {.neighbours = 8, .construction = 50};
  write_text(options_.articles, articles_csv(60, " of the next season"));
  int signal = 0;
  before_step_ = [&signal](std::string_view step) {
    if (step == "build a graph") signal = SIGINT;
  };
  stop_signal_ = [&signal] { return signal; };
  const auto stopped = run();
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, core::ErrorCode::kCancelled);
  EXPECT_EQ(*data().read_current(), served);

  before_step_ = [](std::string_view) {};
  stop_signal_ = [] { return 0; };
  const auto resumed = run();
  ASSERT_TRUE(resumed) << resumed.error().message;
  EXPECT_EQ(texts_encoded_, 0);
  const std::string after_a_stop = read_text(current_folder() / kGraphFile);
  std::filesystem::remove_all(options_.data_dir);
  ASSERT_TRUE(run());
  EXPECT_EQ(read_text(current_folder() / kGraphFile), after_a_stop);
}

TEST_F(GraphIngestTest, WrongOptionsAreToldBeforeAnythingIsDone) {
  options_.graph = {.neighbours = 65};
  const auto refused = run();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, core::ErrorCode::kInvalidArgument);
  EXPECT_EQ(refused.error().field, "graph_m");
}

class PhotoGraphTest : public PhotoFixture {};

TEST_F(PhotoGraphTest, PhotosHaveOneOfTheirOwn) {
  options_.graph = adapters::graph::GraphOptions{};
  write_text(options_.articles, articles_csv(23));
  const auto summary = run();
  ASSERT_TRUE(summary) << summary.error().message;
  const auto made = read_manifest(current_folder());
  ASSERT_TRUE(made);
  EXPECT_TRUE(check_file(current_folder(), *made, kImageGraphFile, FileCheck::kHashes));
  const auto photos = map_image_vectors(current_folder(), *made, FileCheck::kHashes);
  ASSERT_TRUE(photos);
  const auto graph = adapters::graph::VectorGraph::open(current_folder() / kImageGraphFile, photos->vectors.quantized);
  ASSERT_TRUE(graph) << graph.error().message;
  EXPECT_GT(graph->shape().rows, 0U);
  EXPECT_EQ(graph->shape().rows, summary->image_vectors);
}

}  // namespace
}  // namespace scalestyle::ingest
