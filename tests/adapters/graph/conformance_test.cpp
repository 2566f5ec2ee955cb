// The port's conformance suite: every query walks, or each goes the way that is found cheaper.

#include <memory>
#include <numeric>

#include "adapters/graph/graph_vector_index.hpp"
#include "graph_support.hpp"
#include "support/conformance_vector_index.hpp"
#include "support/running_pool.hpp"
#include "support/temporary_folder.hpp"

namespace scalestyle::support {
namespace {

using adapters::embedded::VectorCollection;
using adapters::graph::GraphVectorIndex;
using adapters::graph::write_generation_with_graph;

class GraphIndexEngine final : public VectorIndexEngine {
 public:
  GraphIndexEngine(double rows_a_step, VectorCollection collection)
      : is_walking_(rows_a_step == 0),
        is_of_photos_(collection == VectorCollection::kPhotos),
        index_({.vectors = {.data_dir = data_.path(), .collection = collection}, .walk = {.rows_a_step = rows_a_step}},
               {.pool = *pool_, .clock = pool_.clock(), .metrics = metrics_}) {}

  ports::VectorIndex& index() override { return index_; }
  void publish(const core::GenerationId& id, const IndexedVectors& vectors) override {
    if (!is_of_photos_) return write_generation_with_graph(data_.path(), id, vectors);
    std::vector<std::uint32_t> rows(vectors.ids.size());
    std::iota(rows.begin(), rows.end(), 0U);
    const auto photos = adapters::embedded::photos_of(rows, vectors.ids, vectors);
    auto texts = random_vectors(vectors.ids.size(), 5, 77);
    texts.ids = vectors.ids;
    write_generation_with_graph(data_.path(), id, texts, &photos);
  }
  [[nodiscard]] bool exact() const override { return !is_walking_; }

 private:
  const bool is_walking_;
  const bool is_of_photos_;
  TemporaryFolder data_;
  RunningPool pool_{2};
  telemetry::Metrics metrics_;
  GraphVectorIndex index_;
};

VectorIndexFactory engine(double rows_a_step, VectorCollection collection) {
  return [=] { return std::make_unique<GraphIndexEngine>(rows_a_step, collection); };
}

INSTANTIATE_TEST_SUITE_P(Graph, VectorIndexConformance,
                         ::testing::Values(engine(0, VectorCollection::kTexts), engine(64, VectorCollection::kTexts),
                                           engine(64, VectorCollection::kPhotos)));

}  // namespace
}  // namespace scalestyle::support
