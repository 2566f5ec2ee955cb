// The port's conformance suite on real servers. With an index that looks at every vector, which finds exactly the nearest.

#include "milvus_servers.hpp"
#include "support/conformance_vector_index.hpp"

namespace scalestyle::support {
namespace {

using namespace adapters::milvus;

class MilvusEngine final : public VectorIndexEngine {
 public:
  explicit MilvusEngine(const std::string& port)
      : connection_(port),
        writer_(connection_.writer({.collection_prefix = prefix_, .index = MilvusIndexType::kFlat})),
        index_(connection_.index({.collection_prefix = prefix_})) {}

  ports::VectorIndex& index() override { return *index_; }
  void publish(const core::GenerationId& id, const IndexedVectors& vectors) override {
    write_collection(*writer_, id.value(), vectors);
    generations_.push_back(id);
  }
  ~MilvusEngine() override {
    for (const auto& id : generations_) EXPECT_TRUE(core::sync_wait(writer_->drop(id, core::Deadline::never())));
  }
  [[nodiscard]] bool exact() const override { return true; }
  [[nodiscard]] bool claims_exact() const override { return false; }
  [[nodiscard]] bool takes_bitmap() const override { return false; }
  [[nodiscard]] bool chooses_ties_by_article() const override { return false; }

 private:
  const std::string prefix_ = new_prefix();
  std::vector<core::GenerationId> generations_;
  MilvusConnection connection_;
  std::unique_ptr<MilvusCollectionWriter> writer_;
  std::unique_ptr<MilvusVectorIndex> index_;
};

VectorIndexFactory engine_on(const char* script) {
  return [script]() -> std::unique_ptr<VectorIndexEngine> {
    support::RealServer* const server = milvus_server(script);
    if (server == nullptr) return nullptr;
    return std::make_unique<MilvusEngine>(server->value("port"));
  };
}

INSTANTIATE_TEST_SUITE_P(Milvus, VectorIndexConformance, ::testing::Values(engine_on(kMilvus)));
INSTANTIATE_TEST_SUITE_P(MilvusLite, VectorIndexConformance, ::testing::Values(engine_on(kMilvusLite)));

}  // namespace
}  // namespace scalestyle::support
