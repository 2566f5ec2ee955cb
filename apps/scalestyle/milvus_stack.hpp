#pragma once
// The Milvus of the settings, wired: the vectors of articles' texts and photos, with the thread of its calls.

#include <memory>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/result.hpp"
#include "core/settings.hpp"
#include "ports/catalog_target.hpp"
#include "ports/generation_use.hpp"
#include "ports/vector_index.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::app {

// `names` and the settings of searching in Milvus, or of filling it.
[[nodiscard]] std::vector<std::string> with_milvus_settings(std::vector<std::string> names);
[[nodiscard]] std::vector<std::string> with_milvus_filling_settings(std::vector<std::string> names);

class MilvusStack {
 public:
  struct Services {
    const core::Clock& clock;
    telemetry::Metrics& metrics;
    ports::GenerationUse* use = nullptr;  // who serves which generation; null: collections stay in Milvus' memory
  };
  // Connects to nothing yet. kInvalidArgument with the setting as field; kUnsupported where the program is built without Milvus.
  [[nodiscard]] static core::Result<std::unique_ptr<MilvusStack>> open(const core::Settings& settings, Services services);
  ~MilvusStack();
  MilvusStack(const MilvusStack&) = delete;
  MilvusStack& operator=(const MilvusStack&) = delete;

  // The index of texts, or of photos, whose queries `query` embeds: collections of other models are refused. Once each.
  [[nodiscard]] core::Result<ports::VectorIndex*> index(ports::VectorsOf what, const ports::EncoderInfo& query);

  // Empty while calls are answered.
  [[nodiscard]] std::string trouble() const;

  // Ends all calls (kCancelled) and the thread. May be repeated.
  void stop();

 private:
  struct Impl;
  explicit MilvusStack(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// For ingest: what fills Milvus, with the thread of its calls.
class MilvusFilling {
 public:
  // As MilvusStack::open().
  [[nodiscard]] static core::Result<std::unique_ptr<MilvusFilling>> open(const core::Settings& settings, MilvusStack::Services services);
  ~MilvusFilling();
  MilvusFilling(const MilvusFilling&) = delete;
  MilvusFilling& operator=(const MilvusFilling&) = delete;

  [[nodiscard]] ports::CatalogTarget& target();

 private:
  struct Impl;
  explicit MilvusFilling(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace scalestyle::app
