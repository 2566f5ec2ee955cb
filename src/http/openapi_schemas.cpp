#include <string>

#include "http/api_error.hpp"
#include "http/json_writer.hpp"
#include "http/openapi.hpp"
#include "search/degradation.hpp"

namespace scalestyle::http {

namespace {

constexpr std::string_view kArticleItem = R"json({
"type":"object","description":"One article of a ranked list.",
"required":["article_id","product_name","product_type","colour","department","description","price","image_url","score","rank"],
"properties":{
"article_id":{"type":"string","description":"Never a number: ids begin with zeros."},
"product_name":{"type":"string"},"product_type":{"type":"string"},"colour":{"type":"string"},
"department":{"type":"string"},"description":{"type":"string","description":"Empty when the article has none."},
"price":{"type":["number","null"],"minimum":0,"description":"In the catalogue's currency; null when not known."},
"image_url":{"type":["string","null"],"description":"Path on this server; null without a picture."},
"score":{"type":"number","minimum":0,"description":"Orders the list. Of a search: what words and meaning give together, in (0, 1], times what the shopper's behaviour makes of it, at most 3 times."},
"behaviorScore":{"type":"number","description":"What the shopper's behaviour added to the score; present when it acted."},
"reason":{"enum":["recent_click","category_affinity","online_popularity"],"description":"What acted most; present when something did."},
"rank":{"type":"integer","minimum":1,"description":"Place in the whole list."},
"explain":{"$ref":"#/components/schemas/Explanation"}}})json";

constexpr std::string_view kExplanation = R"json({
"type":"object","description":"Why an article is where it is; present when explain was asked for.","required":["named","legs","terms","understood","base_score","boost"],
"properties":{
"named":{"type":"boolean","description":"The query has its id or product code: it comes first."},
"legs":{"type":"array","description":"The legs that found it.","items":{"type":"object","required":["leg","rank","score"],"properties":{
"leg":{"enum":["lexical","dense"]},"rank":{"type":"integer","minimum":1},"score":{"type":"number","description":"BM25F of the lexical leg, cosine of the dense one."}}}},
"terms":{"type":"array","description":"What the lexical score is made of.","items":{"type":"object","required":["query","word","match","score","fields"],"properties":{
"query":{"type":"string","description":"The words of the query."},"word":{"type":"string","description":"As looked up."},
"match":{"enum":["word","compound","synonym","prefix","correction"]},"score":{"type":"number"},
"fields":{"type":"array","items":{"type":"object","required":["field","count","share"],"properties":{
"field":{"type":"string"},"count":{"type":"integer","minimum":0},"share":{"type":"number","description":"Of the word's weight in this article."}}}}}}},
"understood":{"type":"array","description":"What the query asks for and the article has.","items":{"type":"object","required":["id","credit"],"properties":{
"id":{"type":"string","description":"Of the answer's understood."},"credit":{"type":"number","description":"In (0, 1]: below 1 it is only akin to what was asked for."}}}},
"preference":{"type":"number","minimum":0,"maximum":1,"description":"The weighted share of what the query prefers that the article meets; absent when it prefers nothing."},
"base_score":{"type":"number","description":"Before the shopper's behaviour acted."},
"boost":{"type":"object","description":"Factors of the shopper's behaviour; factor is their product, capped.","required":["recent_click","category_affinity","online_popularity","factor"],"properties":{
"recent_click":{"type":"number"},"category_affinity":{"type":"number"},"online_popularity":{"type":"number"},"factor":{"type":"number"}}}}})json";

constexpr std::string_view kSearchAnswer = R"json({
"type":"object",
"required":["status","request_id","took_ms","degraded","degradation_reason","degradations","stages","understood","personalized","total","total_relation","data"],
"properties":{
"status":{"const":"success"},
"request_id":{"$ref":"#/components/schemas/RequestId"},
"took_ms":{"type":"number","minimum":0},
"degraded":{"type":"boolean","description":"The answer is less than the full one."},
"degradation_reason":{"oneOf":[{"$ref":"#/components/schemas/DegradationReason"},{"type":"null"}],"description":"The most severe of degradations."},
"fallback_source":{"enum":["cached","popular_24h","popular_7d","global_popular"],"description":"Where the articles came from when not from what was asked: another list than the query's (then degraded), or a longer window, since nothing happened in the one asked for."},
"degradations":{"type":"array","items":{"$ref":"#/components/schemas/DegradationReason"}},
"stages":{"type":"array","items":{"$ref":"#/components/schemas/Stage"}},
"understood":{"type":"array","items":{"$ref":"#/components/schemas/Understood"}},
"freshness_ms":{"type":"integer","minimum":0,"description":"Age of the newest event, of anyone's, that has taken effect; absent when there is none or nobody asked."},
"after_reached":{"type":"boolean","description":"Whether the event of the parameter after has taken effect; present when it was given."},
"personalized":{"type":"boolean","description":"The shopper's own events were read and used."},
"experiments":{"type":"array","items":{"$ref":"#/components/schemas/ExperimentArm"},"description":"The arms that the shopper is in; absent without any."},
"total":{"type":"integer","minimum":0,"description":"Articles in the ranked list."},
"total_relation":{"enum":["eq","gte"],"description":"gte: the list was cut, more articles match."},
"data":{"type":"array","items":{"$ref":"#/components/schemas/ArticleItem"}}}})json";

constexpr std::string_view kStage = R"json({
"type":"object","description":"What a step of the search did and how long it took, waiting included.","required":["stage","outcome","took_ms"],
"properties":{"stage":{"enum":["admission","validate","understand","filter","snapshot","lexical","embed","retrieve","order","fallback","personalize"]},
"outcome":{"enum":["ok","skipped","late","failed","refused","cancelled"]},"took_ms":{"type":"number","minimum":0}}})json";

constexpr std::string_view kUnderstood = R"json({
"type":"object","description":"Something read out of the query or in force for it.","required":["field","value","origin"],
"properties":{
"id":{"type":"string","description":"What understand_without takes to leave it out, such as colour:light-blue or not:colour:black; of a note its reason. Absent for words."},
"field":{"type":"string","description":"colour, colour_family, type, group, audience, appearance, index, section, department or price; correction, prefix, compound or synonym: what was done to a word; note: why something stayed text."},
"value":{"type":"string"},
"text":{"type":"string","description":"The words of the query."},
"effect":{"enum":["filter","prefer","exclude","dropped"],"description":"Only such articles; such articles first; no such articles; understood but not in force. Absent for words and notes."},
"why":{"enum":["explicit_filter","nothing_left"],"description":"Why it was dropped: a parameter says something about the same, or no article, or none of the kind asked for, would be left."},
"origin":{"enum":["query","filter"]}}})json";

constexpr std::string_view kExperimentArm = R"json({
"type":"object","required":["experiment","arm"],"properties":{"experiment":{"type":"string"},"arm":{"type":"string"}}})json";

constexpr std::string_view kArticle = R"json({
"type":"object","description":"An article with all its attributes; a text that is not known is empty.",
"required":["article_id","product_code","product_name","product_type","product_group","colour","colour_value","colour_family","appearance","department","section","garment_group","index","index_group","description","price","available","purchase_count","image_url"],
"properties":{
"article_id":{"type":"string"},"product_code":{"type":"string","description":"Shared by the colour variants of one product."},
"product_name":{"type":"string"},"product_type":{"type":"string"},"product_group":{"type":"string"},"colour":{"type":"string"},
"colour_value":{"type":"string"},"colour_family":{"type":"string"},"appearance":{"type":"string"},"department":{"type":"string"},
"section":{"type":"string"},"garment_group":{"type":"string"},"index":{"type":"string"},"index_group":{"type":"string"},
"description":{"type":"string"},"price":{"type":["number","null"],"minimum":0},"available":{"type":"boolean"},
"purchase_count":{"type":"integer","minimum":0},"image_url":{"type":["string","null"]}}})json";

constexpr std::string_view kArticleAnswer = R"json({
"type":"object","required":["status","request_id","took_ms","data"],
"properties":{"status":{"const":"success"},"request_id":{"$ref":"#/components/schemas/RequestId"},
"took_ms":{"type":"number","minimum":0},"data":{"$ref":"#/components/schemas/Article"}}})json";

constexpr std::string_view kError = R"json({
"type":"object","required":["status","error","request_id"],
"properties":{"status":{"const":"error"},
"error":{"type":"object","required":["code","message"],"properties":{
"code":{"$ref":"#/components/schemas/ErrorCode"},"message":{"type":"string","description":"For people; may change."},
"field":{"type":"string","description":"The parameter, header or member of the body at fault, such as events[3].item_id."},
"reason":{"$ref":"#/components/schemas/DegradationReason"},
"outcome":{"enum":["not_kept","unknown"],"description":"Of a request that was to be kept and was not answered: not_kept, or perhaps kept all the same. Sending it again with the same event_id is safe. Absent: it was refused before it was looked at, so not kept."}}},
"request_id":{"$ref":"#/components/schemas/RequestId"}}})json";

constexpr std::string_view kRequestId = R"json({
"type":"string","pattern":"^[A-Za-z0-9._-]{1,64}$","description":"The X-Request-Id that was sent, where it has this form, else a new one; also in the X-Request-Id header."})json";

constexpr std::string_view kLive = R"json({
"type":"object","required":["status"],"properties":{"status":{"const":"live"}}})json";

constexpr std::string_view kReady = R"json({
"type":"object","required":["status","generation","articles"],
"properties":{"status":{"const":"ready"},"generation":{"type":"string"},"articles":{"type":"integer","minimum":0}}})json";

void write_degradation_reasons(JsonWriter& json) {
  std::string meaning = "Why an answer is less than the full one, least severe first.";
  for (const auto& reason : search::kDegradationReasons) {
    meaning += ' ';
    meaning += reason.name;
    meaning += ": ";
    meaning += reason.trigger;
    meaning += " (served: ";
    meaning += reason.served;
    meaning += ").";
  }
  json.begin_object().key("type").text("string").key("description").text(meaning).key("enum").begin_array();
  for (const auto& reason : search::kDegradationReasons) json.text(reason.name);
  json.end_array().end_object();
}

void write_error_codes(JsonWriter& json) {
  std::string meaning = "What went wrong, for programs.";
  for (const ErrorCodeInfo& code : error_codes()) {
    meaning += ' ';
    meaning += code.code;
    meaning += " (" + std::to_string(code.status) + "): ";
    meaning += code.meaning;
    meaning += '.';
  }
  json.begin_object().key("type").text("string").key("description").text(meaning).key("enum").begin_array();
  for (const ErrorCodeInfo& code : error_codes()) json.text(code.code);
  json.end_array().end_object();
}

}  // namespace

std::string without_line_ends(std::string_view json) {
  std::string flat;
  for (const char c : json) {
    if (c != '\n') flat += c;
  }
  return flat;
}

std::string openapi_schemas() {
  JsonWriter json(32 * 1024);
  json.begin_object();
  json.key("SearchAnswer").raw(without_line_ends(kSearchAnswer));
  json.key("ArticleItem").raw(without_line_ends(kArticleItem));
  json.key("Explanation").raw(without_line_ends(kExplanation));
  json.key("Stage").raw(without_line_ends(kStage));
  json.key("Understood").raw(without_line_ends(kUnderstood));
  json.key("ArticleAnswer").raw(without_line_ends(kArticleAnswer));
  json.key("Article").raw(without_line_ends(kArticle));
  json.key("Error").raw(without_line_ends(kError));
  json.key("ExperimentArm").raw(without_line_ends(kExperimentArm));
  write_event_schemas(json);
  json.key("RequestId").raw(without_line_ends(kRequestId));
  json.key("Live").raw(without_line_ends(kLive));
  json.key("Ready").raw(without_line_ends(kReady));
  json.key("DegradationReason");
  write_degradation_reasons(json);
  json.key("ErrorCode");
  write_error_codes(json);
  json.end_object();
  return std::move(json).take();
}

}  // namespace scalestyle::http
