#pragma once
// What doctor says of the reranker: measured here and now.

#include <cstddef>

#include "core/settings.hpp"
#include "doctor_judgement.hpp"

namespace boost::json {
class object;
}

namespace scalestyle::app {

// {model, state, good, recommended_precision?, precisions?: [{precision, tokens_per_second, tau_to_f32, depth, memory_mb,
// configured}]}. Loads the model once a precision and scores built-in texts with it: a second of scoring in all, and the loading
// of a large one takes some. `quick`: only whether its files are there. `good` is false where a model that the settings name
// cannot be used.
[[nodiscard]] boost::json::object describe_reranker(const core::Settings& settings, bool quick);

// Of a report that has `precisions`. `wanted`: the rerank_depth setting.
[[nodiscard]] RerankRate rerank_rate(const boost::json::object& report, std::size_t wanted);

// The report for people.
void print_reranker(const boost::json::object& report);

}  // namespace scalestyle::app
