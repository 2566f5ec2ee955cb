#include "search_settings.hpp"

#include <chrono>
#include <cstdint>
#include <random>
#include <utility>

#include "guard_stack.hpp"
#include "reranker_stack.hpp"
#include "vision_stack.hpp"

namespace scalestyle::app {

std::vector<std::string> with_search_settings(std::vector<std::string> names) {
  for (const char* name : {"fusion", "dense_weight", "image_leg_weight", "reciprocal_rank_constant", "lexical_name_weight", "lexical_type_weight",
                           "lexical_colour_weight", "lexical_category_weight", "lexical_description_weight", "synonyms", "preference_weight",
                           "understand_thing_weight", "understand_colour_weight", "understand_audience_weight",
                           "understand_appearance_weight", "understand_place_weight", "understand_audience_filters", "rules",
                           "list_cache_mb", "list_cache_stale_ms", "picture_cache_mb", "max_per_type", "max_per_section", "diversity_window",
                           "for_you_weights", "similar_weights", "for_you_show_bought", "for_you_show_seen", "for_you_item_half_life_days",
                           "ranker", "near_cache_mb", "exploration_rate", "exploration_positions", "cursor_key", "cursor_lifetime_s",
                           "retrieval_budget_ms", "fallback", "configurations"}) {
    names.emplace_back(name);
  }
  return with_guard_settings(with_vision_settings(with_rerank_settings(std::move(names))));
}

core::Result<retrieval::LexicalOptions> lexical_options(const core::Settings& settings) {
  const auto weight = [&](std::string_view name) { return static_cast<float>(settings.number(name)); };
  retrieval::LexicalOptions options;
  options.name_weight = weight("lexical_name_weight");
  options.type_weight = weight("lexical_type_weight");
  options.colour_weight = weight("lexical_colour_weight");
  options.category_weight = weight("lexical_category_weight");
  options.description_weight = weight("lexical_description_weight");
  CORE_CHECK(options.validate());
  return options;
}

core::Result<retrieval::UnderstandingOptions> understanding_options(const core::Settings& settings) {
  retrieval::UnderstandingOptions options;
  options.thing = settings.number("understand_thing_weight");
  options.colour = settings.number("understand_colour_weight");
  options.audience = settings.number("understand_audience_weight");
  options.appearance = settings.number("understand_appearance_weight");
  options.place = settings.number("understand_place_weight");
  options.audience_filters = settings.boolean("understand_audience_filters");
  CORE_CHECK(options.validate());
  return options;
}

core::Result<ranking::FusionOptions> fusion_options(const core::Settings& settings) {
  ranking::FusionOptions options;
  options.method = ranking::fusion_method(settings.text("fusion")).value_or(options.method);  // the table knows the names
  options.dense_weight = settings.number("dense_weight");
  options.image_leg_weight = settings.number("image_leg_weight");
  options.reciprocal_rank_constant = settings.number("reciprocal_rank_constant");
  options.preference_weight = settings.number("preference_weight");
  CORE_CHECK(options.validate());
  return options;
}

search::ListCacheOptions list_cache_options(const core::Settings& settings) {
  return {.max_bytes = static_cast<std::size_t>(settings.integer("list_cache_mb")) << 20,
          .stale_for = std::chrono::milliseconds(settings.integer("list_cache_stale_ms"))};
}

ranking::DiversityLimits diversity_limits(const core::Settings& settings) {
  return {.max_per_type = static_cast<std::size_t>(settings.integer("max_per_type")),
          .max_per_section = static_cast<std::size_t>(settings.integer("max_per_section")),
          .window = static_cast<std::size_t>(settings.integer("diversity_window"))};
}

core::Result<search::RecommendationOptions> recommendation_options(const core::Settings& settings) {
  search::RecommendationOptions options;
  CORE_TRY(options.for_you_weights, search::parse_source_weights(settings.text("for_you_weights"), "for_you_weights", options.for_you_weights));
  CORE_TRY(options.similar_weights, search::parse_source_weights(settings.text("similar_weights"), "similar_weights", options.similar_weights));
  options.own = {.show_bought = settings.boolean("for_you_show_bought"), .show_seen = settings.boolean("for_you_show_seen")};
  options.item_half_life_days = settings.number("for_you_item_half_life_days");
  options.near_cache_bytes = static_cast<std::size_t>(settings.integer("near_cache_mb")) << 20;
  options.exploration.rate = settings.number("exploration_rate");
  CORE_TRY(options.exploration.positions, search::parse_exploration_positions(settings.text("exploration_positions")));
  CORE_CHECK(options.validate());
  return options;
}

search::CursorOptions cursor_options(const core::Settings& settings) {
  return {.key = settings.text("cursor_key"), .lifetime = std::chrono::seconds(settings.integer("cursor_lifetime_s"))};
}

core::Result<std::unique_ptr<search::FrequentQueries>> frequent_queries(const core::Settings& settings, const core::Clock& clock) {
  const auto size = [&](std::string_view name) { return static_cast<std::size_t>(settings.integer(name)); };
  if (size("suggest_queries") == 0) return std::unique_ptr<search::FrequentQueries>();
  std::random_device random;  // decides nothing that anybody sees
  search::FrequentQueries::Options options;
  options.max_queries = size("suggest_queries");
  options.min_subjects = size("suggest_min_shoppers");
  options.min_anonymous = size("suggest_min_anonymous");
  options.half_life_seconds = settings.number("suggest_half_life_hours") * 3'600;
  options.salt = std::uint64_t{random()} << 32U | random();
  CORE_CHECK(options.validate());
  return std::make_unique<search::FrequentQueries>(options, clock);
}

std::vector<std::string> with_suggest_settings(std::vector<std::string> names) {
  for (const char* name : {"suggest_queries", "suggest_min_shoppers", "suggest_min_anonymous", "suggest_half_life_hours"}) {
    names.emplace_back(name);
  }
  return names;
}

core::Result<std::unique_ptr<search::SynonymFile>> open_synonyms(const core::Settings& settings) {
  const std::string path = settings.text("synonyms");
  if (path.empty()) return std::unique_ptr<search::SynonymFile>();
  return search::SynonymFile::open(path);
}

core::Result<std::unique_ptr<search::RuleFile>> open_rules(const core::Settings& settings) {
  const std::string path = settings.text("rules");
  if (path.empty()) return std::unique_ptr<search::RuleFile>();
  return search::RuleFile::open(path);
}

core::Result<std::unique_ptr<http::ConfigurationFile>> open_configurations(const core::Settings& settings) {
  const std::string path = settings.text("configurations");
  if (path.empty()) return std::unique_ptr<http::ConfigurationFile>();
  return http::ConfigurationFile::open(path);
}

}  // namespace scalestyle::app
