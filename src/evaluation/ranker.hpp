#pragma once
// What is evaluated: anything that ranks articles for a query, under a name. The evaluation knows no search.

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/article_id.hpp"
#include "core/result.hpp"

namespace scalestyle::evaluation {

struct RankedList {
  std::vector<catalog::ArticleId> articles;   // best first
  double milliseconds = 0;                    // that the first page took
  std::vector<std::string> degradations{};    // why it is less than the full answer; empty: it is not
};

// The best `depth` articles for a query, or fewer when there are no more. Called from one thread.
using Ranker = std::function<core::Result<RankedList>(std::string_view query, std::size_t depth)>;

struct Configuration {
  std::string name;
  Ranker rank;
};

}  // namespace scalestyle::evaluation
