#pragma once
// The steps of a MilvusCollectionWriter.

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "adapters/milvus/milvus_calls_impl.hpp"
#include "adapters/milvus/milvus_collection_writer.hpp"

namespace scalestyle::adapters::milvus {

struct MilvusCollectionWriter::Impl {
  Impl(Options wanted, Dependencies dependencies)
      : options(std::move(wanted)), calls(dependencies.client), clock(dependencies.clock) {}

  [[nodiscard]] std::string name_of(const core::GenerationId& generation) const {
    return collection_name(options.collection_prefix, options.kind, generation);
  }

  core::Task<core::Status> create(CollectionFacts facts, core::Deadline deadline);
  core::Task<core::Status> flush(std::string collection, core::Deadline deadline);
  core::Task<core::Status> build_index(std::string collection, core::Deadline deadline);
  core::Task<core::Status> set_properties(CollectionFacts facts, core::Deadline deadline);

  // In messages of batch_bytes. With `replace`, by upserts; else a message that may have arrived is followed by its upsert.
  core::Task<core::Status> write(std::string collection, std::vector<MilvusRow> rows, bool replace, core::Deadline deadline);
  core::Task<core::Status> insert_message(std::string collection, std::span<const MilvusRow> rows, core::Deadline deadline);
  core::Task<core::Status> upsert_message(std::string collection, std::span<const MilvusRow> rows, core::Deadline deadline);

  // Whether the collection may go.
  core::Task<core::Result<bool>> is_unused(std::string collection, core::Deadline deadline);

  const Options options;
  MilvusCalls calls;
  const core::Clock& clock;
};

}  // namespace scalestyle::adapters::milvus
