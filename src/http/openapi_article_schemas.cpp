#include <string_view>

#include "http/article_bodies.hpp"
#include "http/openapi.hpp"

namespace scalestyle::http {

namespace {

constexpr std::string_view kChangeAnswer = R"json({
"type":"object","description":"The changes are on disk.","required":["status","request_id","took_ms","operations","sequence","visible"],
"properties":{"status":{"const":"success"},"request_id":{"$ref":"#/components/schemas/RequestId"},"took_ms":{"type":"number","minimum":0},
"operations":{"type":"integer","minimum":1,"description":"How many changes were kept."},
"sequence":{"type":"integer","minimum":1,"description":"Of the last change, among all changes of articles."},
"visible":{"type":"boolean","description":"Every request that begins now sees them; false: they will be seen soon."}}})json";

}  // namespace

void write_article_schemas(JsonWriter& json) {
  for (const BodySpec* body : {&article_body(), &article_patch_body(), &changes_body()}) write_body_schema(json, *body);
  json.key("ChangeAnswer").raw(without_line_ends(kChangeAnswer));
}

}  // namespace scalestyle::http
