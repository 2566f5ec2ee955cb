#include "milvus_options.hpp"

#include <chrono>
#include <cstddef>

namespace scalestyle::app {

using namespace adapters::milvus;

namespace {

std::size_t size(const core::Settings& settings, const char* name) { return static_cast<std::size_t>(settings.integer(name)); }

}  // namespace

core::Result<MilvusClient::Options> milvus_client_options(const core::Settings& settings) {
  MilvusClient::Options options;
  options.address = settings.text("milvus_address");
  if (options.address.empty()) {
    return core::fail(core::ErrorCode::kInvalidArgument, "milvus_address is not set: name the Milvus server as host:port", "milvus_address");
  }
  options.tls = settings.boolean("milvus_tls");
  options.ca_file = settings.text("milvus_ca_file");
  options.username = settings.text("milvus_username");
  options.password = settings.text("milvus_password");
  options.token = settings.text("milvus_token");
  options.call_timeout = std::chrono::milliseconds(settings.integer("milvus_timeout_ms"));
  CORE_CHECK(options.validate());
  return options;
}

core::Result<MilvusVectorIndex::Options> milvus_index_options(const core::Settings& settings) {
  MilvusVectorIndex::Options options;
  options.collection_prefix = settings.text("milvus_prefix");
  options.ef = size(settings, "milvus_ef");
  options.nprobe = size(settings, "milvus_nprobe");
  const auto consistency = milvus_consistency(settings.text("milvus_consistency"));
  if (!consistency) return core::fail(core::ErrorCode::kInvalidArgument, "milvus_consistency is unknown", "milvus_consistency");
  options.consistency = *consistency;
  CORE_CHECK(options.validate());
  return options;
}

core::Result<MilvusCollectionWriter::Options> milvus_writer_options(const core::Settings& settings) {
  MilvusCollectionWriter::Options options;
  options.collection_prefix = settings.text("milvus_prefix");
  const auto index = milvus_index_type(settings.text("milvus_index"));
  if (!index) return core::fail(core::ErrorCode::kInvalidArgument, "milvus_index is unknown", "milvus_index");
  options.index = *index;
  options.m = size(settings, "milvus_m");
  options.ef_construction = size(settings, "milvus_ef_construction");
  options.nlist = size(settings, "milvus_nlist");
  CORE_CHECK(options.validate());
  return options;
}

}  // namespace scalestyle::app
