#include "http/json_shapes.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "catalog/image_url.hpp"
#include "http/json_writer.hpp"
#include "http/reason_shapes.hpp"
#include "http/recommendation_shapes.hpp"

namespace scalestyle::http {

namespace {

using catalog::Attribute;

double milliseconds(std::chrono::nanoseconds duration) { return std::chrono::duration<double, std::milli>(duration).count(); }

void write_price(JsonWriter& json, const catalog::ArticleView& article) {
  json.key("price");
  if (const auto price = article.price()) {
    json.number(*price);
  } else {
    json.null();
  }
}

void write_image_url(JsonWriter& json, const catalog::ArticleView& article) {
  json.key("image_url");
  if (article.image_path().empty()) {
    json.null();
  } else {
    json.text(catalog::image_url(article.id()));
  }
}

void write_terms(JsonWriter& json, const std::vector<retrieval::TermExplanation>& terms) {
  json.key("terms").begin_array();
  for (const retrieval::TermExplanation& term : terms) {
    json.begin_object();
    json.key("query").text(term.query_text);
    json.key("word").text(term.word);
    json.key("match").text(retrieval::to_string(term.kind));
    json.key("score").number(term.score);
    json.key("fields").begin_array();
    for (const auto& field : term.fields) {
      json.begin_object();
      json.key("field").text(retrieval::to_string(field.field));
      json.key("count").integer(field.count);
      json.key("share").number(field.share);
      json.end_object();
    }
    json.end_array();
    json.end_object();
  }
  json.end_array();
}

void write_rules(JsonWriter& json, const search::ItemExplanation& explanation) {
  if (explanation.rules.empty()) return;
  json.key("rule_factor").number(explanation.rule_factor);
  json.key("rules").begin_array();
  for (const search::RuleOnItem& act : explanation.rules) {
    json.begin_object();
    json.key("rule").text(act.rule);
    json.key("does").text(act.does);
    json.key("factor").number(act.factor);
    json.end_object();
  }
  json.end_array();
}

void write_explanation(JsonWriter& json, const search::AnswerItem& item) {
  const search::ItemExplanation& explanation = *item.explanation;
  json.key("explain").begin_object();
  json.key("named").boolean(explanation.is_named);
  json.key("legs").begin_array();
  for (const auto& place : explanation.legs) {
    json.begin_object();
    json.key("leg").text(ranking::to_string(place.leg));
    json.key("rank").integer(place.rank);
    json.key("score").number(place.score);
    json.end_object();
  }
  json.end_array();
  write_terms(json, explanation.terms);
  json.key("fused_score").number(explanation.fused_score);
  if (explanation.cross_encoder) {
    json.key("cross_encoder").begin_object();
    json.key("score").number(explanation.cross_encoder->score);
    json.key("logit").number(explanation.cross_encoder->logit);
    json.end_object();
  }
  json.key("understood").begin_array();
  for (const auto& met : explanation.met) {
    json.begin_object();
    json.key("id").text(met.id);
    json.key("credit").number(met.credit);
    json.end_object();
  }
  json.end_array();
  if (explanation.preference) json.key("preference").number(*explanation.preference);
  write_shares(json, explanation);
  write_look(json, explanation);
  write_rising(json, explanation);
  json.key("base_score").number(explanation.base_score);
  write_rules(json, explanation);
  json.key("boost").begin_object();
  json.key("recent_click").number(item.boost.recent_click);
  json.key("category_affinity").number(item.boost.category_affinity);
  json.key("online_popularity").number(item.boost.online_popularity);
  json.key("factor").number(item.boost.factor);
  json.end_object();
  json.end_object();
}

void write_variants(JsonWriter& json, const search::AnswerItem& item) {
  json.key("variants").begin_array();
  for (const search::Variant& variant : item.variants) {
    json.begin_object();
    json.key("article_id").text(variant.article.id());
    json.key("colour").text(variant.article.colour());
    write_price(json, variant.article);
    write_image_url(json, variant.article);
    json.key("matches").boolean(variant.matches);
    json.end_object();
  }
  json.end_array();
  json.key("variants_total").integer(item.variants_total);
}

void write_item(JsonWriter& json, const search::AnswerItem& item, bool collapsed) {
  const catalog::ArticleView& article = item.article;
  json.begin_object();
  json.key("article_id").text(article.id());
  json.key("product_name").text(article.name());
  json.key("product_type").text(article.product_type());
  json.key("colour").text(article.colour());
  json.key("department").text(article.department());
  json.key("description").text(article.description());
  write_price(json, article);
  write_image_url(json, article);
  json.key("score").number(static_cast<float>(item.score));
  if (item.behavior_score) json.key("behaviorScore").number(static_cast<float>(*item.behavior_score));
  if (item.text_score) json.key("text_score").number(static_cast<float>(*item.text_score));
  if (item.image_score) json.key("image_score").number(static_cast<float>(*item.image_score));
  write_reason(json, item);
  json.key("rank").integer(item.rank);
  if (!item.slot.empty()) json.key("slot").text(item.slot);
  write_exploration(json, item);
  if (!item.pinned_by.empty()) json.key("pinned_by").text(item.pinned_by);
  if (collapsed) write_variants(json, item);
  if (item.explanation) write_explanation(json, item);
  json.end_object();
}

void write_degradations(JsonWriter& json, const search::SearchAnswer& answer) {
  const auto worst = search::most_severe(answer.degradations);
  json.key("degraded").boolean(worst.has_value());
  json.key("degradation_reason");
  if (worst) {
    json.text(search::to_string(*worst));
  } else {
    json.null();
  }
  if (answer.fallback_source) json.key("fallback_source").text(search::to_string(*answer.fallback_source));
  json.key("degradations").begin_array();
  for (const search::DegradationReason reason : answer.degradations) json.text(search::to_string(reason));
  json.end_array();
}

void write_understood(JsonWriter& json, const std::vector<search::Understood>& understood) {
  json.key("understood").begin_array();
  for (const search::Understood& entry : understood) {
    json.begin_object();
    if (!entry.id.empty()) json.key("id").text(entry.id);
    json.key("field").text(entry.field);
    json.key("value").text(entry.value);
    if (!entry.text.empty()) json.key("text").text(entry.text);
    if (!entry.effect.empty()) json.key("effect").text(entry.effect);
    if (!entry.why.empty()) json.key("why").text(entry.why);
    json.key("origin").text(entry.origin);
    json.end_object();
  }
  json.end_array();
}

void write_rerank_report(JsonWriter& json, const search::RerankReport& report) {
  json.key("model").text(report.model);
  json.key("precision").text(report.precision);
  json.key("scored").integer(report.scored);
  json.key("planned").integer(report.planned);
  json.key("cached_pairs").integer(report.cached_pairs);
}

void write_rerank(JsonWriter& json, const search::SearchAnswer& answer) {
  if (!answer.rerank) return;
  json.key("rerank").begin_object();
  write_rerank_report(json, *answer.rerank);
  if (answer.first_rerank) {
    json.key("first_pass").begin_object();
    write_rerank_report(json, *answer.first_rerank);
    json.end_object();
  }
  json.end_object();
}

void write_number_or_null(JsonWriter& json, std::string_view name, std::optional<double> value) {
  json.key(name);
  if (value) {
    json.number(*value);
  } else {
    json.null();
  }
}

void write_facets(JsonWriter& json, const search::Facets& facets) {
  json.key("facets").begin_array();
  for (const search::ValueFacet& facet : facets.values) {
    json.begin_object();
    json.key("field").text(catalog::parameter_name(facet.field));
    json.key("values").begin_array();
    for (const search::FacetValue& value : facet.values) {
      json.begin_object();
      json.key("value").text(value.text);
      json.key("count").integer(value.count);
      json.end_object();
    }
    json.end_array();
    json.key("values_total").integer(facet.distinct);
    json.key("other").integer(facet.other);
    json.key("own_filter_applied").boolean(facet.own_filter_applied);
    json.end_object();
  }
  if (facets.price) {
    json.begin_object();
    json.key("field").text("price");
    json.key("count").integer(facets.price->count);
    write_number_or_null(json, "min", facets.price->minimum);
    write_number_or_null(json, "max", facets.price->maximum);
    json.key("ranges").begin_array();
    for (const search::PriceRange& range : facets.price->ranges) {
      json.begin_object();
      write_number_or_null(json, "from", range.from);
      write_number_or_null(json, "to", range.to);
      json.key("count").integer(range.count);
      json.end_object();
    }
    json.end_array();
    json.key("own_filter_applied").boolean(facets.price->own_filter_applied);
    json.end_object();
  }
  json.end_array();
}

void write_acting_rules(JsonWriter& json, const search::ActingRules& rules) {
  if (rules.ids.empty()) return;
  json.key("rules").begin_array();
  for (const std::string& id : rules.ids) json.text(id);
  json.end_array();
  if (rules.redirect) {
    json.key("redirect").begin_object();
    if (!rules.redirect->url.empty()) json.key("url").text(rules.redirect->url);
    if (!rules.redirect->query.empty()) json.key("query").text(rules.redirect->query);
    json.key("rule").text(rules.redirect->rule);
    json.end_object();
  }
  if (rules.skipped_pins.empty()) return;
  json.key("skipped_pins").begin_array();
  for (const auto& pin : rules.skipped_pins) {
    json.begin_object();
    json.key("rule").text(pin.rule);
    json.key("target").text(pin.target);
    json.key("position").integer(pin.position);
    json.key("reason").text(pin.reason);
    json.end_object();
  }
  json.end_array();
}

// What concerns the shopper.
void write_personalization(JsonWriter& json, const search::SearchAnswer& answer) {
  if (answer.freshness_ms) json.key("freshness_ms").integer(static_cast<std::uint64_t>(std::max<std::int64_t>(0, *answer.freshness_ms)));
  if (answer.after_reached) json.key("after_reached").boolean(*answer.after_reached);
  json.key("personalized").boolean(answer.personalized);
  if (answer.experiments.empty()) return;
  json.key("experiments").begin_array();
  for (const events::ExperimentArm& arm : answer.experiments) {
    json.begin_object();
    json.key("experiment").text(arm.experiment);
    json.key("arm").text(arm.arm);
    json.end_object();
  }
  json.end_array();
}

}  // namespace

void write_stages(JsonWriter& json, const std::vector<search::StageReport>& stages) {
  json.key("stages").begin_array();
  for (const search::StageReport& report : stages) {
    json.begin_object();
    json.key("stage").text(search::to_string(report.stage));
    json.key("outcome").text(search::to_string(report.outcome));
    json.key("took_ms").milliseconds(milliseconds(report.took));
    json.end_object();
  }
  json.end_array();
}

std::string search_answer_json(const search::SearchAnswer& answer, std::string_view configuration) {
  constexpr std::size_t kEnvelopeBytes = 1024;
  constexpr std::size_t kItemBytes = 1024;
  JsonWriter json(kEnvelopeBytes + answer.items.size() * kItemBytes);
  json.begin_object();
  json.key("status").text("success");
  json.key("request_id").text(answer.request_id.value());
  json.key("took_ms").milliseconds(milliseconds(answer.took));
  write_degradations(json, answer);
  write_stages(json, answer.stages);
  if (answer.list_source) json.key("list_source").text(search::to_string(*answer.list_source));
  write_understood(json, answer.understood);
  write_sources(json, answer);
  write_rerank(json, answer);
  write_reason_report(json, answer);
  write_personalization(json, answer);
  if (!configuration.empty()) json.key("configuration").text(configuration);
  write_acting_rules(json, answer.rules);
  json.key("total").integer(answer.total);
  json.key("total_relation").text(answer.total_relation == search::TotalRelation::kEqual ? "eq" : "gte");
  json.key("data").begin_array();
  for (const search::AnswerItem& item : answer.items) write_item(json, item, answer.collapsed);
  json.end_array();
  if (answer.facets) write_facets(json, *answer.facets);
  if (!answer.cursor.empty()) json.key("cursor").text(answer.cursor);
  json.end_object();
  return std::move(json).take();
}

std::string suggest_answer_json(const search::SuggestAnswer& answer) {
  constexpr std::size_t kEnvelopeBytes = 256;
  constexpr std::size_t kSuggestionBytes = 128;
  JsonWriter json(kEnvelopeBytes + answer.suggestions.size() * kSuggestionBytes);
  json.begin_object();
  json.key("status").text("success");
  json.key("request_id").text(answer.request_id.value());
  json.key("took_ms").milliseconds(milliseconds(answer.took));
  json.key("corrected").boolean(answer.corrected);
  json.key("suggestions").begin_array();
  for (const search::Suggestion& suggestion : answer.suggestions) {
    json.begin_object();
    json.key("text").text(suggestion.text);
    json.key("source").text(search::to_string(suggestion.source));
    json.key("kind").text(suggestion.kind);
    if (suggestion.products) json.key("products").integer(*suggestion.products);
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return std::move(json).take();
}

std::string article_answer_json(const catalog::ArticleView& article, std::string_view request_id, std::chrono::nanoseconds took) {
  JsonWriter json(2048);
  json.begin_object();
  json.key("status").text("success");
  json.key("request_id").text(request_id);
  json.key("took_ms").milliseconds(milliseconds(took));
  json.key("data").begin_object();
  json.key("article_id").text(article.id());
  json.key("product_code").text(article.product_code());
  json.key("product_name").text(article.name());
  json.key("product_type").text(article.product_type());
  json.key("product_group").text(article[Attribute::kProductGroup]);
  json.key("colour").text(article.colour());
  json.key("colour_value").text(article[Attribute::kColourValue]);
  json.key("colour_family").text(article[Attribute::kColourFamily]);
  json.key("appearance").text(article[Attribute::kAppearance]);
  json.key("department").text(article.department());
  json.key("section").text(article[Attribute::kSection]);
  json.key("garment_group").text(article[Attribute::kGarmentGroup]);
  json.key("index").text(article[Attribute::kIndex]);
  json.key("index_group").text(article[Attribute::kIndexGroup]);
  json.key("description").text(article.description());
  write_price(json, article);
  json.key("available").boolean(article.available());
  json.key("purchase_count").integer(article.purchase_count());
  write_image_url(json, article);
  json.end_object();
  json.end_object();
  return std::move(json).take();
}

}  // namespace scalestyle::http
