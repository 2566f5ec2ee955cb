#include "serving_stack.hpp"

#include "adapters/embedded/data_folder.hpp"
#include "adapters/embedded/generation_files.hpp"
#include "search_settings.hpp"
#include "vision_stack.hpp"

namespace scalestyle::app {

core::Result<std::unique_ptr<ServingStack>> ServingStack::create(const core::Settings& settings,
                                                                  telemetry::Logger* events_log) {
  CORE_CHECK(choose_kernels(settings));
  CORE_TRY(auto data, data_folder(settings));
  CORE_TRY(auto prefix, query_prefix(settings));
  std::unique_ptr<ServingStack> stack(new ServingStack);
  stack->data_ = std::move(data);
  stack->compute_ = std::make_unique<Compute>(compute_threads(settings));
  auto& pool = stack->compute_->pool();
  const auto& clock = stack->compute_->clock();
  stack->timers_ = std::make_unique<core::TimerQueue>(clock);
  stack->timer_thread_ = std::thread([timers = stack->timers_.get()] { timers->run(); });
  CORE_TRY(stack->inference_, InferenceStack::open(settings, {.timers = *stack->timers_, .clock = clock, .metrics = stack->metrics_, .log = events_log}));
  CORE_TRY(stack->encoder_, stack->open_query_encoder(settings));
  stack->store_ = std::make_unique<adapters::embedded::LocalCatalogStore>(
      adapters::embedded::LocalCatalogStore::Options{.data_dir = stack->data_}, pool);
  stack->index_ = std::make_unique<adapters::embedded::LocalVectorIndex>(
      adapters::embedded::LocalVectorIndex::Options{.data_dir = stack->data_}, pool, clock);
  CORE_TRY(stack->reranking_, RerankerStack::open(settings, *stack->compute_, *stack->timers_, stack->metrics_, stack->inference_.get()));
  if (events_log != nullptr) {
    CORE_TRY(stack->generating_, GeneratorStack::open(settings, *stack->compute_, *stack->timers_, stack->metrics_));
  }
  search::SearchOptions options;
  if (events_log != nullptr) {
    CORE_TRY(options.personalization, personalization_options(settings));
    CORE_TRY(stack->events_, EventStack::open(settings, stack->data_, {.pool = pool, .timers = *stack->timers_, .clock = clock,
                                                                       .metrics = stack->metrics_, .log = *events_log}));
  }
  EventStack* const events = stack->events_.get();
  search::LookupOptions lookup;
  CORE_TRY(lookup.lexical, lexical_options(settings));
  CORE_TRY(lookup.understanding, understanding_options(settings));
  stack->generations_ = std::make_unique<search::SnapshotHolder>(*stack->store_, *stack->index_, stack->encoder_->info(),
                                                                 events != nullptr ? &events->popularity() : nullptr, lookup);
  CORE_CHECK(stack->open_vision(settings));
  if (events_log != nullptr) CORE_CHECK(stack->open_changes(settings, *events_log));
  CORE_TRY(stack->synonyms_, open_synonyms(settings));
  CORE_TRY(stack->rules_, open_rules(settings));
  if (stack->rules_ != nullptr) search::show_rules(stack->metrics_, *stack->rules_);
  CORE_TRY(stack->ranker_, recommend::RankerFile::open(stack->data_, settings.text("ranker")));
  if (events != nullptr) {
    CORE_TRY(stack->queries_, frequent_queries(settings, clock));
  }
  stack->suggest_ = std::make_unique<search::SuggestService>(*stack->generations_, clock, stack->queries_.get());
  CORE_TRY(options.fusion, fusion_options(settings));
  options.list_cache = list_cache_options(settings);
  if (events_log == nullptr) options.list_cache.max_bytes = 0;
  options.picture_cache_bytes = static_cast<std::size_t>(settings.integer("picture_cache_mb")) << 20;
  options.diversity = diversity_limits(settings);
  options.cursor = cursor_options(settings);
  CORE_TRY(options.recommendation, recommendation_options(settings));
  if (events != nullptr) {
    CORE_TRY(const auto weights, event_options(settings));
    options.recommendation.event_weights = {.click = weights.click_weight, .view = weights.view_weight,
                                            .add_to_cart = weights.add_to_cart_weight, .purchase = weights.purchase_weight};
  }
  options.query_prefix = std::move(prefix);
  options.max_in_progress = static_cast<std::size_t>(settings.integer("max_concurrent_requests"));
  CORE_CHECK(options.validate());
  stack->service_ = std::make_unique<search::SearchService>(
      search::SearchService::Dependencies{.generations = *stack->generations_, .encoder = *stack->encoder_,
                                          .index = *stack->index_, .pool = pool, .timers = *stack->timers_,
                                          .clock = clock, .metrics = stack->metrics_,
                                          .features = events != nullptr ? &events->features() : nullptr,
                                          .popularity = events != nullptr ? &events->popularity() : nullptr,
                                          .live_neighbours = events != nullptr ? &events->live_neighbours() : nullptr,
                                          .ranker = stack->ranker_.get(),
                                          .impressions = events != nullptr ? &events->impressions() : nullptr,
                                          .experiments = events != nullptr ? &events->experiments() : nullptr,
                                          .synonyms = stack->synonyms_.get(),
                                          .reranker = stack->reranking_->reranker(),
                                          .rules = stack->rules_.get(),
                                          .queries = stack->queries_.get(),
                                          .images = stack->image_encoder_.get(),
                                          .image_index = stack->image_index_.get(),
                                          .reasons = stack->reasons()},
      std::move(options));
  if (events != nullptr) {
    CORE_TRY(auto event_settings, event_options(settings));
    stack->event_service_ = std::make_unique<search::EventService>(
        search::EventService::Dependencies{.generations = *stack->generations_, .log = events->log(),
                                           .features = events->features(),
                                           .impressions = events->impression_log(), .timers = *stack->timers_,
                                           .clock = clock, .metrics = stack->metrics_,
                                           .affinity_half_life_seconds = settings.number("affinity_half_life_hours") * 3'600,
                                           .queries = stack->queries_.get()},
        std::move(event_settings));
  }
  stack->inference_->watch();
  return stack;
}

core::Result<ports::GenerationInfo> ServingStack::current_generation() const {
  const adapters::embedded::DataFolder folder(data_);
  CORE_TRY(const auto current, folder.read_current());
  CORE_TRY(auto manifest, adapters::embedded::read_manifest(folder.generation(current)));
  return std::move(manifest.info);
}

core::Result<std::unique_ptr<ports::TextEncoder>> ServingStack::open_query_encoder(const core::Settings& settings) {
  const std::string& precision = settings.text("query_precision");
  if (!inference_->has_texts()) return load_encoder(settings, precision, *compute_);
  const auto generation = current_generation();
  return inference_->text_encoder(precision, generation ? std::optional(generation->document_encoder) : std::nullopt);
}

core::Result<std::unique_ptr<ports::TextEncoder>> ServingStack::open_document_encoder(const core::Settings& settings,
                                                                                     const ports::EncoderInfo& documents) {
  if (inference_->has_texts()) return inference_->document_encoder(documents);
  return load_encoder(settings, documents.precision, *compute_);
}

core::Status ServingStack::open_vision(const core::Settings& settings) {
  if (settings.boolean("vision_enabled") && inference_->has_pictures()) {
    const auto generation = current_generation();
    CORE_TRY(image_encoder_, inference_->image_encoder(generation ? generation->image_encoder : std::nullopt));
  } else {
    CORE_TRY(image_encoder_, load_image_encoder(settings, *compute_));
  }
  if (image_encoder_ == nullptr) return {};
  image_index_ = std::make_unique<adapters::embedded::LocalVectorIndex>(
      adapters::embedded::LocalVectorIndex::Options{.data_dir = data_, .collection = adapters::embedded::VectorCollection::kPhotos},
      compute_->pool(), compute_->clock());
  generations_->look_into_pictures(*image_index_, image_encoder_->info());
  return {};
}

// New texts are embedded in the precision that the generation's vectors have, which may be another than the queries'.
core::Status ServingStack::open_changes(const core::Settings& settings, telemetry::Logger& log) {
  const auto& clock = compute_->clock();
  CORE_TRY(const auto generation, current_generation());
  const auto& documents = generation.document_encoder;
  const bool same_model = documents.model == encoder_->info().model;
  // Of a server that was not there yet the precision is not known for certain.
  if (same_model && (documents.precision != encoder_->info().precision || inference_->has_texts())) {
    CORE_TRY(document_encoder_, open_document_encoder(settings, documents));
  }
  CORE_TRY(changes_, adapters::embedded::SqliteCatalogChanges::open({.folder = data_}, clock));
  live_ = std::make_unique<search::LiveCatalog>(
      search::LiveCatalog::Dependencies{.generations = *generations_, .changes = *changes_,
                                        .encoder = document_encoder_ ? *document_encoder_ : *encoder_,
                                        .timers = *timers_, .clock = clock, .metrics = metrics_, .log = log},
      search::LiveCatalogOptions{});
  change_writer_ = std::thread([live = live_.get()] { live->write(); });
  change_builder_ = std::thread([live = live_.get()] { live->build(); });
  return {};
}

ServingStack::~ServingStack() { stop_threads(); }

core::Status ServingStack::start_events() { return events_ ? events_->start() : core::Status(); }

void ServingStack::stop_threads() {
  if (live_) live_->stop();
  if (change_writer_.joinable()) change_writer_.join();
  if (change_builder_.joinable()) change_builder_.join();
  if (events_) events_->stop();
  if (generating_) generating_->stop_thread();
  if (inference_) inference_->stop();
  if (timers_) timers_->stop();
  if (timer_thread_.joinable()) timer_thread_.join();
  if (compute_) compute_->stop();
}

}  // namespace scalestyle::app
