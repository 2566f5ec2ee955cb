#pragma once
// GenerationUse over Redis: one sorted set, by the time until which a report holds, on the server's clock.
// Thread safety: as the port. Tasks complete on the client's I/O thread.

#include <string>

#include "adapters/redis/catalogue_keys.hpp"
#include "adapters/redis/redis_client.hpp"
#include "ports/generation_use.hpp"

namespace scalestyle::adapters::redis {

class RedisGenerationUse final : public ports::GenerationUse {
 public:
  struct Options {
    std::string prefix = "scalestyle:";
  };

  // `client` must outlive the object.
  RedisGenerationUse(RedisClient& client, Options options) : client_(client), keys_{std::move(options.prefix)} {}

  [[nodiscard]] core::Task<core::Status> report(std::string gateway, core::GenerationId generation, std::chrono::milliseconds ttl,
                                                core::Deadline deadline) override;
  [[nodiscard]] core::Task<core::Result<std::set<core::GenerationId>>> used(core::Deadline deadline) override;

 private:
  RedisClient& client_;
  CatalogueKeys keys_;
};

}  // namespace scalestyle::adapters::redis
