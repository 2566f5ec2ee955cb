#pragma once
// Typed filters as Milvus' boolean expressions. Values come from requests: they are quoted, and what Milvus' grammar has no
// sure way to say is left out, so that every article which passes the filter passes the expression. Pure.

#include <optional>
#include <string>
#include <string_view>

#include "catalog/filters.hpp"

namespace scalestyle::adapters::milvus {

// `filter_colour in ["black", "dark \"red\""] and price >= 10.0 and price <= 20.0`; empty where nothing can be said: then all
// articles pass. A field whose values hold control characters, or that would make the expression longer than
// kMaxExpressionBytes, is left out. With `only_available` an article must be available too, as the collection knows it.
[[nodiscard]] std::string filter_expression(const catalog::Filter& filter, bool only_available = false);

// `text` (UTF-8) as a string literal. Nothing when it holds a control character.
[[nodiscard]] std::optional<std::string> quoted_text(std::string_view text);

}  // namespace scalestyle::adapters::milvus
