#pragma once
// MilvusCatalogTarget: the CatalogTarget that fills Milvus with the vectors of a generation. It tells gateways nothing: a
// gateway asks for the collections of the generation that its catalogue is of.

#include <memory>
#include <set>
#include <vector>

#include "adapters/milvus/milvus_collection_writer.hpp"
#include "ports/catalog_target.hpp"
#include "ports/generation_use.hpp"

namespace scalestyle::adapters::milvus {

class MilvusCatalogTarget final : public ports::CatalogTarget {
 public:
  struct Dependencies {
    MilvusClient& client;
    const core::Clock& clock;
    // Null: nobody tells which generations are served, so none is ever removed, but what was abandoned half-filled.
    ports::GenerationUse* use = nullptr;
  };

  // The kind in `options` does not matter: texts and photos have a collection each. Errors: those of its validate().
  [[nodiscard]] static core::Result<std::unique_ptr<MilvusCatalogTarget>> create(MilvusCollectionWriter::Options options,
                                                                                 Dependencies dependencies);

  [[nodiscard]] std::string_view name() const override { return "milvus"; }
  [[nodiscard]] core::Task<core::Result<std::optional<core::GenerationId>>> current(core::Deadline deadline) override;
  [[nodiscard]] core::Task<core::Status> begin(ports::TargetGeneration generation, core::Deadline deadline) override;
  [[nodiscard]] core::Task<core::Status> write_articles(core::Deadline deadline) override;
  [[nodiscard]] core::Task<core::Status> write_vectors(ports::VectorSlice slice, core::Deadline deadline) override;
  [[nodiscard]] core::Task<core::Result<ports::TargetCounts>> finish(core::Deadline deadline) override;
  [[nodiscard]] core::Task<core::Status> switch_to(core::Deadline deadline) override;
  [[nodiscard]] core::Task<core::Status> abort(core::Deadline deadline) override;
  [[nodiscard]] core::Task<core::Result<std::size_t>> remove_others(std::set<core::GenerationId> keep, core::Deadline deadline) override;

 private:
  explicit MilvusCatalogTarget(Dependencies dependencies) : use_(dependencies) {}
  [[nodiscard]] core::Task<core::Status> begin_one(MilvusCollectionWriter& writer, ports::EncoderInfo encoder, core::Deadline deadline);

  Dependencies use_;
  std::unique_ptr<MilvusCollectionWriter> texts_;
  std::unique_ptr<MilvusCollectionWriter> photos_;
  ports::TargetGeneration generation_{};  // without a snapshot: nothing was begun
};

}  // namespace scalestyle::adapters::milvus
