#pragma once
// What doctor says of the reranker: measured here and now.

#include "core/settings.hpp"

namespace boost::json {
class object;
}

namespace scalestyle::app {

// {model, state, good, recommended_precision?, precisions?: [{precision, tokens_per_second, tau_to_f32, depth, memory_mb,
// configured}]}. Loads the model once a precision and scores built-in texts with it: some seconds for a large one. `good` is
// false where a model that the settings name cannot be used.
[[nodiscard]] boost::json::object describe_reranker(const core::Settings& settings);

// The report for people.
void print_reranker(const boost::json::object& report);

}  // namespace scalestyle::app
