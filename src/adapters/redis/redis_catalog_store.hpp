#pragma once
// CatalogStore over the generations that RedisCatalogTarget wrote (docs/formats/redis-catalogue.md).
//
// current() is one GET. load() reads the blocks of a generation some at a time, checks each against its hash in the manifest,
// and unpacks it on a worker: what is in memory beside the result is a few megabytes.
// Thread safety: as the port.

#include <string>

#include "adapters/redis/catalogue_keys.hpp"
#include "adapters/redis/redis_client.hpp"
#include "core/worker_pool.hpp"
#include "ports/catalog_store.hpp"

namespace scalestyle::adapters::redis {

class RedisCatalogStore final : public ports::CatalogStore {
 public:
  struct Options {
    std::string prefix = "scalestyle:";
  };

  // `client` and `pool` must outlive the store.
  RedisCatalogStore(RedisClient& client, core::WorkerPool& pool, Options options)
      : client_(client), pool_(pool), keys_{std::move(options.prefix)} {}

  [[nodiscard]] core::Task<core::Result<core::GenerationId>> current(core::Deadline deadline) override;
  [[nodiscard]] core::Task<core::Result<std::shared_ptr<const ports::CatalogSnapshot>>> load(
      core::GenerationId generation, core::Deadline deadline) override;

  // What a generation says of itself, without its articles. Errors: as load().
  [[nodiscard]] core::Task<core::Result<ports::GenerationInfo>> info(core::GenerationId generation, core::Deadline deadline);

 private:
  RedisClient& client_;
  core::WorkerPool& pool_;
  CatalogueKeys keys_;
};

}  // namespace scalestyle::adapters::redis
