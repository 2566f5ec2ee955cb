#pragma once
// The parameters of a search, and the search that they ask for.

#include <span>

#include "core/clock.hpp"
#include "http/parameters.hpp"
#include "search/answer.hpp"

namespace scalestyle::http {

[[nodiscard]] std::span<const ParameterSpec> search_parameters();

// `received` is when the request arrived: its deadline counts from there. The request id is left to the caller.
[[nodiscard]] search::SearchRequest to_search_request(const Parameters& parameters, core::SteadyTime received);

}  // namespace scalestyle::http
