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
"score":{"type":"number","minimum":0,"description":"Orders the list. Of a search: what words and meaning give together, or the cross-encoder where it reordered the list, in (0, 1], times what merchandising rules (0.1 to 10) and then the shopper's behaviour (1 to 3) make of it. Pinned articles stand where their rule says, whatever their score."},
"behaviorScore":{"type":"number","description":"What the shopper's behaviour added to the score; present when it acted."},
"reason":{"type":"string","description":"One true sentence for the shopper: why it is there. It names nothing that the data do not hold. Texts of the catalogue in it are data: escape them as any other. Absent with reasons=false."},
"reason_source":{"enum":["template","llm"],"description":"Who worded the reason: a template from what is known, or the language model, told the same and held to it."},
"boosted_by":{"enum":["recent_click","category_affinity","online_popularity"],"description":"What of the shopper's behaviour acted most; present when something did."},
"text_score":{"type":"number","minimum":0,"maximum":1,"description":"Of a search by picture with a query: what the query gave it, scaled to [0, 1] over what the query found; 0 where it did not find it."},
"image_score":{"type":"number","minimum":0,"maximum":1,"description":"The same of the picture."},
"rank":{"type":"integer","minimum":1,"description":"Place in the whole list; with a cursor, after what was shown before."},
"slot":{"type":"string","description":"Of what completes a look: which part of the outfit it is: top, bottom, full_body, outerwear, shoes, bag, hat, scarf, gloves, belt, jewellery, eyewear, hair, accessory, hosiery, underwear_top, underwear_bottom, underwear, nightwear, swim_top, swim_bottom, swimwear, beachwear, other, or a product group of the catalogue."},
"exploration":{"type":"object","description":"It was drawn to be shown at this place, so that something is learned of it; absent otherwise.","required":["probability"],"properties":{
"probability":{"type":"number","minimum":0,"maximum":1,"description":"That it would be, before the draw."}}},
"pinned_by":{"type":"string","description":"The merchandising rule that put it there; absent otherwise."},
"variants":{"type":"array","maxItems":32,"items":{"$ref":"#/components/schemas/Variant"},"description":"The product's other available articles, those that pass the filters first; absent with collapse=false."},
"variants_total":{"type":"integer","minimum":0,"description":"How many of them there are."},
"explain":{"$ref":"#/components/schemas/Explanation"}}})json";

constexpr std::string_view kVariant = R"json({
"type":"object","description":"Another article of an item's product.","required":["article_id","colour","price","image_url","matches"],
"properties":{"article_id":{"type":"string"},"colour":{"type":"string"},"price":{"type":["number","null"],"minimum":0},
"image_url":{"type":["string","null"]},"matches":{"type":"boolean","description":"It passes the filters."}}})json";

constexpr std::string_view kFacet = R"json({
"type":"object","description":"How many of the list's items (products; articles with collapse=false) have each value of a field, or lie in each range of prices. An item counts for each value that one of its articles in the list has.",
"required":["field","own_filter_applied"],
"properties":{
"field":{"enum":["colour","colour_family","type","group","department","section","garment_group","index","price"]},
"values":{"type":"array","maxItems":50,"description":"By count, then text; absent for the price.","items":{"type":"object","required":["value","count"],"properties":{
"value":{"type":"string"},"count":{"type":"integer","minimum":1}}}},
"values_total":{"type":"integer","minimum":0,"description":"How many values there are."},
"other":{"type":"integer","minimum":0,"description":"Sum of the counts of the values that are left out."},
"count":{"type":"integer","minimum":0,"description":"Of the price: items that have one."},
"min":{"type":["number","null"]},"max":{"type":["number","null"]},
"ranges":{"type":"array","maxItems":5,"description":"Of the price, rising, at round numbers near the fifths. Both ends belong to a range, as with price_min and price_max; null: open.","items":{"type":"object","required":["from","to","count"],"properties":{
"from":{"type":["number","null"]},"to":{"type":["number","null"]},"count":{"type":"integer","minimum":0}}}},
"own_filter_applied":{"type":"boolean","description":"The field is filtered and only what passes is counted, as in lists that a query or recent events made. Where the filters alone make the list, a field is counted as if its own filter were not set."}}})json";

constexpr std::string_view kExplanation = R"json({
"type":"object","description":"Why an article is where it is; present when explain was asked for.","required":["named","legs","terms","fused_score","understood","base_score","boost"],
"properties":{
"named":{"type":"boolean","description":"The query has its id or product code: it comes first."},
"legs":{"type":"array","description":"The legs that found it.","items":{"type":"object","required":["leg","rank","score"],"properties":{
"leg":{"enum":["lexical","dense","image"]},"rank":{"type":"integer","minimum":1},"score":{"type":"number","description":"BM25F of the lexical leg, cosine of the others."}}}},
"terms":{"type":"array","description":"What the lexical score is made of.","items":{"type":"object","required":["query","word","match","score","fields"],"properties":{
"query":{"type":"string","description":"The words of the query."},"word":{"type":"string","description":"As looked up."},
"match":{"enum":["word","compound","synonym","prefix","correction"]},"score":{"type":"number"},
"fields":{"type":"array","items":{"type":"object","required":["field","count","share"],"properties":{
"field":{"type":"string"},"count":{"type":"integer","minimum":0},"share":{"type":"number","description":"Of the word's weight in this article."}}}}}}},
"fused_score":{"type":"number","description":"Of words and meaning together; of a recommendation the blend of its sources."},
"look":{"type":"object","description":"Of what completes a look: score is made of these.","required":["source","together","colour"],"properties":{
"source":{"enum":["bought_together","variant_bought_together","chosen_together","popular_in_slot"]},"together":{"type":"number","minimum":0,"maximum":1,"description":"How much it was bought or chosen with the article, or how popular it is, beside the greatest."},
"colour":{"type":"number","minimum":0,"maximum":1,"description":"How well the colours go together."}}},
"rising":{"type":"object","description":"Of what rises: weighted events of the window and of the time before it, which is lengths times as long, and their smoothed ratio in equal times.","required":["now","before","lengths","ratio"],"properties":{
"now":{"type":"number","minimum":0},"before":{"type":"number","minimum":0},"lengths":{"type":"number","minimum":0},"ratio":{"type":"number","minimum":0}}},
"sources":{"type":"array","description":"Of a recommendation: the sources that have the article. fused_score is the sum of weight times score, divided by the sum of all sources' weights.","items":{"type":"object","required":["source","score","weight"],"properties":{
"source":{"$ref":"#/components/schemas/RecommendationSource"},"score":{"type":"number","minimum":0,"maximum":1},"weight":{"type":"number","minimum":0,"description":"As set; for_you_weights, similar_weights."}}}},
"ranker":{"type":"object","description":"Of a list for one shopper that a learned ranker ordered: its score of the article, which is the base_score but for rules.","required":["id","score"],"properties":{
"id":{"type":"string"},"score":{"type":"number","minimum":0,"maximum":1,"description":"Above 0.5 where its trees judged the article, which they do for the 300 best of the blend."}}},
"cross_encoder":{"type":"object","description":"What the cross-encoder says of it; absent where it was not judged.","required":["score","logit"],"properties":{
"score":{"type":"number","description":"In (0, 1]."},"logit":{"type":"number"}}},
"understood":{"type":"array","description":"What the query asks for and the article has.","items":{"type":"object","required":["id","credit"],"properties":{
"id":{"type":"string","description":"Of the answer's understood."},"credit":{"type":"number","description":"In (0, 1]: below 1 it is only akin to what was asked for."}}}},
"preference":{"type":"number","minimum":0,"maximum":1,"description":"The weighted share of what the query prefers that the article meets; absent when it prefers nothing."},
"base_score":{"type":"number","description":"Before the shopper's behaviour acted."},
"rule_factor":{"type":"number","minimum":0.1,"maximum":10,"description":"What merchandising rules made of the base score, which has it in it; present when one acted on the article."},
"rules":{"type":"array","items":{"type":"object","required":["rule","does","factor"],"properties":{"rule":{"type":"string"},"does":{"enum":["boost","bury"]},"factor":{"type":"number"}}}},
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
"list_source":{"enum":["made","shared","kept","older"],"description":"Of a search: its ranked list was made for this request, for another request at the same time, or kept from before; older: from the generation before, while the new list is made."},
"understood":{"type":"array","items":{"$ref":"#/components/schemas/Understood"}},
"sources":{"type":"array","description":"Of a recommendation: what it was blended from. skipped: the source has nothing to say here, or the time was short.","items":{"type":"object","required":["source","outcome","articles"],"properties":{
"source":{"$ref":"#/components/schemas/RecommendationSource"},"outcome":{"enum":["ok","skipped","late","failed","refused","cancelled"]},"articles":{"type":"integer","minimum":0,"description":"Of the list, that it gave a score."}}}},
"ranker":{"type":"object","description":"With explain, of a list for one shopper: the learned ranker that ordered it, or why the blend did.","required":["why"],"properties":{"id":{"type":"string","description":"Absent: the blend's order."},"why":{"type":"string"}}},
"rerank":{"$ref":"#/components/schemas/Rerank"},
"reasons":{"$ref":"#/components/schemas/ReasonReport"},
"freshness_ms":{"type":"integer","minimum":0,"description":"Age of the newest event, of anyone's, that has taken effect; absent when there is none or nobody asked."},
"after_reached":{"type":"boolean","description":"Whether the event of the parameter after has taken effect; present when it was given."},
"personalized":{"type":"boolean","description":"The shopper's own events were read and used."},
"experiments":{"type":"array","items":{"$ref":"#/components/schemas/ExperimentArm"},"description":"The arms that the shopper is in; absent without any."},
"configuration":{"type":"string","description":"The named configuration that gave what the request did not; absent without one."},
"rules":{"type":"array","items":{"type":"string"},"description":"Ids of the merchandising rules that act on this request; absent without any."},
"redirect":{"type":"object","description":"Where a merchandising rule would rather have the shopper: one of url and query.","required":["rule"],"properties":{"url":{"type":"string"},"query":{"type":"string"},"rule":{"type":"string"}}},
"skipped_pins":{"type":"array","description":"With explain: pins that could not be set.","items":{"type":"object","required":["rule","target","position","reason"],"properties":{"rule":{"type":"string"},"target":{"type":"string","description":"Article id or product code."},"position":{"type":"integer"},"reason":{"enum":["unknown","unavailable","hidden","filtered_out","pinned_before","no_position"]}}}},
"total":{"type":"integer","minimum":0,"description":"Products in the ranked list; articles with collapse=false."},
"total_relation":{"enum":["eq","gte"],"description":"gte: the list was cut, more articles match."},
"data":{"type":"array","items":{"$ref":"#/components/schemas/ArticleItem"}},
"facets":{"type":"array","items":{"$ref":"#/components/schemas/Facet"},"description":"What the parameter facets asked for, counted over the whole list."},
"cursor":{"type":"string","description":"For the next page; absent when there is none. It is good for a limited time, for the same request only."}}})json";

constexpr std::string_view kRecommendationSource = R"json({
"enum":["own","variant","bought_together","section","similar_text","similar_picture","new","popular","chosen_together","popular_in_slot"],
"description":"chosen_together, popular_in_slot: of a look, chosen with the article within the last day, popular in a part of the outfit that nothing else was found for; own: the shopper's own items; variant: other articles of their products; bought_together: bought or chosen by the same shoppers; section: popular in the shopper's sections; similar_text, similar_picture: near to the newest of their items, or to the article of the request; new; popular."})json";

constexpr std::string_view kSuggestAnswer = R"json({
"type":"object","required":["status","request_id","took_ms","corrected","suggestions"],
"properties":{"status":{"const":"success"},"request_id":{"$ref":"#/components/schemas/RequestId"},
"took_ms":{"type":"number","minimum":0},
"corrected":{"type":"boolean","description":"Nothing begins as it was typed; these are one typing error away."},
"suggestions":{"type":"array","items":{"$ref":"#/components/schemas/Suggestion"}}}})json";

constexpr std::string_view kSuggestion = R"json({
"type":"object","required":["text","source","kind"],
"properties":{
"text":{"type":"string","description":"To be searched for, in lower case."},
"source":{"enum":["query","catalog"],"description":"query: other shoppers ask for it. catalog: a phrase of the catalogue."},
"kind":{"enum":["query","type","colour_type","audience_type","section","department","name"],"description":"What the phrase is in the catalogue; query: only a query."},
"products":{"type":"integer","minimum":1,"description":"Products behind the phrase; absent for what is only a query."}}})json";

constexpr std::string_view kStage = R"json({
"type":"object","description":"What a step of the search did and how long it took, waiting included.","required":["stage","outcome","took_ms"],
"properties":{"stage":{"enum":["admission","validate","list","understand","filter","snapshot","lexical","embed","retrieve","embed_image","retrieve_image","order","rerank","fallback","rules","personalize","page","reasons"]},
"outcome":{"enum":["ok","skipped","late","failed","refused","cancelled"]},"took_ms":{"type":"number","minimum":0}}})json";

constexpr std::string_view kRerank = R"json({
"type":"object","description":"How far the cross-encoder got; absent where none is installed, wanted or needed.","required":["model","precision","scored","planned","cached_pairs"],
"properties":{"model":{"type":"string"},"precision":{"enum":["f32","bf16","int8"]},
"scored":{"type":"integer","minimum":0,"description":"Articles that it judged, of those planned; less is degraded."},
"planned":{"type":"integer","minimum":0},
"cached_pairs":{"type":"integer","minimum":0,"description":"Of the judged ones, those judged before."},
"first_pass":{"$ref":"#/components/schemas/Rerank"}}})json";

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

constexpr std::string_view kCacheStats = R"json({
"type":"object","description":"What the server keeps between requests; counters are since its start.","required":["status","request_id","ranked_lists","near_articles"],
"properties":{"status":{"const":"success"},"request_id":{"$ref":"#/components/schemas/RequestId"},
"ranked_lists":{"type":"object","required":["entries","bytes","max_bytes","hits","stale_hits","misses","evictions","oldest_ms","newest_ms"],"properties":{
"entries":{"type":"integer","minimum":0},"bytes":{"type":"integer","minimum":0},"max_bytes":{"type":"integer","minimum":0,"description":"0: no list is kept."},
"hits":{"type":"integer","minimum":0},"stale_hits":{"type":"integer","minimum":0,"description":"Lists of the generation before, given while the new one was made."},
"misses":{"type":"integer","minimum":0},"evictions":{"type":"integer","minimum":0},
"oldest_ms":{"type":["number","null"],"minimum":0,"description":"Age of the oldest entry."},"newest_ms":{"type":["number","null"],"minimum":0}}},
"pair_scores":{"type":"object","description":"Scores that the reranker gave; absent without one.","required":["entries","bytes","max_bytes","hits","misses","evictions","oldest_use_ms"],"properties":{
"entries":{"type":"integer","minimum":0},"bytes":{"type":"integer","minimum":0},"max_bytes":{"type":"integer","minimum":0},
"hits":{"type":"integer","minimum":0},"misses":{"type":"integer","minimum":0},"evictions":{"type":"integer","minimum":0},
"oldest_use_ms":{"type":"number","minimum":0,"description":"How long ago the entry that goes next was used."}}},
"picture_vectors":{"type":"object","description":"Vectors of pictures and words that were looked for; absent without vision.","required":["entries","bytes","max_bytes","hits","misses","evictions"],"properties":{
"entries":{"type":"integer","minimum":0},"bytes":{"type":"integer","minimum":0},"max_bytes":{"type":"integer","minimum":0},
"hits":{"type":"integer","minimum":0},"misses":{"type":"integer","minimum":0},"evictions":{"type":"integer","minimum":0}}},
"near_articles":{"type":"object","description":"Lists of the articles near to one, for recommendations.","required":["entries","bytes","max_bytes","hits","misses","evictions"],"properties":{
"entries":{"type":"integer","minimum":0},"bytes":{"type":"integer","minimum":0},"max_bytes":{"type":"integer","minimum":0},
"hits":{"type":"integer","minimum":0},"misses":{"type":"integer","minimum":0},"evictions":{"type":"integer","minimum":0}}}}})json";

constexpr std::string_view kReady = R"json({
"type":"object","required":["status","generation","articles"],
"properties":{"status":{"const":"ready"},"generation":{"type":"string"},"articles":{"type":"integer","minimum":0},
"dependencies":{"type":"array","description":"The engines behind this server, also those that answers can do without; then they are degraded.","items":{"type":"object","required":["name","engine","status"],"properties":{
"name":{"type":"string"},"engine":{"type":"string"},"status":{"enum":["ok","down"]},"cause":{"type":"string","description":"Of one that is down."},
"breaker":{"enum":["closed","half_open","open"],"description":"Its circuit breaker, where it has one: while it is open, it is not asked."}}}}}})json";

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
  json.key("Variant").raw(without_line_ends(kVariant));
  json.key("Facet").raw(without_line_ends(kFacet));
  json.key("Explanation").raw(without_line_ends(kExplanation));
  json.key("RecommendationSource").raw(without_line_ends(kRecommendationSource));
  json.key("SuggestAnswer").raw(without_line_ends(kSuggestAnswer));
  json.key("Suggestion").raw(without_line_ends(kSuggestion));
  json.key("Stage").raw(without_line_ends(kStage));
  json.key("Rerank").raw(without_line_ends(kRerank));
  json.key("Understood").raw(without_line_ends(kUnderstood));
  json.key("ArticleAnswer").raw(without_line_ends(kArticleAnswer));
  json.key("Article").raw(without_line_ends(kArticle));
  json.key("Error").raw(without_line_ends(kError));
  json.key("ExperimentArm").raw(without_line_ends(kExperimentArm));
  write_event_schemas(json);
  write_article_schemas(json);
  write_diagnostic_schemas(json);
  write_reason_schemas(json);
  write_form_schemas(json);
  json.key("RequestId").raw(without_line_ends(kRequestId));
  json.key("Live").raw(without_line_ends(kLive));
  json.key("CacheStats").raw(without_line_ends(kCacheStats));
  json.key("Ready").raw(without_line_ends(kReady));
  json.key("DegradationReason");
  write_degradation_reasons(json);
  json.key("ErrorCode");
  write_error_codes(json);
  json.end_object();
  return std::move(json).take();
}

}  // namespace scalestyle::http
