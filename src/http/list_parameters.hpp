#pragma once
// The parameters of the routes that answer with a list of articles, and the requests that they ask for.

#include <span>

#include "core/clock.hpp"
#include "core/result.hpp"
#include "http/parameters.hpp"
#include "search/answer.hpp"
#include "search/why_not.hpp"

namespace scalestyle::http {

[[nodiscard]] std::span<const ParameterSpec> search_parameters();
[[nodiscard]] std::span<const ParameterSpec> why_not_parameters();  // those of a search, and the article
[[nodiscard]] std::span<const ParameterSpec> browse_parameters();
[[nodiscard]] std::span<const ParameterSpec> trending_parameters();
[[nodiscard]] std::span<const ParameterSpec> list_parameters();  // what all of them have

// `received` is when the request arrived: its deadline counts from there. The request id is left to the caller.
// kInvalidArgument, field "after", when that is no token of ours.
[[nodiscard]] core::Result<search::SearchRequest> to_search_request(const Parameters& parameters, core::SteadyTime received);
[[nodiscard]] core::Result<search::WhyNotRequest> to_why_not_request(const Parameters& parameters, core::SteadyTime received);
[[nodiscard]] core::Result<search::BrowseRequest> to_browse_request(const Parameters& parameters, core::SteadyTime received);
// What list_parameters() say.
[[nodiscard]] core::Status fill_list_request(search::ListRequest& request, const Parameters& parameters, core::SteadyTime received);
[[nodiscard]] core::Result<search::TrendingRequest> to_trending_request(const Parameters& parameters, core::SteadyTime received);

}  // namespace scalestyle::http
