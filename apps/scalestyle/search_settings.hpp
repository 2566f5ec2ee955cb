#pragma once
// The settings of how lists are found: what serve, evaluate and doctor share.

#include <memory>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "core/settings.hpp"
#include "ranking/fusion.hpp"
#include "retrieval/lexical_options.hpp"
#include "retrieval/query_understanding.hpp"
#include "search/synonym_file.hpp"

namespace scalestyle::app {

// `names` and the settings below.
[[nodiscard]] std::vector<std::string> with_search_settings(std::vector<std::string> names);

[[nodiscard]] core::Result<retrieval::LexicalOptions> lexical_options(const core::Settings& settings);
[[nodiscard]] core::Result<retrieval::UnderstandingOptions> understanding_options(const core::Settings& settings);
[[nodiscard]] core::Result<ranking::FusionOptions> fusion_options(const core::Settings& settings);

// Null where the `synonyms` setting names no file.
[[nodiscard]] core::Result<std::unique_ptr<search::SynonymFile>> open_synonyms(const core::Settings& settings);

}  // namespace scalestyle::app
