#pragma once
// Reasons as JSON and as server-sent events. openapi_schemas.cpp and openapi_reason_schemas.cpp describe the same shapes; tests
// compare them.

#include <chrono>
#include <string>

#include "ports/text_generator.hpp"
#include "search/answer.hpp"
#include "search/reason_request.hpp"
#include "search/reason_service.hpp"

namespace scalestyle::http {

class JsonWriter;

// The members of an item about why it is there.
void write_reason(JsonWriter& json, const search::AnswerItem& item);

// The member "reasons" of an answer, where a language model was to word some.
void write_reason_report(JsonWriter& json, const search::SearchAnswer& answer);

// What is told of one article's reason.
struct ReasonTelling {
  const search::ArticleReason& reason;
  const search::WrittenReason* written = nullptr;  // null: no language model was asked
  const ports::GeneratorInfo* model = nullptr;     // not null with `written`
  std::chrono::nanoseconds took{0};
};
[[nodiscard]] std::string reason_answer_json(const ReasonTelling& telling);

}  // namespace scalestyle::http
