#pragma once
// A SearchEvaluation as text for people, as JSON for programs, and query by query as TSV.

#include <span>
#include <string>

#include "evaluation/search_evaluation.hpp"

namespace scalestyle::evaluation {

// Several configurations are shown in one table, quality beside latency, and then each against the first. Long lists of
// what was left out are cut after some names; the counts are of all.
[[nodiscard]] std::string to_text(const SearchEvaluation& evaluation, std::span<const ConfigurationComparison> comparisons);

// One object with stable keys, per-query figures included. Measures are named as parse_measure() takes them.
[[nodiscard]] std::string to_json(const SearchEvaluation& evaluation, std::span<const ConfigurationComparison> comparisons);

// One line a configuration and query under a header: configuration, query_id, query, judged, returned, every measure,
// milliseconds, degraded. Tabs and newlines inside a text become blanks.
[[nodiscard]] std::string to_tsv(const SearchEvaluation& evaluation);

}  // namespace scalestyle::evaluation
