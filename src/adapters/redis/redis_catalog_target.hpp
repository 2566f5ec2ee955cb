#pragma once
// CatalogTarget over Redis: the articles of a generation, their neighbours, and the keys that other readers know
// (docs/formats/redis-catalogue.md).
//
// Blocks and manifest have names of the generation's own, and expire by themselves until switch_to() keeps them. item:{id} and
// the popular articles exist once: they are written before the version key, which is switched last.
// finish() loads the generation as a gateway would.

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "adapters/redis/catalogue_keys.hpp"
#include "adapters/redis/catalogue_manifest.hpp"
#include "adapters/redis/redis_client.hpp"
#include "core/clock.hpp"
#include "core/worker_pool.hpp"
#include "ports/catalog_target.hpp"

namespace scalestyle::adapters::redis {

class RedisCatalogTarget final : public ports::CatalogTarget {
 public:
  struct Options {
    std::string prefix = "scalestyle:";
    std::chrono::seconds unfinished_lifetime{6 * 3'600};  // of what a fill writes, until it is switched to
    double popularity_half_life_seconds = 48 * 3'600.0;   // FeatureOptions::global_half_life_seconds
  };

  // `client`, `pool` and `clock` must outlive the target. Packing is done on the pool.
  RedisCatalogTarget(RedisClient& client, core::WorkerPool& pool, const core::Clock& clock, Options options)
      : client_(client), pool_(pool), clock_(clock), options_(options), keys_{std::move(options.prefix)} {}

  [[nodiscard]] std::string_view name() const override { return "redis"; }
  [[nodiscard]] core::Task<core::Result<std::optional<core::GenerationId>>> current(core::Deadline deadline) override;
  [[nodiscard]] core::Task<core::Status> begin(ports::TargetGeneration generation, core::Deadline deadline) override;
  [[nodiscard]] core::Task<core::Status> write_articles(core::Deadline deadline) override;
  [[nodiscard]] core::Task<core::Status> write_vectors(ports::VectorSlice slice, core::Deadline deadline) override;
  [[nodiscard]] core::Task<core::Result<ports::TargetCounts>> finish(core::Deadline deadline) override;
  [[nodiscard]] core::Task<core::Status> switch_to(core::Deadline deadline) override;
  [[nodiscard]] core::Task<core::Status> abort(core::Deadline deadline) override;
  [[nodiscard]] core::Task<core::Result<std::size_t>> remove_others(std::set<core::GenerationId> keep,
                                                                    core::Deadline deadline) override;

 private:
  struct BlockPlan;
  [[nodiscard]] core::Task<core::Status> write_blocks(BlockPlan plan, core::Deadline deadline);
  [[nodiscard]] core::Task<core::Result<RedisValue>> call(RedisCommand command, core::Deadline deadline);
  [[nodiscard]] core::Task<core::Status> run(std::vector<RedisCommand> commands, core::Deadline deadline);

  // redis_catalog_target_readers.cpp: the keys of other readers.
  [[nodiscard]] core::Task<core::Status> write_items(core::Deadline deadline);
  [[nodiscard]] core::Task<core::Result<std::size_t>> write_global_popular(core::Deadline deadline);
  [[nodiscard]] core::Task<core::Status> write_window(std::string_view period, const std::vector<ports::PopularArticle>& popular,
                                                      std::chrono::milliseconds lifetime, core::Deadline deadline);
  [[nodiscard]] core::Task<core::Status> remove_stale_items(core::Deadline deadline);
  [[nodiscard]] core::Task<core::Status> remove_stale_popular(core::Deadline deadline);

  [[nodiscard]] core::Task<core::Status> keep_blocks(core::Deadline deadline);
  [[nodiscard]] core::Task<core::Status> remove_generation(core::GenerationId id, std::string counts, core::Deadline deadline);
  [[nodiscard]] std::vector<std::string> keys_of(const core::GenerationId& id, std::size_t blocks,
                                                 std::size_t neighbour_blocks) const;

  RedisClient& client_;
  core::WorkerPool& pool_;
  const core::Clock& clock_;
  Options options_;
  CatalogueKeys keys_;
  ports::TargetGeneration generation_{};
  CatalogueManifest manifest_{};
  bool is_current_ = false;  // what was begun was switched to
};

}  // namespace scalestyle::adapters::redis
