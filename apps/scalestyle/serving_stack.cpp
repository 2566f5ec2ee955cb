#include "serving_stack.hpp"

#include "search_settings.hpp"

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
  CORE_TRY(stack->encoder_, load_encoder(settings, settings.text("query_precision"), *stack->compute_));
  stack->store_ = std::make_unique<adapters::embedded::LocalCatalogStore>(
      adapters::embedded::LocalCatalogStore::Options{.data_dir = stack->data_}, pool);
  stack->index_ = std::make_unique<adapters::embedded::LocalVectorIndex>(
      adapters::embedded::LocalVectorIndex::Options{.data_dir = stack->data_}, pool, clock);
  stack->timers_ = std::make_unique<core::TimerQueue>(clock);
  stack->timer_thread_ = std::thread([timers = stack->timers_.get()] { timers->run(); });
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
  CORE_TRY(stack->synonyms_, open_synonyms(settings));
  CORE_TRY(options.fusion, fusion_options(settings));
  options.query_prefix = std::move(prefix);
  options.max_in_progress = static_cast<std::size_t>(settings.integer("max_concurrent_requests"));
  CORE_CHECK(options.validate());
  stack->service_ = std::make_unique<search::SearchService>(
      search::SearchService::Dependencies{.generations = *stack->generations_, .encoder = *stack->encoder_,
                                          .index = *stack->index_, .pool = pool, .timers = *stack->timers_,
                                          .clock = clock, .metrics = stack->metrics_,
                                          .features = events != nullptr ? &events->features() : nullptr,
                                          .popularity = events != nullptr ? &events->popularity() : nullptr,
                                          .impressions = events != nullptr ? &events->impressions() : nullptr,
                                          .experiments = events != nullptr ? &events->experiments() : nullptr,
                                          .synonyms = stack->synonyms_.get()},
      std::move(options));
  if (events != nullptr) {
    CORE_TRY(auto event_settings, event_options(settings));
    stack->event_service_ = std::make_unique<search::EventService>(
        search::EventService::Dependencies{.generations = *stack->generations_, .log = events->log(),
                                           .features = events->features(),
                                           .impressions = events->impression_log(), .timers = *stack->timers_,
                                           .clock = clock, .metrics = stack->metrics_,
                                           .affinity_half_life_seconds = settings.number("affinity_half_life_hours") * 3'600},
        std::move(event_settings));
  }
  return stack;
}

ServingStack::~ServingStack() { stop_threads(); }

core::Status ServingStack::start_events() { return events_ ? events_->start() : core::Status(); }

void ServingStack::stop_threads() {
  if (events_) events_->stop();
  if (timers_) timers_->stop();
  if (timer_thread_.joinable()) timer_thread_.join();
  if (compute_) compute_->stop();
}

}  // namespace scalestyle::app
