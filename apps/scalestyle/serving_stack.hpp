#pragma once
// The search pipeline over a data folder, wired: what serve and evaluate search through.

#include <filesystem>
#include <memory>
#include <thread>

#include "adapters/embedded/local_catalog_store.hpp"
#include "adapters/embedded/local_text_encoder.hpp"
#include "adapters/embedded/local_vector_index.hpp"
#include "core/result.hpp"
#include "core/settings.hpp"
#include "runtime.hpp"
#include "search/search_service.hpp"
#include "search/snapshot_holder.hpp"
#include "search/timer_queue.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::app {

// Members are declared in the order in which they need each other; the destructor ends the threads before anything that
// they use goes.
class ServingStack {
 public:
  // Loads the model; the generation comes with generations().refresh().
  [[nodiscard]] static core::Result<std::unique_ptr<ServingStack>> create(const core::Settings& settings);
  ServingStack(const ServingStack&) = delete;
  ServingStack& operator=(const ServingStack&) = delete;
  ~ServingStack();

  // Ends the compute and timer threads. What refers to this stack and was used by its threads may go afterwards. Once.
  void stop_threads();

  [[nodiscard]] Compute& compute() { return *compute_; }
  [[nodiscard]] search::SnapshotHolder& generations() { return *generations_; }
  [[nodiscard]] search::SearchService& service() { return *service_; }
  [[nodiscard]] telemetry::Metrics& metrics() { return metrics_; }
  [[nodiscard]] search::TimerQueue& timers() { return *timers_; }
  [[nodiscard]] adapters::embedded::LocalTextEncoder& encoder() { return *encoder_; }
  [[nodiscard]] const std::filesystem::path& data() const { return data_; }

 private:
  ServingStack() = default;

  std::filesystem::path data_;
  telemetry::Metrics metrics_;
  std::unique_ptr<Compute> compute_;
  std::unique_ptr<adapters::embedded::LocalTextEncoder> encoder_;
  std::unique_ptr<adapters::embedded::LocalCatalogStore> store_;
  std::unique_ptr<adapters::embedded::LocalVectorIndex> index_;
  std::unique_ptr<search::SnapshotHolder> generations_;
  std::unique_ptr<search::TimerQueue> timers_;
  std::unique_ptr<search::SearchService> service_;
  std::thread timer_thread_;
};

}  // namespace scalestyle::app
