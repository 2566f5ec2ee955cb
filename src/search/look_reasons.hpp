#pragma once
// What brought an item into a look, said to the shopper. As all reasons: nothing that the data do not hold.

#include <string>

#include "search/answer.hpp"
#include "search/reason_text.hpp"

namespace scalestyle::search {

// "Bought by shoppers who bought “Cape”", "Goes with “Cape”"; without an end mark. Empty where nothing brought it: it was pinned.
// scope.look is not null.
[[nodiscard]] std::string look_lead(const ReasonScope& scope, const AnswerItem& item);

}  // namespace scalestyle::search
