#pragma once
// What a list is, as text: two requests with equal fingerprints ask for the same list, perhaps another part of it, for
// another shopper, or with other details. What a cursor is good for.

#include <string>

#include "search/answer.hpp"
#include "search/recommendation.hpp"

namespace scalestyle::search {

// Every member that chooses or orders the list must be in it. Filter values count as filters compare them, in any order.
[[nodiscard]] std::string request_fingerprint(const SearchRequest& request);
[[nodiscard]] std::string request_fingerprint(const BrowseRequest& request);
[[nodiscard]] std::string request_fingerprint(const TrendingRequest& request);
[[nodiscard]] std::string request_fingerprint(const ForYouRequest& request);
[[nodiscard]] std::string request_fingerprint(const SimilarRequest& request);

}  // namespace scalestyle::search
