#pragma once
// What doctor says of the models that are opt-in: vision and generation.

#include <string>
#include <string_view>

#include "core/settings.hpp"

namespace boost::json {
class object;
}

namespace scalestyle::app {

struct OptionalModel {
  std::string model;          // a name of the manifest, or a path to a folder
  bool enabled = false;
  unsigned stored_bits = 32;  // a weight of its model.safetensors
};

// {model, enabled, state, good, memory_mb?: {f32, bf16, int8}, available_mb?}. Looks at the sizes of its files only. `good` is
// false where it is enabled and cannot be used.
[[nodiscard]] boost::json::object describe_optional_model(const core::Settings& settings, const OptionalModel& optional);

// The report for people, a line under `label`.
void print_optional_model(std::string_view label, const boost::json::object& report);

}  // namespace scalestyle::app
