#include <string_view>

#include "http/openapi.hpp"

namespace scalestyle::http {

namespace {

constexpr std::string_view kWhyNot = R"json({
"type":"object","description":"Whether an article is on the page that a search gives, and if not, what keeps it off first.",
"required":["status","request_id","took_ms","article_id","on_page","cause","detail","facts","degradations","stages"],
"properties":{
"status":{"const":"success"},"request_id":{"$ref":"#/components/schemas/RequestId"},"took_ms":{"type":"number","minimum":0},
"article_id":{"type":"string"},
"on_page":{"type":"boolean","description":"It is shown on the page that was asked for."},
"rank":{"type":"integer","minimum":1,"description":"Of its item (its product, where the list is collapsed) in the whole list; absent where the article is not in it."},
"cause":{"enum":["unknown_article","removed","unavailable","filtered","hidden_by_rule","not_recalled","already_shown","collapse","fusion","rerank","sort","rules","boost","diversity","paging",null],"description":"null when it is on the page. removed: since the generation was made. filtered: see filters_failed and pieces_failed. not_recalled: in no leg's pool. already_shown: on a page before, as the cursor says. collapse: another variant stands for its product. fusion, rerank, sort, rules (boosts, buries, pins), boost (the shopper's behaviour), diversity: the last step that moved it behind the page. paging: none did, it is on another page."},
"detail":{"type":"string","description":"The same for people, in one sentence."},
"facts":{"$ref":"#/components/schemas/WhyNotFacts"},
"degradations":{"type":"array","items":{"$ref":"#/components/schemas/DegradationReason"},"description":"Of the search."},
"configuration":{"type":"string","description":"As of the search."},
"stages":{"type":"array","items":{"$ref":"#/components/schemas/Stage"}}}})json";

constexpr std::string_view kConfigurations = R"json({
"type":"object","required":["status","request_id","configurations"],
"properties":{
"status":{"const":"success"},"request_id":{"$ref":"#/components/schemas/RequestId"},
"configurations":{"type":"array","maxItems":100,"description":"In force, by name.","items":{"type":"object","required":["name","parameters"],"properties":{
"name":{"type":"string"},"parameters":{"type":"string","description":"As the file has them: a query string."}}}},
"failing":{"type":"string","description":"Why the file as it is now is not in force; absent when it is."}}})json";

constexpr std::string_view kWhyNotFacts = R"json({
"type":"object","description":"The article's way through the search. Ranks after a step are those of its item as an answer counts them; null: it is not in the list, or the step did not run. Of articles that no list can have, everything is empty.",
"required":["filters_failed","pieces_failed","legs","named","pool","fused_rank","fused_score","reranked_rank","sorted_rank","ruled_rank","rules","rule_factor","personal_rank","boost","pinned_rank","diverse_rank","score"],
"properties":{
"filters_failed":{"type":"array","items":{"type":"string"},"description":"The parameters that do not let it pass."},
"pieces_failed":{"type":"array","items":{"type":"string"},"description":"What the query says besides its words that does not let it pass: ids as understand_without takes them."},
"legs":{"type":"array","description":"The legs that were asked for.","items":{"type":"object","required":["leg","searched","recalled","rank","score"],"properties":{
"leg":{"enum":["lexical","dense","image"]},
"searched":{"type":"boolean","description":"false: it was left out or failed, see stages."},
"recalled":{"type":"boolean","description":"It is in the pool of the leg."},
"rank":{"type":["integer","null"],"minimum":1,"description":"Of the article among all that pass the filters, also behind the pool; null: not known, or nothing of it matches."},
"rank_at_least":{"type":"integer","minimum":1,"description":"Where the rank itself is not known."},
"score":{"type":["number","null"],"description":"BM25F of the lexical leg (0: no word matches), cosine of the others."}}}},
"named":{"type":"boolean","description":"The query has its id or product code."},
"pool":{"type":"integer","minimum":0,"description":"Articles that were found."},
"fused_rank":{"type":["integer","null"],"minimum":1},
"fused_score":{"type":["number","null"]},
"reranked_rank":{"type":["integer","null"],"minimum":1},
"cross_encoder":{"type":"object","description":"Absent where it was not judged.","required":["score","logit"],"properties":{"score":{"type":"number"},"logit":{"type":"number"}}},
"sorted_rank":{"type":["integer","null"],"minimum":1,"description":"After the sort by a column."},
"ruled_rank":{"type":["integer","null"],"minimum":1,"description":"After merchandising rules, but for pins."},
"rules":{"type":"array","items":{"type":"object","required":["rule","does","factor"],"properties":{"rule":{"type":"string"},"does":{"enum":["boost","bury","hide"]},"factor":{"type":"number"}}}},
"rule_factor":{"type":"number"},
"pinned_by":{"type":"string","description":"The rule that puts it where it is; absent otherwise."},
"skipped_pins":{"type":"array","description":"Rules that would pin it, and why they do not; absent without any.","items":{"type":"object","required":["rule","position","reason"],"properties":{"rule":{"type":"string"},"position":{"type":"integer"},"reason":{"type":"string"}}}},
"personal_rank":{"type":["integer","null"],"minimum":1,"description":"After the shopper's behaviour acted."},
"boost":{"type":"object","description":"Its own factors of that.","required":["recent_click","category_affinity","online_popularity","factor"],"properties":{
"recent_click":{"type":"number"},"category_affinity":{"type":"number"},"online_popularity":{"type":"number"},"factor":{"type":"number"}}},
"pinned_rank":{"type":["integer","null"],"minimum":1,"description":"With the pinned articles, this or others, at their places."},
"diverse_rank":{"type":["integer","null"],"minimum":1,"description":"With limits on types and sections."},
"score":{"type":["number","null"],"description":"What orders the list at last."},
"collapsed_into":{"type":"string","description":"The variant of its product that is in the list in its place; absent where there is none."},
"page_offset":{"type":"integer","minimum":0,"description":"The offset of the page of k items that shows it; absent where none does, and with a cursor."}}})json";

}  // namespace

void write_diagnostic_schemas(JsonWriter& json) {
  json.key("WhyNot").raw(without_line_ends(kWhyNot));
  json.key("Configurations").raw(without_line_ends(kConfigurations));
  json.key("WhyNotFacts").raw(without_line_ends(kWhyNotFacts));
}

}  // namespace scalestyle::http
