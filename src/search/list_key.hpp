#pragma once
// The key of a query's ranked list: everything of a request that decides the list which everybody gets, and nothing of who
// asks. Catalogue and synonyms are in ListVersion; models and weights are the same as long as the server runs.

#include <string>
#include <string_view>

#include "search/answer.hpp"

namespace scalestyle::search {

// Equal for requests with the same list: the order in which filter values are given, and their case, do not matter.
// `query` is the normalised one.
[[nodiscard]] std::string list_key(const SearchRequest& request, std::string_view query);

}  // namespace scalestyle::search
