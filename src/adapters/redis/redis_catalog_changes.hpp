#pragma once
// CatalogChanges over Redis, shared by all gateways of a shop (docs/formats/redis-catalogue.md).
//
// A batch is one script in one slot: sequences, changes and vectors are written together or not at all. A batch is repeated
// after a broken connection, and takes effect once: its own key, which lives for ten minutes, tells that it was kept. What is
// acknowledged is as durable as Redis was told to be (appendfsync, replicas).
// Thread safety: as the port. Tasks complete on the client's I/O thread.

#include <cstddef>
#include <string>

#include "adapters/redis/catalogue_keys.hpp"
#include "adapters/redis/redis_client.hpp"
#include "ports/catalog_changes.hpp"

namespace scalestyle::adapters::redis {

class RedisCatalogChanges final : public ports::CatalogChanges {
 public:
  struct Options {
    std::string prefix = "scalestyle:";
    std::size_t max_changes = 500'000;  // kept; more are refused until an ingest has taken them
  };

  // `client` must outlive the object.
  RedisCatalogChanges(RedisClient& client, Options options)
      : client_(client), max_changes_(options.max_changes), keys_{std::move(options.prefix)} {}

  [[nodiscard]] bool shared() const override { return true; }
  // Errors as the port; kPermissionDenied and kFailedPrecondition (a key of another type) besides, not kept.
  [[nodiscard]] core::Task<std::expected<std::int64_t, ports::AppendFailure>> append(ports::ChangeBatch batch,
                                                                                   core::Deadline deadline) override;
  [[nodiscard]] core::Task<core::Result<std::vector<ports::LoggedChange>>> read(std::int64_t after, std::size_t limit,
                                                                               core::Deadline deadline) override;
  [[nodiscard]] core::Task<core::Result<std::vector<ports::ArticleVector>>> vectors(ports::EncoderInfo encoder,
                                                                                    core::Deadline deadline) override;
  [[nodiscard]] core::Task<core::Status> settle(std::int64_t sequence, std::int64_t until_ms, core::Deadline deadline) override;

 private:
  [[nodiscard]] RedisCommand script_command(std::size_t keys) const;

  RedisClient& client_;
  std::size_t max_changes_;
  CatalogueKeys keys_;
};

}  // namespace scalestyle::adapters::redis
