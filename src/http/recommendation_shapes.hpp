#pragma once
// What recommendations have besides other lists, as JSON; openapi_schemas.cpp describes the same.

#include "search/answer.hpp"

namespace scalestyle::http {

class JsonWriter;

// The member "sources" of an answer, and of an item's explanation; nothing of other lists.
void write_sources(JsonWriter& json, const search::SearchAnswer& answer);
void write_shares(JsonWriter& json, const search::ItemExplanation& explanation);

// The member "exploration" of an item that was drawn to be shown.
void write_exploration(JsonWriter& json, const search::AnswerItem& item);

}  // namespace scalestyle::http
