#pragma once
// Merchandising rules in JSON, as docs/formats/rules.md describes them. Thread safety: free functions.

#include <cstddef>
#include <filesystem>
#include <string_view>

#include "core/result.hpp"
#include "ranking/rules.hpp"

namespace scalestyle::search {

inline constexpr std::size_t kMaxRuleFileBytes = std::size_t{4} << 20U;

// `name` begins the messages, then come the line, the rule's id and the member at fault. kInvalidArgument: not JSON, a
// member unknown (the nearest right one is told), given twice, missing, of a wrong type or out of its limits
// (ranking/rule.hpp), two rules of one id, too many rules or bytes.
[[nodiscard]] core::Result<ranking::RuleSet> parse_rules(std::string_view text, std::string_view name);
// The same of a file; kNotFound and the like when it cannot be read.
[[nodiscard]] core::Result<ranking::RuleSet> read_rules(const std::filesystem::path& path);

}  // namespace scalestyle::search
