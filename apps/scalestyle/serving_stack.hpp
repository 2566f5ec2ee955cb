#pragma once
// The search pipeline over a data folder, wired: what serve and evaluate search through.

#include <filesystem>
#include <memory>
#include <thread>

#include "adapters/embedded/catalog_change_log.hpp"
#include "adapters/embedded/local_catalog_store.hpp"
#include "adapters/embedded/local_vector_index.hpp"
#include "core/result.hpp"
#include "core/settings.hpp"
#include "core/timer_queue.hpp"
#include "event_stack.hpp"
#include "generator_stack.hpp"
#include "inference_stack.hpp"
#include "ports/image_encoder.hpp"
#include "ports/text_encoder.hpp"
#include "reranker_stack.hpp"
#include "runtime.hpp"
#include "recommend/ranker_file.hpp"
#include "search/live_catalog.hpp"
#include "search/rule_file.hpp"
#include "search/search_service.hpp"
#include "search/snapshot_holder.hpp"
#include "search/suggest_service.hpp"
#include "search/synonym_file.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::app {

// Members are declared in the order in which they need each other; the destructor ends the threads before anything that
// they use goes.
class ServingStack {
 public:
  // Loads the model; the generation comes with generations().refresh(). With `events_log`, opens the data folder's
  // events and changes of articles too: lists are personalised, event_service() is there, and the catalogue is served as it
  // was changed since it was ingested, and can be changed. It takes what they have to say. Without, as
  // for an evaluation, every list is made anew: none is kept.
  [[nodiscard]] static core::Result<std::unique_ptr<ServingStack>> create(const core::Settings& settings,
                                                                          telemetry::Logger* events_log = nullptr);
  ServingStack(const ServingStack&) = delete;
  ServingStack& operator=(const ServingStack&) = delete;
  ~ServingStack();

  // Lets what the event log holds take effect, and waits for it; nothing without events.
  [[nodiscard]] core::Status start_events();

  // Ends all threads, events first. What refers to this stack and was used by its threads may go afterwards. Once.
  void stop_threads();

  [[nodiscard]] Compute& compute() { return *compute_; }
  [[nodiscard]] search::SnapshotHolder& generations() { return *generations_; }
  // Null without a file of synonyms.
  [[nodiscard]] search::SynonymFile* synonyms() { return synonyms_.get(); }
  [[nodiscard]] RerankerStack& reranking() { return *reranking_; }
  // Null without a language model.
  [[nodiscard]] search::ReasonService* reasons() { return generating_ ? generating_->reasons() : nullptr; }
  // Null without a file of merchandising rules.
  [[nodiscard]] search::RuleFile* rules() { return rules_.get(); }
  [[nodiscard]] recommend::RankerFile& ranker() { return *ranker_; }
  [[nodiscard]] search::SearchService& service() { return *service_; }
  [[nodiscard]] search::SuggestService& suggest() { return *suggest_; }
  [[nodiscard]] search::EventService& event_service() { return *event_service_; }
  // Null without events.
  [[nodiscard]] search::LiveCatalog* live() { return live_.get(); }
  [[nodiscard]] telemetry::Metrics& metrics() { return metrics_; }
  [[nodiscard]] core::TimerQueue& timers() { return *timers_; }
  // How the models behind HTTP are now; must not wait.
  [[nodiscard]] std::vector<http::DependencyState> dependencies() const { return inference_->states(); }
  [[nodiscard]] ports::TextEncoder& encoder() { return *encoder_; }
  [[nodiscard]] const std::filesystem::path& data() const { return data_; }

 private:
  ServingStack() = default;
  // In this process, or behind HTTP.
  [[nodiscard]] core::Result<std::unique_ptr<ports::TextEncoder>> open_query_encoder(const core::Settings& settings);
  [[nodiscard]] core::Result<std::unique_ptr<ports::TextEncoder>> open_document_encoder(const core::Settings& settings,
                                                                                       const ports::EncoderInfo& documents);
  // The generation that is current in the data folder; kNotFound and others where there is none.
  [[nodiscard]] core::Result<ports::GenerationInfo> current_generation() const;
  [[nodiscard]] core::Status open_vision(const core::Settings& settings);
  [[nodiscard]] core::Status open_changes(const core::Settings& settings, telemetry::Logger& log);

  std::filesystem::path data_;
  telemetry::Metrics metrics_;
  std::unique_ptr<Compute> compute_;
  std::unique_ptr<core::TimerQueue> timers_;
  std::unique_ptr<InferenceStack> inference_;
  std::unique_ptr<ports::TextEncoder> encoder_;
  std::unique_ptr<adapters::embedded::LocalCatalogStore> store_;
  std::unique_ptr<adapters::embedded::LocalVectorIndex> index_;
  std::unique_ptr<ports::ImageEncoder> image_encoder_;  // null where vision is off, as the next
  std::unique_ptr<adapters::embedded::LocalVectorIndex> image_index_;
  std::unique_ptr<RerankerStack> reranking_;
  std::unique_ptr<GeneratorStack> generating_;  // null without events
  std::unique_ptr<EventStack> events_;  // null without events
  std::unique_ptr<search::SnapshotHolder> generations_;
  std::unique_ptr<ports::TextEncoder> document_encoder_;  // null: encoder_ is one
  std::unique_ptr<adapters::embedded::SqliteCatalogChanges> changes_;       // null without events
  std::unique_ptr<search::LiveCatalog> live_;                              // null without events
  std::unique_ptr<search::SynonymFile> synonyms_;
  std::unique_ptr<search::RuleFile> rules_;
  std::unique_ptr<recommend::RankerFile> ranker_;
  std::unique_ptr<search::FrequentQueries> queries_;  // null without events, or where none are counted
  std::unique_ptr<search::SuggestService> suggest_;
  std::unique_ptr<search::SearchService> service_;
  std::unique_ptr<search::EventService> event_service_;  // null without events
  std::thread timer_thread_;
  std::thread change_writer_;
  std::thread change_builder_;
};

}  // namespace scalestyle::app
