#include <fmt/format.h>

#include <string>

#include "search/degradation.hpp"

namespace scalestyle::search {

std::string degradation_document() {
  std::string text =
      "# Degradation reasons\n"
      "\n"
      "An answer that is less than the full one says so: `degraded` is true, `degradations` lists every reason, and\n"
      "`degradation_reason` is the most severe of them. When nothing can be served the answer is a 503 whose `error.reason`\n"
      "is one of these names. An honest empty result (nothing matches the filters) is `total: 0` and not degraded.\n"
      "A trending list whose window had no event inside the filters gives way to a longer window: `fallback_source` says so,\n"
      "and the answer is not degraded, since nothing failed. So does a list for a shopper of whom nothing is known.\n"
      "\n"
      "Under pressure (`brownout`) a server leaves out work in this order: half of the rerank depth, reranking, pictures, meaning.\n"
      "Each step is named by the reason of what is missing.\n"
      "\n"
      "The setting `fallback` names the steps that may stand in for a search that cannot be answered, in the order in which they are\n"
      "tried: `words`, `other_side` (of a hybrid search), `cached`, `popular_24h`, `popular_7d`, `global_popular`. All of them by default;\n"
      "with some left out the next that is not is reached at once, and with none left the answer is the 503\n"
      "([how to try each out](reliability.md#trying-a-step-out)).\n"
      "\n"
      "A recommendation whose look into vectors met a full queue is served from its other sources, and named\n"
      "`DOWNSTREAM_CAPACITY_REJECTED` too. Embedded vectors that are late (`RETRIEVAL_UNAVAILABLE`) wait for this server's workers:\n"
      "look at its load.\n"
      "\n"
      "This page is made from `src/search/degradation.hpp`; a test compares them. The least severe reason comes first.\n"
      "\n"
      "| severity | reason | when | what is served | `fallback_source` | what an operator does |\n"
      "|---|---|---|---|---|---|\n";
  for (std::size_t i = 0; i < kDegradationReasons.size(); ++i) {
    const DegradationInfo& row = kDegradationReasons[i];
    text += fmt::format("| {} | `{}` | {} | {} | {} | {} |\n", i + 1, row.name, row.trigger, row.served, row.fallback_source,
                        row.operation);
  }
  return text;
}

}  // namespace scalestyle::search
