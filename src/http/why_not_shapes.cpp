#include "http/why_not_shapes.hpp"

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "http/json_shapes.hpp"
#include "http/json_writer.hpp"

namespace scalestyle::http {

namespace {

void write_rank(JsonWriter& json, std::string_view name, std::optional<std::size_t> rank) {
  json.key(name);
  if (rank) {
    json.integer(*rank);
  } else {
    json.null();
  }
}

void write_score(JsonWriter& json, std::string_view name, std::optional<double> score) {
  json.key(name);
  if (score) {
    json.number(*score);
  } else {
    json.null();
  }
}

void write_legs(JsonWriter& json, const std::vector<search::WhyNotLeg>& legs) {
  json.key("legs").begin_array();
  for (const search::WhyNotLeg& leg : legs) {
    json.begin_object();
    json.key("leg").text(ranking::to_string(leg.leg));
    json.key("searched").boolean(leg.searched);
    json.key("recalled").boolean(leg.recalled);
    write_rank(json, "rank", leg.rank);
    if (leg.rank_at_least) json.key("rank_at_least").integer(*leg.rank_at_least);
    write_score(json, "score", leg.score);
    json.end_object();
  }
  json.end_array();
}

void write_rules(JsonWriter& json, const search::WhyNotFacts& facts) {
  json.key("rules").begin_array();
  for (const search::RuleOnItem& rule : facts.rules) {
    json.begin_object();
    json.key("rule").text(rule.rule);
    json.key("does").text(rule.does);
    json.key("factor").number(rule.factor);
    json.end_object();
  }
  json.end_array();
  json.key("rule_factor").number(facts.rule_factor);
  if (!facts.pinned_by.empty()) json.key("pinned_by").text(facts.pinned_by);
  if (facts.skipped_pins.empty()) return;
  json.key("skipped_pins").begin_array();
  for (const auto& pin : facts.skipped_pins) {
    json.begin_object();
    json.key("rule").text(pin.rule);
    json.key("position").integer(pin.position);
    json.key("reason").text(pin.reason);
    json.end_object();
  }
  json.end_array();
}

void write_boost(JsonWriter& json, const ranking::BoostParts& boost) {
  json.key("boost").begin_object();
  json.key("recent_click").number(boost.recent_click);
  json.key("category_affinity").number(boost.category_affinity);
  json.key("online_popularity").number(boost.online_popularity);
  json.key("factor").number(boost.factor);
  json.end_object();
}

void write_facts(JsonWriter& json, const search::WhyNotFacts& facts) {
  json.key("facts").begin_object();
  json.key("filters_failed").begin_array();
  for (const std::string& filter : facts.filters_failed) json.text(filter);
  json.end_array();
  json.key("pieces_failed").begin_array();
  for (const std::string& piece : facts.pieces_failed) json.text(piece);
  json.end_array();
  write_legs(json, facts.legs);
  json.key("named").boolean(facts.is_named);
  json.key("pool").integer(facts.pool);
  write_rank(json, "fused_rank", facts.fused_rank);
  write_score(json, "fused_score", facts.fused_score);
  write_rank(json, "reranked_rank", facts.reranked_rank);
  if (facts.cross_encoder) {
    json.key("cross_encoder").begin_object();
    json.key("score").number(facts.cross_encoder->score);
    json.key("logit").number(facts.cross_encoder->logit);
    json.end_object();
  }
  write_rank(json, "sorted_rank", facts.sorted_rank);
  write_rank(json, "ruled_rank", facts.ruled_rank);
  write_rules(json, facts);
  write_rank(json, "personal_rank", facts.personal_rank);
  write_boost(json, facts.boost);
  write_rank(json, "pinned_rank", facts.pinned_rank);
  write_rank(json, "diverse_rank", facts.diverse_rank);
  write_score(json, "score", facts.score);
  if (!facts.collapsed_into.empty()) json.key("collapsed_into").text(facts.collapsed_into);
  if (facts.page_offset) json.key("page_offset").integer(*facts.page_offset);
  json.end_object();
}

}  // namespace

std::string why_not_json(const search::WhyNot& why, std::string_view configuration) {
  JsonWriter json(2048);
  json.begin_object();
  json.key("status").text("success");
  json.key("request_id").text(why.request_id.value());
  json.key("took_ms").milliseconds(std::chrono::duration<double, std::milli>(why.took).count());
  json.key("article_id").text(why.article_id);
  json.key("on_page").boolean(why.on_page);
  if (why.rank) json.key("rank").integer(*why.rank);
  json.key("cause");
  if (why.cause) {
    json.text(search::to_string(*why.cause));
  } else {
    json.null();
  }
  json.key("detail").text(why.detail);
  write_facts(json, why.facts);
  json.key("degradations").begin_array();
  for (const search::DegradationReason reason : why.degradations) json.text(search::to_string(reason));
  json.end_array();
  if (!configuration.empty()) json.key("configuration").text(configuration);
  write_stages(json, why.stages);
  json.end_object();
  return std::move(json).take();
}

}  // namespace scalestyle::http
