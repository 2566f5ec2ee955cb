#pragma once
// The answers of the event and user routes as JSON. openapi_event_schemas.cpp describes the same shapes; a test compares
// them.

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "search/event_service.hpp"

namespace scalestyle::http {

// What every answer begins with.
struct AnswerHead {
  std::string_view request_id;
  std::chrono::nanoseconds took{0};
};

[[nodiscard]] std::string event_answer_json(const AnswerHead& head, const search::TrackedEvent& event);
[[nodiscard]] std::string events_answer_json(const AnswerHead& head, const std::vector<search::TrackedEvent>& events);
[[nodiscard]] std::string forget_answer_json(const AnswerHead& head, const search::ForgetAnswer& answer);
[[nodiscard]] std::string features_answer_json(const AnswerHead& head, const search::FeaturesAnswer& answer);
[[nodiscard]] std::string user_answer_json(const AnswerHead& head, const search::ExportAnswer& answer);

}  // namespace scalestyle::http
