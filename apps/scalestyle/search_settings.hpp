#pragma once
// The settings of how lists are found: what serve, evaluate and doctor share.

#include <memory>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "core/settings.hpp"
#include "http/search_configurations.hpp"
#include "ranking/diversity.hpp"
#include "ranking/fusion.hpp"
#include "retrieval/lexical_options.hpp"
#include "retrieval/query_understanding.hpp"
#include "search/frequent_queries.hpp"
#include "search/page_cursor.hpp"
#include "search/ranked_list_cache.hpp"
#include "search/recommendation.hpp"
#include "search/rule_file.hpp"
#include "search/synonym_file.hpp"

namespace scalestyle::app {

// `names` and the settings below.
[[nodiscard]] std::vector<std::string> with_search_settings(std::vector<std::string> names);

[[nodiscard]] core::Result<retrieval::LexicalOptions> lexical_options(const core::Settings& settings);
[[nodiscard]] core::Result<retrieval::UnderstandingOptions> understanding_options(const core::Settings& settings);
[[nodiscard]] core::Result<ranking::FusionOptions> fusion_options(const core::Settings& settings);

[[nodiscard]] search::ListCacheOptions list_cache_options(const core::Settings& settings);
// To be validated with the search options that they go into.
[[nodiscard]] ranking::DiversityLimits diversity_limits(const core::Settings& settings);
// But for the weights of events, which are those of the event log.
[[nodiscard]] core::Result<search::RecommendationOptions> recommendation_options(const core::Settings& settings);
[[nodiscard]] search::CursorOptions cursor_options(const core::Settings& settings);

// Null where the `suggest_queries` setting is 0: suggestions come from the catalogue alone. The clock must outlive it.
[[nodiscard]] core::Result<std::unique_ptr<search::FrequentQueries>> frequent_queries(const core::Settings& settings,
                                                                                      const core::Clock& clock);

// `names` and the settings of suggestions.
[[nodiscard]] std::vector<std::string> with_suggest_settings(std::vector<std::string> names);

// Null where the `synonyms` setting names no file.
[[nodiscard]] core::Result<std::unique_ptr<search::SynonymFile>> open_synonyms(const core::Settings& settings);
// Null where the `rules` setting names no file.
[[nodiscard]] core::Result<std::unique_ptr<search::RuleFile>> open_rules(const core::Settings& settings);
// Null where the `configurations` setting names no file.
[[nodiscard]] core::Result<std::unique_ptr<http::ConfigurationFile>> open_configurations(const core::Settings& settings);

}  // namespace scalestyle::app
