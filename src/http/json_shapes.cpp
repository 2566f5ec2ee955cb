#include "http/json_shapes.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "http/json_writer.hpp"

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
    json.text(image_url(article.id()));
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
  json.key("understood").begin_array();
  for (const auto& met : explanation.met) {
    json.begin_object();
    json.key("id").text(met.id);
    json.key("credit").number(met.credit);
    json.end_object();
  }
  json.end_array();
  if (explanation.preference) json.key("preference").number(*explanation.preference);
  json.key("base_score").number(explanation.base_score);
  json.key("boost").begin_object();
  json.key("recent_click").number(item.boost.recent_click);
  json.key("category_affinity").number(item.boost.category_affinity);
  json.key("online_popularity").number(item.boost.online_popularity);
  json.key("factor").number(item.boost.factor);
  json.end_object();
  json.end_object();
}

void write_item(JsonWriter& json, const search::AnswerItem& item) {
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
  if (!item.reason.empty()) json.key("reason").text(item.reason);
  json.key("rank").integer(item.rank);
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

std::string image_url(std::string_view article_id) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string url = "/images/";
  for (const char c : article_id) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == '~';
    if (plain) {
      url += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    url += '%';
    url += kDigits[byte >> 4U];
    url += kDigits[byte & 0xFU];
  }
  return url;
}

std::string search_answer_json(const search::SearchAnswer& answer) {
  constexpr std::size_t kEnvelopeBytes = 1024;
  constexpr std::size_t kItemBytes = 640;
  JsonWriter json(kEnvelopeBytes + answer.items.size() * kItemBytes);
  json.begin_object();
  json.key("status").text("success");
  json.key("request_id").text(answer.request_id.value());
  json.key("took_ms").milliseconds(milliseconds(answer.took));
  write_degradations(json, answer);
  write_stages(json, answer.stages);
  write_understood(json, answer.understood);
  write_personalization(json, answer);
  json.key("total").integer(answer.total);
  json.key("total_relation").text(answer.total_relation == search::TotalRelation::kEqual ? "eq" : "gte");
  json.key("data").begin_array();
  for (const search::AnswerItem& item : answer.items) write_item(json, item);
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
