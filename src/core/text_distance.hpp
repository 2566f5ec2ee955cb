#pragma once
// "Did you mean": the nearest of a few known names.

#include <span>
#include <string>
#include <string_view>

namespace scalestyle::core {

// Optimal string alignment distance (insert, delete, replace, swap neighbours), in bytes. For short names.
[[nodiscard]] std::size_t edit_distance(std::string_view left, std::string_view right);

// The nearest candidate within a third of its length (at least 2 edits), ties by order; empty when none is near.
[[nodiscard]] std::string nearest_name(std::string_view name, std::span<const std::string> candidates);

}  // namespace scalestyle::core
