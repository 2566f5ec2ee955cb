#pragma once
// Which engines a process uses for what, as its settings say, and whether that can be.
//
// Any mix is legal. What decides who lets events take effect: where the event log or the features are embedded, the process
// that holds them does; where both are other engines, `serve` does, and gateways leave it to consumers.

#include <string>
#include <vector>

#include "core/result.hpp"
#include "core/settings.hpp"

namespace scalestyle::app {

enum class Role { kServe, kGateway, kConsumer };

struct StoreChoice {
  bool log_in_kafka = false;
  bool features_in_redis = false;
  bool catalog_in_redis = false;
  bool vectors_in_milvus = false;
  bool vectors_in_graph = false;  // of the data folder; neither: the exact scan of the same files
  bool consumes = true;  // this process lets events take effect

  [[nodiscard]] bool needs_redis() const { return features_in_redis || catalog_in_redis; }
  // Something is kept in the data folder.
  [[nodiscard]] bool needs_folder() const {
    return !log_in_kafka || !features_in_redis || !catalog_in_redis || !vectors_in_milvus;
  }
};

// Whether this program was built with the engine.
[[nodiscard]] bool has_kafka();
[[nodiscard]] bool has_milvus();

// `names` and the settings that choose engines.
[[nodiscard]] std::vector<std::string> with_store_settings(std::vector<std::string> names);

// kInvalidArgument naming everything that is missing for the choice at once, the first setting as field; kUnsupported for an
// engine that was left out of this build.
[[nodiscard]] core::Result<StoreChoice> choose_stores(const core::Settings& settings, Role role);

}  // namespace scalestyle::app
