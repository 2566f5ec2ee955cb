#include "core/request_steps.hpp"

namespace scalestyle::core {

std::string_view to_string(RequestStep step) {
  constexpr std::array<std::string_view, kRequestStepCount> kNames{
      "read",    "begin",      "parameters", "to_worker", "batch_wait", "tokenize", "model", "scan",
      "rescore", "batch_back", "record",     "json",      "back",       "write"};
  return kNames[static_cast<std::size_t>(step)];
}

RequestSteps& request_steps() {
  static constinit RequestSteps steps;
  return steps;
}

}  // namespace scalestyle::core
