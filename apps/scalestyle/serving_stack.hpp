#pragma once
// The search pipeline over a data folder or other engines, wired: what serve, gateway and evaluate search through.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "core/result.hpp"
#include "core/settings.hpp"
#include "core/timer_queue.hpp"
#include "event_stack.hpp"
#include "generator_stack.hpp"
#include "guard_stack.hpp"
#include "http/dependency_state.hpp"
#include "inference_stack.hpp"
#include "kafka_stack.hpp"
#include "milvus_stack.hpp"
#include "ports/catalog_changes.hpp"
#include "ports/catalog_store.hpp"
#include "ports/generation_use.hpp"
#include "ports/image_encoder.hpp"
#include "ports/text_encoder.hpp"
#include "ports/vector_index.hpp"
#include "recommend/ranker_file.hpp"
#include "redis_features.hpp"
#include "redis_stack.hpp"
#include "reranker_stack.hpp"
#include "runtime.hpp"
#include "search/live_catalog.hpp"
#include "search/back_on_pool.hpp"
#include "search/guarded_ports.hpp"
#include "search/patient_vector_index.hpp"
#include "search/recall_sampler.hpp"
#include "search/rule_file.hpp"
#include "search/search_service.hpp"
#include "search/snapshot_holder.hpp"
#include "search/suggest_service.hpp"
#include "search/synonym_file.hpp"
#include "store_choice.hpp"
#include "telemetry/metrics.hpp"
#include "tracing_stack.hpp"

namespace scalestyle::adapters::redis {
class RedisCatalogStore;
}
namespace scalestyle::adapters::embedded {
enum class VectorCollection : std::uint8_t;
}

namespace scalestyle::app {

// Members are declared in the order in which they need each other; the destructor ends the threads before anything that
// they use goes.
class ServingStack {
 public:
  struct Wish {
    StoreChoice stores{};                    // all embedded: a data folder, and nothing else
    telemetry::Logger* events_log = nullptr;  // takes what events and live changes have to say; null: neither is opened
    std::string_view role = "serve";          // as spans name it; nothing is traced without `events_log`
  };

  // Loads the models; the generation comes with generations().refresh(). With `events_log`, opens the events and the changes of
  // articles too: lists are personalised, event_service() is there, and the catalogue is served as it was changed since it was
  // ingested, and can be changed. Without, as for an evaluation, every list is made anew: none is kept.
  // Other engines may be away: they are connected to when they come.
  [[nodiscard]] static core::Result<std::unique_ptr<ServingStack>> create(const core::Settings& settings, Wish wish);
  ServingStack(const ServingStack&) = delete;
  ServingStack& operator=(const ServingStack&) = delete;
  ~ServingStack();

  // Lets what the event log holds take effect, and waits for it where both are embedded; nothing without events.
  [[nodiscard]] core::Status start_events();

  // Ends all threads, events first. What refers to this stack and was used by its threads may go afterwards. Once.
  void stop_threads();

  // How the engines behind it are now; must not wait.
  [[nodiscard]] std::vector<http::DependencyState> dependencies() const;

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
  // Null where nothing is traced.
  [[nodiscard]] telemetry::Tracer* tracer() { return tracing_ ? tracing_->tracer() : nullptr; }
  [[nodiscard]] ports::TextEncoder& encoder() { return *encoder_; }
  // Where gateways say which generations they serve; null where nobody asks.
  [[nodiscard]] ports::GenerationUse* generation_use() { return generation_use_.get(); }
  [[nodiscard]] const StoreChoice& stores() const { return wish_.stores; }
  [[nodiscard]] const std::filesystem::path& data() const { return data_; }

 private:
  explicit ServingStack(Wish wish) : wish_(wish) {}
  [[nodiscard]] core::Status open_models(const core::Settings& settings);
  [[nodiscard]] core::Status open_engines(const core::Settings& settings);
  [[nodiscard]] core::Status open_catalog(const core::Settings& settings);
  [[nodiscard]] core::Status open_events(const core::Settings& settings);
  [[nodiscard]] core::Status open_vision(const core::Settings& settings);
  [[nodiscard]] core::Status open_changes(const core::Settings& settings);
  [[nodiscard]] core::Status open_files(const core::Settings& settings);
  void compare_vectors(const core::Settings& settings);
  void show_metrics();
  [[nodiscard]] core::Status make_services(const core::Settings& settings);
  [[nodiscard]] core::Result<search::SearchOptions> search_options(const core::Settings& settings) const;
  // Of the generation to be served; an error where it is in an engine that does not answer.
  [[nodiscard]] core::Result<ports::GenerationInfo> current_generation() const;
  [[nodiscard]] core::Result<std::unique_ptr<ports::TextEncoder>> open_document_encoder(const core::Settings& settings,
                                                                                        const ports::EncoderInfo& documents);
  // A model behind HTTP, whose answers go on where work is done.
  void take_remote(std::unique_ptr<ports::TextEncoder> encoder);
  void take_remote(std::unique_ptr<ports::ImageEncoder> encoder);
  // Of the data folder: the exact scan, or the graph.
  [[nodiscard]] std::unique_ptr<ports::VectorIndex> local_index(const core::Settings& settings,
                                                                adapters::embedded::VectorCollection collection);
  [[nodiscard]] std::unique_ptr<search::PatientVectorIndex> patient(ports::VectorIndex& index);

  const Wish wish_;
  std::filesystem::path data_;
  telemetry::Metrics metrics_;
  std::unique_ptr<telemetry::Logger> quiet_log_;  // without events
  telemetry::Logger* log_ = nullptr;
  core::SystemClock trace_clock_;
  std::unique_ptr<TracingStack> tracing_;  // null without events
  std::unique_ptr<Compute> compute_;
  std::unique_ptr<core::TimerQueue> timers_;
  std::unique_ptr<GuardStack> guards_;   // of all that is behind a network
  std::chrono::milliseconds probe_time_{0};  // for a call that looks whether models or vectors are back: what searches have for them
  std::unique_ptr<RedisStack> redis_;    // null where nothing is there, as the next two
  std::unique_ptr<ports::GenerationUse> generation_use_;  // null without Redis
  std::unique_ptr<KafkaStack> kafka_;
  std::unique_ptr<MilvusStack> milvus_;
  std::unique_ptr<InferenceStack> inference_;
  std::unique_ptr<ports::TextEncoder> remote_encoder_;  // behind the next two; null: in this process
  std::unique_ptr<ports::TextEncoder> guarded_encoder_;
  std::unique_ptr<ports::TextEncoder> encoder_;
  adapters::embedded::LocalTextEncoder* local_encoder_ = nullptr;  // in encoder_; null: remote
  std::unique_ptr<ports::CatalogStore> store_;
  adapters::redis::RedisCatalogStore* redis_store_ = nullptr;  // store_, where it is that
  std::unique_ptr<ports::VectorIndex> local_index_;       // null: Milvus
  std::vector<std::unique_ptr<search::GuardedVectorIndex>> guarded_indexes_;  // of Milvus
  std::unique_ptr<search::PatientVectorIndex> patient_index_;  // of Milvus
  std::unique_ptr<ports::VectorIndex> exact_index_;       // that Milvus is compared with; null: nothing is, or a graph, which has one
  std::unique_ptr<search::RecallSampler> recall_;
  ports::VectorIndex* index_ = nullptr;                   // that of the two
  std::unique_ptr<ports::ImageEncoder> remote_image_encoder_;  // behind the next two; null: in this process
  std::unique_ptr<ports::ImageEncoder> guarded_image_encoder_;
  std::unique_ptr<ports::ImageEncoder> slow_image_encoder_;  // behind image_encoder_, in a lane of its own; null: elsewhere
  std::unique_ptr<ports::ImageEncoder> image_encoder_;    // null where vision is off, as the next
  std::unique_ptr<ports::VectorIndex> local_image_index_;
  std::unique_ptr<search::PatientVectorIndex> patient_image_index_;
  ports::VectorIndex* image_index_ = nullptr;
  std::unique_ptr<RerankerStack> reranking_;
  std::unique_ptr<GeneratorStack> generating_;  // null without events
  std::unique_ptr<RedisFeatures> redis_features_;  // null: embedded, or no events
  std::unique_ptr<EventStack> events_;  // null without events
  std::unique_ptr<search::GuardedFeatureStore> guarded_features_;  // what searches read of Redis; null: embedded
  std::unique_ptr<search::SnapshotHolder> generations_;
  std::unique_ptr<ports::TextEncoder> document_encoder_;  // null: encoder_ is one
  std::unique_ptr<ports::CatalogChanges> changes_;       // null without events
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
