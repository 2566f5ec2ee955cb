#pragma once
// A search that was not answered, as an error of the API.

#include "http/api_error.hpp"
#include "search/answer.hpp"

namespace scalestyle::http {

// 400, 410, 413, 415 … for what the request is to blame for; 503 wherever there is a reason of degradation.
[[nodiscard]] ApiError to_api_error(const search::SearchFailure& failure);

}  // namespace scalestyle::http
