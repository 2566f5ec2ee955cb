#pragma once
// A configuration of the search as one word of the command line: what a request asks for besides its query, in the
// parameters of GET /api/recommendation/search.
//
//   NAME:personalize=false&colour=Red        or without a name: colour=Red        or "default": all parameters' defaults
//
// Values are percent-encoded as in a URL ("+" is a blank). Besides the parameters of the route there is `prefix`, a text
// put before every query. deadline_ms is the longest allowed unless it is given, so that nothing is cut short, and collapse
// is false, since judgements are of articles; k limits how many articles are asked for at once and at all. query, offset
// and cursor belong to the evaluation. config=NAME takes the parameters of a named configuration (http/search_configurations.hpp),
// as a request does; a word "@NAME" is "NAME:config=NAME".

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "core/clock.hpp"
#include "core/result.hpp"
#include "http/query_string.hpp"
#include "http/search_configurations.hpp"
#include "search/answer.hpp"

namespace scalestyle::app {

struct SearchConfiguration {
  std::string name;
  std::string prefix{};
  std::optional<std::size_t> k{};
  http::QueryPairs parameters{};  // all others; checked
};

// kInvalidArgument with the parameter as field, as the route would answer; the message begins with the configuration.
// `named` are the named ones; null: there are none.
[[nodiscard]] core::Result<SearchConfiguration> parse_search_configuration(std::string_view text,
                                                                           const http::ConfigurationFile* named = nullptr);

// The request for `k` articles from `offset` on, received at `now`. Errors: a query that the route would refuse.
[[nodiscard]] core::Result<search::SearchRequest> make_search_request(const SearchConfiguration& configuration,
                                                                      std::string_view query, std::size_t k,
                                                                      std::size_t offset, core::SteadyTime now);

}  // namespace scalestyle::app
