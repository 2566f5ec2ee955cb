#pragma once
// What the settings say of Milvus.

#include "adapters/milvus/milvus_client.hpp"
#include "adapters/milvus/milvus_collection_writer.hpp"
#include "adapters/milvus/milvus_vector_index.hpp"
#include "core/result.hpp"
#include "core/settings.hpp"

namespace scalestyle::app {

// kInvalidArgument with the setting as field, each.
[[nodiscard]] core::Result<adapters::milvus::MilvusClient::Options> milvus_client_options(const core::Settings& settings);
[[nodiscard]] core::Result<adapters::milvus::MilvusVectorIndex::Options> milvus_index_options(const core::Settings& settings);
[[nodiscard]] core::Result<adapters::milvus::MilvusCollectionWriter::Options> milvus_writer_options(const core::Settings& settings);

}  // namespace scalestyle::app
