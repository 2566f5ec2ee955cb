// The ports' conformance suites on the embedded adapters.

#include <memory>
#include <numeric>
#include <vector>

#include "adapters/embedded/local_catalog_store.hpp"
#include "adapters/embedded/local_vector_index.hpp"
#include "generation_support.hpp"
#include "support/conformance_catalog_store.hpp"
#include "support/conformance_vector_index.hpp"
#include "support/running_pool.hpp"
#include "support/temporary_folder.hpp"

namespace scalestyle::support {
namespace {

using namespace adapters::embedded;

class LocalCatalogStoreEngine final : public CatalogStoreEngine {
 public:
  ports::CatalogStore& store() override { return store_; }
  void publish(const ports::GenerationInfo& info, const std::vector<catalog::Article>& articles, bool make_current) override {
    write_generation_of(data_.path(), info, articles);
    if (!make_current) return;
    EXPECT_TRUE(DataFolder(data_.path()).write_current(info.id));
  }

 private:
  TemporaryFolder data_;
  RunningPool pool_{2};
  LocalCatalogStore store_{{.data_dir = data_.path()}, *pool_};
};

class LocalVectorIndexEngine final : public VectorIndexEngine {
 public:
  explicit LocalVectorIndexEngine(std::size_t threads) : pool_(threads) {}
  ports::VectorIndex& index() override { return index_; }
  void publish(const core::GenerationId& id, const IndexedVectors& vectors) override {
    write_generation_of(data_.path(), id, vectors);
  }
  [[nodiscard]] bool exact() const override { return true; }

 private:
  TemporaryFolder data_;
  RunningPool pool_;
  LocalVectorIndex index_{{.data_dir = data_.path()}, *pool_, pool_.clock()};
};

// The same vectors as those of the photos of all articles, beside other ones of the texts.
class LocalPhotoIndexEngine final : public VectorIndexEngine {
 public:
  ports::VectorIndex& index() override { return index_; }
  void publish(const core::GenerationId& id, const IndexedVectors& vectors) override {
    std::vector<std::uint32_t> rows(vectors.ids.size());
    std::iota(rows.begin(), rows.end(), 0U);
    const auto photos = photos_of(rows, vectors.ids, vectors);
    auto texts = random_vectors(vectors.ids.size(), 5, 77);
    texts.ids = vectors.ids;
    write_generation_of(data_.path(), id, texts, &photos);
  }
  [[nodiscard]] bool exact() const override { return true; }

 private:
  TemporaryFolder data_;
  RunningPool pool_{2};
  LocalVectorIndex index_{{.data_dir = data_.path(), .collection = adapters::embedded::VectorCollection::kPhotos},
                          *pool_, pool_.clock()};
};

INSTANTIATE_TEST_SUITE_P(Local, CatalogStoreConformance, ::testing::Values(CatalogStoreFactory([] {
                           return std::make_unique<LocalCatalogStoreEngine>();
                         })));
INSTANTIATE_TEST_SUITE_P(Local, VectorIndexConformance,
                         ::testing::Values(VectorIndexFactory([] { return std::make_unique<LocalVectorIndexEngine>(1); }),
                                           VectorIndexFactory([] { return std::make_unique<LocalVectorIndexEngine>(3); }),
                                           VectorIndexFactory([] { return std::make_unique<LocalPhotoIndexEngine>(); })));

}  // namespace
}  // namespace scalestyle::support
