// The services of a ServingStack: what searches, suggests and takes events, once everything that they use is there.

#include <chrono>
#include <utility>

#include "search_settings.hpp"
#include "serving_stack.hpp"

namespace scalestyle::app {

namespace {

constexpr auto kAfterThroughKafka = std::chrono::milliseconds(250);
constexpr auto kAnswerTime = std::chrono::milliseconds(500);  // of a request with events, beside the acknowledgement

}  // namespace

core::Status ServingStack::open_files(const core::Settings& settings) {
  CORE_TRY(synonyms_, open_synonyms(settings));
  CORE_TRY(rules_, open_rules(settings));
  if (rules_ != nullptr) search::show_rules(metrics_, *rules_);
  // Rankers lie in the data folder: without one the blend ranks.
  const std::string choice = data_.empty() ? std::string(recommend::kRankerOff) : settings.text("ranker");
  CORE_TRY(ranker_, recommend::RankerFile::open(data_, choice));
  if (events_) {
    CORE_TRY(queries_, frequent_queries(settings, compute_->clock()));
  }
  return {};
}

core::Result<search::SearchOptions> ServingStack::search_options(const core::Settings& settings) const {
  search::SearchOptions options;
  if (events_) {
    CORE_TRY(options.personalization, personalization_options(settings));
    if (kafka_ && settings.is_default("after_wait_ms")) options.personalization.after_budget = kAfterThroughKafka;
  }
  CORE_TRY(options.query_prefix, query_prefix(settings));
  CORE_TRY(options.fusion, fusion_options(settings));
  options.retrieval_budget = std::chrono::milliseconds(settings.integer("retrieval_budget_ms"));
  options.list_cache = list_cache_options(settings);
  if (!events_) options.list_cache.max_bytes = 0;
  options.picture_cache_bytes = static_cast<std::size_t>(settings.integer("picture_cache_mb")) << 20;
  options.diversity = diversity_limits(settings);
  options.cursor = cursor_options(settings);
  CORE_TRY(options.fallback, search::FallbackSteps::parse(settings.text("fallback")));
  if (const std::string steps = options.fallback.left_out(); !steps.empty()) {
    log_->warning("what may stand in for a search that cannot be answered is restricted by the setting fallback", {{"left_out", steps}});
  }
  CORE_TRY(options.recommendation, recommendation_options(settings));
  if (events_) {
    CORE_TRY(const auto weights, event_options(settings));
    options.recommendation.event_weights = {.click = weights.click_weight, .view = weights.view_weight,
                                            .add_to_cart = weights.add_to_cart_weight, .purchase = weights.purchase_weight};
  }
  options.max_in_progress = static_cast<std::size_t>(settings.integer("max_concurrent_requests"));
  options.door = door_options(settings);
  // Nobody waits for an evaluation, and what it judges is the whole of a search.
  if (!events_) options.door.limit.adapts = options.door.brownout.enabled = false;
  CORE_CHECK(options.validate());
  return options;
}

core::Status ServingStack::make_services(const core::Settings& settings) {
  const auto& clock = compute_->clock();
  EventStack* const events = events_.get();
  ports::FeatureStore* features = events != nullptr ? &events->features() : nullptr;
  if (guarded_features_) features = guarded_features_.get();
  suggest_ = std::make_unique<search::SuggestService>(*generations_, clock, queries_.get());
  CORE_TRY(auto options, search_options(settings));
  service_ = std::make_unique<search::SearchService>(
      search::SearchService::Dependencies{.generations = *generations_, .encoder = *encoder_,
                                          .index = *index_, .pool = compute_->pool(), .timers = *timers_,
                                          .clock = clock, .metrics = metrics_,
                                          .features = features,
                                          .features_in_redis = guarded_features_ != nullptr,
                                          .popularity = events != nullptr ? &events->popularity() : nullptr,
                                          .live_neighbours = events != nullptr ? &events->live_neighbours() : nullptr,
                                          .ranker = ranker_.get(),
                                          .impressions = events != nullptr ? &events->impressions() : nullptr,
                                          .experiments = events != nullptr ? &events->experiments() : nullptr,
                                          .synonyms = synonyms_.get(),
                                          .reranker = reranking_->reranker(),
                                          .rules = rules_.get(),
                                          .queries = queries_.get(),
                                          .images = image_encoder_.get(),
                                          .image_index = image_index_,
                                          .reasons = reasons(),
                                          .recall = recall_.get()},
      std::move(options));
  if (events == nullptr) return {};
  CORE_TRY(auto event_settings, event_options(settings));
  // An acknowledgement of Kafka takes longer than one of the disk, and must fit in.
  if (kafka_ && settings.is_default("event_deadline_ms")) {
    event_settings.deadline = std::chrono::milliseconds(settings.integer("kafka_ack_timeout_ms")) + kAnswerTime;
  }
  event_service_ = std::make_unique<search::EventService>(
      search::EventService::Dependencies{.generations = *generations_, .log = events->log(),
                                         .features = events->features(),
                                         .impressions = events->impression_log(), .timers = *timers_,
                                         .clock = clock, .metrics = metrics_,
                                         .affinity_half_life_seconds = settings.number("affinity_half_life_hours") * 3'600,
                                         .queries = queries_.get()},
      std::move(event_settings));
  return {};
}

}  // namespace scalestyle::app
