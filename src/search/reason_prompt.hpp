#pragma once
// What a language model is asked, to say in a sentence why an article is shown.
//
// The system message is always the same. The user message is one JSON object with the query, the facts of the template's reason
// and the article's own texts, cut and cleaned (shown_text.hpp): data, and the model is told that it is nothing else. A
// model's control tokens that are spelled in a text are text (ports/text_generator.hpp).
// Pure functions.

#include <string>
#include <string_view>
#include <vector>

#include "catalog/catalog.hpp"
#include "ports/text_generator.hpp"
#include "search/reason_text.hpp"

namespace scalestyle::search {

struct ReasonPrompt {
  std::vector<ports::ChatMessage> messages{};
  std::string evidence{};  // what the model was told of the article, not of the query: what its sentence is held to
};

// `query` may be empty; `currency` too.
[[nodiscard]] ReasonPrompt reason_prompt(const ReasonClaims& claims, const catalog::ArticleView& article, std::string_view query,
                                         std::string_view currency);

}  // namespace scalestyle::search
