#pragma once
// Calendar days as catalogue data writes them: "YYYY-MM-DD". Pure; any thread.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace scalestyle::catalog {

// Nothing for any other form, or a day that the calendar does not have. Texts of this form order as their days do.
[[nodiscard]] std::optional<std::chrono::sys_days> parse_date(std::string_view text);

// The form above, of a day between the years 0 and 9999.
[[nodiscard]] std::string format_date(std::chrono::sys_days day);

}  // namespace scalestyle::catalog
