#include <string_view>

#include "http/openapi.hpp"
#include "http/reason_routes.hpp"

namespace scalestyle::http {

namespace {

constexpr std::string_view kReasonReport = R"json({
"type":"object","description":"How far the language model got with reasons=llm; the other items have the template's. The stage reasons is late where the time ended first.","required":["model","precision","planned","written","cached","refused"],
"properties":{"model":{"type":"string"},"precision":{"type":"string","description":"Empty: a server that does not tell."},
"planned":{"type":"integer","minimum":0,"description":"Items that the model was to be asked about."},
"written":{"type":"integer","minimum":0},
"cached":{"type":"integer","minimum":0,"description":"Of the written ones, those written before."},
"refused":{"type":"integer","minimum":0,"description":"What the model said was no plain sentence, or not in the data."}}})json";

constexpr std::string_view kReasonAnswer = R"json({
"type":"object","description":"Why an article is for a shopper.","required":["status","request_id","took_ms","article_id","reason","reason_source","personalized","degradations"],
"properties":{"status":{"const":"success"},"request_id":{"$ref":"#/components/schemas/RequestId"},"took_ms":{"type":"number","minimum":0},
"article_id":{"type":"string"},
"reason":{"type":"string","description":"One true sentence. Texts of the catalogue in it are data: escape them as any other."},
"reason_source":{"enum":["template","llm"],"description":"template though the language model was asked: what it said was refused, see refused."},
"boosted_by":{"enum":["recent_click","category_affinity","online_popularity"],"description":"What of the shopper's behaviour acts most; absent where nothing does."},
"personalized":{"type":"boolean","description":"The shopper's own events were read and used."},
"degradations":{"type":"array","items":{"$ref":"#/components/schemas/DegradationReason"}},
"model":{"type":"string","description":"The language model, where one was asked."},
"precision":{"type":"string","description":"Empty: a server that does not tell."},
"refused":{"type":"string","description":"Why what the model said was not taken; absent otherwise."},
"cached":{"type":"boolean","description":"The same was worded before."},
"prompt_tokens":{"type":"integer","minimum":0,"description":"0 where not told: it was kept from before, or stopped at the end of its sentence."},
"tokens":{"type":"integer","minimum":0,"description":"Made for this answer; where it was stopped, pieces of text."}}})json";

}  // namespace

void write_reason_schemas(JsonWriter& json) {
  write_body_schema(json, reason_body());
  json.key("ReasonReport").raw(without_line_ends(kReasonReport));
  json.key("ReasonAnswer").raw(without_line_ends(kReasonAnswer));
}

}  // namespace scalestyle::http
