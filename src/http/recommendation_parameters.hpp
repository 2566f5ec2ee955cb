#pragma once
// The parameters of the lists that nobody asked for by words, and the requests that they ask for.

#include <span>

#include "core/clock.hpp"
#include "core/result.hpp"
#include "http/parameters.hpp"
#include "search/recommendation.hpp"

namespace scalestyle::http {

[[nodiscard]] std::span<const ParameterSpec> for_you_parameters();
[[nodiscard]] std::span<const ParameterSpec> similar_parameters();  // `id` is a part of the path

// As list_parameters.hpp says of its requests.
[[nodiscard]] core::Result<search::ForYouRequest> to_for_you_request(const Parameters& parameters, core::SteadyTime received);
[[nodiscard]] core::Result<search::SimilarRequest> to_similar_request(const Parameters& parameters, core::SteadyTime received);

}  // namespace scalestyle::http
