#include "milvus_stack.hpp"

#include <chrono>
#include <thread>
#include <utility>
#include <vector>

#include "adapters/milvus/milvus_catalog_target.hpp"
#include "adapters/milvus/milvus_client.hpp"
#include "adapters/milvus/milvus_vector_index.hpp"
#include "milvus_options.hpp"

namespace scalestyle::app {

using adapters::milvus::MilvusCatalogTarget;
using adapters::milvus::MilvusClient;
using adapters::milvus::MilvusCollectionKind;
using adapters::milvus::MilvusVectorIndex;

struct MilvusStack::Impl {
  Impl(std::unique_ptr<MilvusClient> made, MilvusVectorIndex::Options searching, Services services)
      : client(std::move(made)), options(std::move(searching)), use(services) {}
  ~Impl() { stop(); }
  void stop() {
    client->stop();
    if (io.joinable()) io.join();
  }

  std::unique_ptr<MilvusClient> client;
  MilvusVectorIndex::Options options;
  Services use;
  std::vector<std::unique_ptr<MilvusVectorIndex>> indexes;
  std::thread io;
};

MilvusStack::MilvusStack(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
MilvusStack::~MilvusStack() = default;

core::Result<std::unique_ptr<MilvusStack>> MilvusStack::open(const core::Settings& settings, Services services) {
  CORE_TRY(const auto client_options, milvus_client_options(settings));
  CORE_TRY(auto options, milvus_index_options(settings));
  CORE_TRY(auto client, MilvusClient::create(client_options, {.clock = services.clock, .metrics = services.metrics}));
  auto impl = std::make_unique<Impl>(std::move(client), std::move(options), services);
  impl->io = std::thread([client = impl->client.get()] { client->run(); });
  return std::unique_ptr<MilvusStack>(new MilvusStack(std::move(impl)));
}

core::Result<ports::VectorIndex*> MilvusStack::index(ports::VectorsOf what, const ports::EncoderInfo& query) {
  MilvusVectorIndex::Options options = impl_->options;
  options.kind = what == ports::VectorsOf::kTexts ? MilvusCollectionKind::kTexts : MilvusCollectionKind::kPhotos;
  options.query_encoder = query;
  CORE_TRY(auto made, MilvusVectorIndex::create(options, {.client = *impl_->client, .clock = impl_->use.clock, .use = impl_->use.use}));
  impl_->indexes.push_back(std::move(made));
  return impl_->indexes.back().get();
}
std::string MilvusStack::trouble() const { return impl_->client->trouble(); }
void MilvusStack::stop() { impl_->stop(); }

struct MilvusFilling::Impl {
  ~Impl() {
    client->stop();
    if (io.joinable()) io.join();
  }

  std::unique_ptr<MilvusClient> client;
  std::unique_ptr<MilvusCatalogTarget> target;
  std::thread io;
};

MilvusFilling::MilvusFilling(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
MilvusFilling::~MilvusFilling() = default;

core::Result<std::unique_ptr<MilvusFilling>> MilvusFilling::open(const core::Settings& settings, MilvusStack::Services services) {
  CORE_TRY(const auto client_options, milvus_client_options(settings));
  CORE_TRY(const auto options, milvus_writer_options(settings));
  auto impl = std::make_unique<Impl>();
  CORE_TRY(impl->client, MilvusClient::create(client_options, {.clock = services.clock, .metrics = services.metrics}));
  CORE_TRY(impl->target, MilvusCatalogTarget::create(options, {.client = *impl->client, .clock = services.clock, .use = services.use}));
  impl->io = std::thread([client = impl->client.get()] { client->run(); });
  return std::unique_ptr<MilvusFilling>(new MilvusFilling(std::move(impl)));
}

ports::CatalogTarget& MilvusFilling::target() { return *impl_->target; }

}  // namespace scalestyle::app
