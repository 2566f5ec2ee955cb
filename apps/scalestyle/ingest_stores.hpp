#pragma once
// The stores that `ingest --to` fills, wired by the settings.

#include <memory>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "core/settings.hpp"
#include "ingest/ingest.hpp"
#include "milvus_stack.hpp"
#include "ports/catalog_target.hpp"
#include "redis_stack.hpp"
#include "runtime.hpp"
#include "telemetry/log.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::app {

// `names` and the settings of the stores.
[[nodiscard]] std::vector<std::string> with_ingest_store_settings(std::vector<std::string> names);

// The stores that the `to` setting names, each once, in order. kInvalidArgument for any other.
[[nodiscard]] core::Result<std::vector<std::string>> wanted_stores(const core::Settings& settings);

class IngestStoreStack {
 public:
  // Connects to nothing yet. `compute` must outlive the stack. kInvalidArgument with the setting as field.
  [[nodiscard]] static core::Result<std::unique_ptr<IngestStoreStack>> open(const core::Settings& settings, Compute& compute);
  IngestStoreStack(const IngestStoreStack&) = delete;
  IngestStoreStack& operator=(const IngestStoreStack&) = delete;

  // For IngestContext; lives as long as the stack. Vectors before articles: who sees the articles finds the vectors.
  [[nodiscard]] ingest::IngestStores stores() const;

 private:
  explicit IngestStoreStack(Compute& compute);
  [[nodiscard]] core::Status open_redis(const core::Settings& settings, Compute& compute, bool filled);

  telemetry::Metrics metrics_;
  telemetry::Logger log_;
  std::unique_ptr<RedisStack> redis_;  // null without it, as the next three
  std::unique_ptr<ports::CatalogTarget> redis_target_;
  std::unique_ptr<ports::GenerationUse> use_;
  std::unique_ptr<ports::CatalogChanges> changes_;
  std::unique_ptr<MilvusFilling> milvus_;  // uses use_
};

}  // namespace scalestyle::app
