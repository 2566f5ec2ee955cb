#pragma once
// What the source that speaks most for an item of a recommendation says of it to the shopper. As all reasons: nothing that the data
// do not hold.

#include <string>

#include "search/answer.hpp"
#include "search/reason_text.hpp"

namespace scalestyle::search {

// "Another variant of “Cape”, which you bought"; without an end mark. Empty where popularity speaks most, or nothing is known of the
// item; scope.recommended is not null.
[[nodiscard]] std::string source_lead(const ReasonScope& scope, const AnswerItem& item);

}  // namespace scalestyle::search
