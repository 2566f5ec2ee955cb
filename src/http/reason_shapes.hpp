#pragma once
// Reasons as JSON and as server-sent events. openapi_schemas.cpp and openapi_reason_schemas.cpp describe the same shapes; tests
// compare them.

#include "search/answer.hpp"

namespace scalestyle::http {

class JsonWriter;

// The members of an item about why it is there.
void write_reason(JsonWriter& json, const search::AnswerItem& item);

// The member "reasons" of an answer, where a language model was to word some.
void write_reason_report(JsonWriter& json, const search::SearchAnswer& answer);

}  // namespace scalestyle::http
