#pragma once
// Why one article is for one shopper, outside any list: what SearchService::reason() takes and gives.

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "search/answer.hpp"
#include "search/reason_prompt.hpp"

namespace scalestyle::search {

// What is said where a language model is asked for and none is there.
inline constexpr std::string_view kGenerationIsOff =
    "generated reasons are switched off: start the server with generation_enabled=true (or GENERATION_ENABLED=true in its "
    "environment)";

// The query may be empty. Of the rest: the shopper, personalize, the deadline.
struct ReasonRequest : SearchRequest {
  std::string article_id{};
};

struct ArticleReason {
  core::RequestId request_id{};
  std::string article_id{};       // canonical
  std::string sentence{};         // the template's
  std::string_view boosted_by{};  // as AnswerItem
  ReasonPrompt prompt{};          // for a language model
  bool personalized = false;
  std::vector<DegradationReason> degradations{};
};

using ReasonOutcome = std::expected<ArticleReason, SearchFailure>;

// kInvalidArgument with the parameter as field.
[[nodiscard]] core::Status validate(const ReasonRequest& request);

}  // namespace scalestyle::search
