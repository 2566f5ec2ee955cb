#include "serving_stack.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <system_error>
#include <utility>

#include "adapters/embedded/catalog_change_log.hpp"
#include "adapters/embedded/catalog_change_rows.hpp"
#include "adapters/embedded/data_folder.hpp"
#include "adapters/embedded/generation_files.hpp"
#include "adapters/embedded/local_catalog_store.hpp"
#include "adapters/embedded/local_image_encoder.hpp"
#include "adapters/embedded/local_vector_index.hpp"
#include "adapters/embedded/metered_models.hpp"
#include "adapters/graph/graph_vector_index.hpp"
#include "adapters/redis/redis_catalog_changes.hpp"
#include "adapters/redis/redis_catalog_store.hpp"
#include "adapters/redis/redis_generation_use.hpp"
#include "search/dependency_probes.hpp"
#include "search_settings.hpp"
#include "telemetry/process_metrics.hpp"
#include "vision_stack.hpp"

namespace scalestyle::app {

namespace {

namespace embedded = adapters::embedded;
namespace redis = adapters::redis;

constexpr auto kTopicsDeadline = std::chrono::seconds(10);
constexpr std::chrono::milliseconds kFairTime{50};  // with less, a late call says nothing of a server
constexpr auto kLookDeadline = std::chrono::seconds(3);  // for what an engine says of the generation, at the start

// A file of changes begins with a page. One that has nothing is new to SQLite, whatever was cut off it.
void warn_of_empty_changes(const std::filesystem::path& folder, telemetry::Logger& log) {
  const std::filesystem::path file = folder / embedded::kChangesFile;
  std::error_code unknown;
  if (!std::filesystem::is_regular_file(file, unknown) || std::filesystem::file_size(file, unknown) != 0) return;
  log.warning("the file of changes is empty: its making was cut off, or what was in it; changes of articles since the ingest, if there "
              "were any, are not served",
              {{"file", file.string()}});
}

}  // namespace

core::Result<std::unique_ptr<ServingStack>> ServingStack::create(const core::Settings& settings, Wish wish) {
  CORE_CHECK(choose_kernels(settings));
  std::unique_ptr<ServingStack> stack(new ServingStack(wish));
  if (settings.is_set("data") || wish.stores.needs_folder()) {
    CORE_TRY(stack->data_, data_folder(settings));
  }
  const bool with_lanes = wish.events_log != nullptr && settings.boolean("compute_lanes");
  stack->compute_ = std::make_unique<Compute>(compute_threads(settings), with_lanes);
  stack->quiet_log_ = std::make_unique<telemetry::Logger>(telemetry::Logger::Options{}, stack->compute_->clock());
  stack->log_ = wish.events_log != nullptr ? wish.events_log : stack->quiet_log_.get();
  if (wish.events_log != nullptr) {
    CORE_TRY(stack->tracing_, TracingStack::open(settings, wish.role, {.clock = stack->trace_clock_, .metrics = stack->metrics_,
                                                                       .log = *stack->log_}));
  }
  stack->timers_ = std::make_unique<core::TimerQueue>(stack->compute_->clock());
  stack->timer_thread_ = std::thread([timers = stack->timers_.get()] { timers->run(); });
  CORE_TRY(stack->guards_, GuardStack::open(settings, {.timers = *stack->timers_, .clock = stack->compute_->clock(),
                                                       .metrics = stack->metrics_, .log = *stack->log_}));
  stack->probe_time_ = std::max(kFairTime, std::chrono::milliseconds(settings.integer("retrieval_budget_ms")));
  CORE_CHECK(stack->open_engines(settings));
  CORE_CHECK(stack->open_catalog(settings));
  CORE_CHECK(stack->open_models(settings));
  if (wish.events_log != nullptr) CORE_CHECK(stack->open_events(settings));
  search::LookupOptions lookup;
  CORE_TRY(lookup.lexical, lexical_options(settings));
  CORE_TRY(lookup.understanding, understanding_options(settings));
  stack->generations_ = std::make_unique<search::SnapshotHolder>(
      *stack->store_, *stack->index_, stack->encoder_->info(), stack->events_ ? &stack->events_->popularity() : nullptr, lookup);
  CORE_CHECK(stack->open_vision(settings));
  if (wish.events_log != nullptr) CORE_CHECK(stack->open_changes(settings));
  CORE_CHECK(stack->open_files(settings));
  CORE_CHECK(stack->make_services(settings));
  stack->show_metrics();
  stack->inference_->watch();
  return stack;
}

core::Status ServingStack::open_models(const core::Settings& settings) {
  CORE_TRY(inference_, InferenceStack::open(settings, {.timers = *timers_, .clock = compute_->clock(), .metrics = metrics_, .log = log_,
                                                  .guards = guards_.get()}));
  const std::string& precision = settings.text("query_precision");
  if (inference_->has_texts()) {
    const auto generation = current_generation();
    CORE_TRY(auto encoder, inference_->text_encoder(precision, generation ? std::optional(generation->document_encoder) : std::nullopt));
    take_remote(std::unique_ptr<ports::TextEncoder>(std::move(encoder)));
  } else {
    CORE_TRY(auto encoder, load_encoder(settings, precision, *compute_));
    local_encoder_ = encoder.get();
    encoder_ = std::move(encoder);
  }
  encoder_ = std::make_unique<embedded::MeteredTextEncoder>(std::move(encoder_), metrics_, compute_->clock());
  if (milvus_) {
    CORE_TRY(ports::VectorIndex* const texts, milvus_->index(ports::VectorsOf::kTexts, encoder_->info()));
    patient_index_ = patient(*texts);
    index_ = patient_index_.get();
  }
  if (milvus_ || wish_.stores.vectors_in_graph) compare_vectors(settings);
  CORE_TRY(reranking_, RerankerStack::open(settings, *compute_, *timers_, metrics_, inference_.get()));
  if (wish_.events_log != nullptr) {
    CORE_TRY(generating_, GeneratorStack::open(settings, *compute_, *timers_, metrics_));
  }
  return {};
}

void ServingStack::take_remote(std::unique_ptr<ports::TextEncoder> encoder) {
  remote_encoder_ = std::move(encoder);
  search::DependencyGuard& guard = guards_->of("inference", kFairTime);
  guard.probe_with(search::probe_of(*remote_encoder_), probe_time_);
  guarded_encoder_ = std::make_unique<search::GuardedTextEncoder>(*remote_encoder_, guard);
  encoder_ = std::make_unique<search::PooledTextEncoder>(*guarded_encoder_, compute_->pool());
}

void ServingStack::take_remote(std::unique_ptr<ports::ImageEncoder> encoder) {
  remote_image_encoder_ = std::move(encoder);
  search::DependencyGuard& guard = guards_->of("vision", kFairTime);
  guard.probe_with(search::probe_of(*remote_image_encoder_), probe_time_);
  guarded_image_encoder_ = std::make_unique<search::GuardedImageEncoder>(*remote_image_encoder_, guard);
  image_encoder_ = std::make_unique<search::PooledImageEncoder>(*guarded_image_encoder_, compute_->pool());
}

core::Status ServingStack::open_engines(const core::Settings& settings) {
  const auto& clock = compute_->clock();
  const bool with_events = wish_.events_log != nullptr;
  if (wish_.stores.catalog_in_redis || (with_events && wish_.stores.features_in_redis)) {
    CORE_TRY(redis_, RedisStack::open(settings, {.clock = clock, .metrics = metrics_, .log = *log_}));
    generation_use_ = std::make_unique<redis::RedisGenerationUse>(redis_->client(), redis::RedisGenerationUse::Options{.prefix = redis_->prefix()});
  }
  if (with_events && wish_.stores.log_in_kafka) {
    CORE_TRY(kafka_, KafkaStack::open(settings, {.timers = *timers_, .clock = clock, .metrics = metrics_, .log = *log_,
                                                .tracer = tracer()}));
    // Topics are made at the first start; later ones find them, and a broker that is away is no reason not to serve.
    if (const auto made = kafka_->prepare_topics(core::Deadline::after(kTopicsDeadline, clock)); !made) {
      using enum core::ErrorCode;
      if (made.error().code != kUnavailable && made.error().code != kDeadlineExceeded) return made;
      log_->warning("Kafka's topics could not be looked at", {{"cause", made.error().message}});
    }
  }
  if (wish_.stores.vectors_in_milvus) {
    CORE_TRY(milvus_, MilvusStack::open(settings, {.clock = clock, .metrics = metrics_, .use = generation_use_.get()}));
  } else {
    local_index_ = local_index(settings, embedded::VectorCollection::kTexts);
    index_ = local_index_.get();
  }
  return {};
}

std::unique_ptr<ports::VectorIndex> ServingStack::local_index(const core::Settings& settings, embedded::VectorCollection collection) {
  const embedded::LocalVectorIndex::Options vectors{
      .data_dir = data_, .collection = collection, .opening = &compute_->pool(Lane::kBackground)};
  if (!wish_.stores.vectors_in_graph) return std::make_unique<embedded::LocalVectorIndex>(vectors, compute_->pool(), compute_->clock());
  const adapters::graph::WalkOptions walk{.breadth = static_cast<std::size_t>(settings.integer("graph_ef")),
                                          .rows_a_step = settings.number("graph_step_cost")};
  return std::make_unique<adapters::graph::GraphVectorIndex>(
      adapters::graph::GraphVectorIndex::Options{.vectors = vectors, .walk = walk},
      adapters::graph::GraphVectorIndex::Dependencies{.pool = compute_->pool(), .clock = compute_->clock(), .metrics = metrics_});
}

std::unique_ptr<search::PatientVectorIndex> ServingStack::patient(ports::VectorIndex& index) {
  search::DependencyGuard& guard = guards_->of("vectors", kFairTime);
  guarded_indexes_.push_back(std::make_unique<search::GuardedVectorIndex>(index, guard));
  // The texts' index answers for the photos' too: one server has both.
  if (guarded_indexes_.size() == 1) {
    guard.probe_with([texts = guarded_indexes_.front().get()](core::Deadline deadline) { return texts->probe(deadline); }, probe_time_);
  }
  return std::make_unique<search::PatientVectorIndex>(
      search::PatientVectorIndex::Dependencies{.index = *guarded_indexes_.back(), .pool = compute_->pool(), .timers = *timers_, .clock = compute_->clock(), .log = *log_},
      search::PatientVectorIndex::Options{});
}

// Needs the vectors in the data folder too.
void ServingStack::compare_vectors(const core::Settings& settings) {
  const auto one_in = static_cast<std::size_t>(settings.integer("vector_recall_one_in"));
  if (one_in == 0 || data_.empty()) return;
  auto* const graph = dynamic_cast<adapters::graph::GraphVectorIndex*>(local_index_.get());
  if (graph == nullptr) {
    exact_index_ = std::make_unique<embedded::LocalVectorIndex>(
        embedded::LocalVectorIndex::Options{.data_dir = data_, .opening = &compute_->pool(Lane::kBackground)}, compute_->pool(),
        compute_->clock());
  }
  recall_ = std::make_unique<search::RecallSampler>(
      search::RecallSampler::Dependencies{.exact = graph != nullptr ? graph->exact() : *exact_index_, .pool = compute_->pool(), .clock = compute_->clock()}, one_in, metrics_);
}

void ServingStack::show_metrics() {
  show_pool(metrics_, *compute_);
  telemetry::show_disk_space(metrics_, data_);
}

core::Status ServingStack::open_catalog(const core::Settings& /*settings*/) {
  if (wish_.stores.catalog_in_redis) {
    auto store = std::make_unique<redis::RedisCatalogStore>(redis_->client(), compute_->pool(Lane::kBackground),
                                                            redis::RedisCatalogStore::Options{.prefix = redis_->prefix()});
    redis_store_ = store.get();
    store_ = std::move(store);
  } else {
    store_ = std::make_unique<embedded::LocalCatalogStore>(embedded::LocalCatalogStore::Options{.data_dir = data_}, compute_->pool(),
                                                           compute_->pool(Lane::kBackground));
  }
  return {};
}

core::Status ServingStack::open_events(const core::Settings& settings) {
  const StoreChoice& stores = wish_.stores;
  const auto& clock = compute_->clock();
  EventStack::Engines engines;
  if (stores.log_in_kafka) {
    CORE_TRY(engines.log, kafka_->log());
    CORE_TRY(engines.impressions, kafka_->impressions());
    if (!stores.features_in_redis) {
      CORE_TRY(engines.stream, kafka_->all_partitions());
      CORE_TRY(engines.failed_records, kafka_->failed_records());
    }
  }
  if (stores.features_in_redis) {
    CORE_TRY(redis_features_,
             RedisFeatures::open(settings, *redis_, {.applies = stores.consumes, .keeps_positions = !stores.log_in_kafka},
                                 {.timers = *timers_, .clock = clock, .metrics = metrics_, .log = *log_}));
    engines.features = &redis_features_->store();
  }
  CORE_TRY(events_, EventStack::open(settings, data_, engines,
                                     {.pool = compute_->pool(), .timers = *timers_, .clock = clock, .metrics = metrics_, .log = *log_,
                                      .tracer = tracer()}));
  if (stores.features_in_redis) {
    const std::chrono::milliseconds budget(std::max<std::int64_t>(2, settings.integer("snapshot_budget_ms")));
    search::DependencyGuard& guard = guards_->of("features", budget / 2);
    guard.probe_with(search::probe_of(events_->features()), budget);
    guarded_features_ = std::make_unique<search::GuardedFeatureStore>(events_->features(), guard);
  }
  return {};
}

core::Status ServingStack::open_vision(const core::Settings& settings) {
  if (settings.boolean("vision_enabled") && inference_->has_pictures()) {
    const auto generation = current_generation();
    CORE_TRY(auto encoder, inference_->image_encoder(generation ? generation->image_encoder : std::nullopt));
    take_remote(std::unique_ptr<ports::ImageEncoder>(std::move(encoder)));
  } else {
    CORE_TRY(image_encoder_, load_image_encoder(settings, *compute_));
    if (image_encoder_ != nullptr && compute_->has_lanes()) {
      slow_image_encoder_ = std::move(image_encoder_);
      image_encoder_ = std::make_unique<search::PooledImageEncoder>(*slow_image_encoder_, compute_->pool());
    }
  }
  if (image_encoder_ == nullptr) return {};
  image_encoder_ = std::make_unique<embedded::MeteredImageEncoder>(std::move(image_encoder_), metrics_, compute_->clock());
  if (milvus_) {
    CORE_TRY(ports::VectorIndex* const photos, milvus_->index(ports::VectorsOf::kPhotos, image_encoder_->info()));
    patient_image_index_ = patient(*photos);
    image_index_ = patient_image_index_.get();
  } else {
    local_image_index_ = local_index(settings, embedded::VectorCollection::kPhotos);
    image_index_ = local_image_index_.get();
  }
  generations_->look_into_pictures(*image_index_, image_encoder_->info());
  return {};
}

core::Result<ports::GenerationInfo> ServingStack::current_generation() const {
  if (redis_store_ != nullptr) {
    const auto deadline = core::Deadline::after(kLookDeadline, compute_->clock());
    CORE_TRY(const auto current, core::sync_wait(redis_store_->current(deadline)));
    return core::sync_wait(redis_store_->info(current, deadline));
  }
  const embedded::DataFolder folder(data_);
  CORE_TRY(const auto current, folder.read_current());
  CORE_TRY(auto manifest, embedded::read_manifest(folder.generation(current)));
  return std::move(manifest.info);
}

core::Result<std::unique_ptr<ports::TextEncoder>> ServingStack::open_document_encoder(const core::Settings& settings,
                                                                                     const ports::EncoderInfo& documents) {
  if (inference_->has_texts()) return inference_->document_encoder(documents);
  return load_encoder(settings, documents.precision, *compute_, Lane::kBackground);
}

// New texts are embedded in the precision that the generation's vectors have, which may be another than the queries'. Where the
// generation is not at hand, in the one that ingest is told: changes of texts are refused while it is another.
core::Status ServingStack::open_changes(const core::Settings& settings) {
  const auto& clock = compute_->clock();
  const auto generation = current_generation();
  if (!generation && redis_store_ == nullptr) return std::unexpected(generation.error());
  ports::EncoderInfo documents = generation ? generation->document_encoder : encoder_->info();
  if (!generation) documents.precision = settings.text("document_precision");
  const bool same_model = documents.model == encoder_->info().model;
  // Of a server that was not there yet the precision is not known for certain.
  if (same_model && (documents.precision != encoder_->info().precision || inference_->has_texts())) {
    CORE_TRY(document_encoder_, open_document_encoder(settings, documents));
  } else if (local_encoder_ != nullptr && compute_->has_lanes()) {
    document_encoder_ = local_encoder_->on(compute_->pool(Lane::kBackground));
  }
  if (document_encoder_ != nullptr) {
    document_encoder_ = std::make_unique<embedded::MeteredTextEncoder>(std::move(document_encoder_), metrics_, clock);
  }
  if (wish_.stores.catalog_in_redis) {
    changes_ = std::make_unique<redis::RedisCatalogChanges>(redis_->client(), redis::RedisCatalogChanges::Options{.prefix = redis_->prefix()});
  } else {
    warn_of_empty_changes(data_, *log_);
    CORE_TRY(changes_, embedded::SqliteCatalogChanges::open({.folder = data_}, clock));
  }
  live_ = std::make_unique<search::LiveCatalog>(
      search::LiveCatalog::Dependencies{.generations = *generations_, .changes = *changes_,
                                        .encoder = document_encoder_ ? *document_encoder_ : *encoder_,
                                        .timers = *timers_, .clock = clock, .metrics = metrics_, .log = *log_},
      search::LiveCatalogOptions{});
  const bool lanes = compute_->has_lanes();
  change_writer_ = std::thread([live = live_.get(), lanes] {
    if (lanes) be_nice(Lane::kRerank);  // its clients wait; but it takes over whole generations too
    live->write();
  });
  change_builder_ = std::thread([live = live_.get(), lanes] {
    if (lanes) be_nice(Lane::kBackground);
    live->build();
  });
  return {};
}

ServingStack::~ServingStack() { stop_threads(); }

core::Status ServingStack::start_events() {
  if (redis_features_) redis_features_->start();
  if (events_) CORE_CHECK(events_->start());
  if (!kafka_ || !redis_features_ || !wish_.stores.consumes) return {};
  CORE_CHECK(kafka_->consume_primary(redis_features_->store()));
  return kafka_->consume_retries(redis_features_->store());
}

void ServingStack::stop_threads() {
  if (live_) live_->stop();
  if (change_writer_.joinable()) change_writer_.join();
  if (change_builder_.joinable()) change_builder_.join();
  if (events_) events_->stop();
  if (kafka_) kafka_->stop();
  if (redis_features_) redis_features_->stop();
  if (patient_index_) patient_index_->stop();
  if (patient_image_index_) patient_image_index_->stop();
  if (generating_) generating_->stop_thread();
  if (inference_) inference_->stop();
  if (milvus_) milvus_->stop();
  if (redis_) redis_->stop();
  if (timers_) timers_->stop();
  if (timer_thread_.joinable()) timer_thread_.join();
  if (compute_) compute_->stop();
  if (tracing_) tracing_->stop();
}

std::vector<http::DependencyState> ServingStack::dependencies() const {
  std::vector<http::DependencyState> states;
  if (events_) {
    states.push_back({"events", kafka_ ? "kafka" : "embedded", events_->log().refusal()});
    std::string trouble = redis_features_ ? redis_features_->trouble() : std::string();
    if (trouble.empty()) trouble = events_->trouble();
    if (kafka_) {
      for (const auto& consumer : kafka_->consumers()) {
        if (trouble.empty()) trouble = consumer.trouble;
      }
    }
    states.push_back({"features", redis_features_ ? "redis" : "embedded", std::move(trouble)});
  }
  if (generations_) states.push_back({"catalogue", wish_.stores.catalog_in_redis ? "redis" : "embedded", generations_->last_error()});
  std::string vectors = patient_index_ ? patient_index_->trouble() : std::string();
  if (vectors.empty() && patient_image_index_) vectors = patient_image_index_->trouble();
  if (vectors.empty() && milvus_) vectors = milvus_->trouble();
  states.push_back({"vectors", milvus_ ? "milvus" : wish_.stores.vectors_in_graph ? "graph" : "embedded", std::move(vectors)});
  for (auto& state : inference_->states()) states.push_back(std::move(state));
  guards_->tell(states);
  return states;
}

}  // namespace scalestyle::app
