#include "http/reason_shapes.hpp"

#include "http/json_writer.hpp"

namespace scalestyle::http {

void write_reason(JsonWriter& json, const search::AnswerItem& item) {
  if (!item.reason.empty()) {
    json.key("reason").text(item.reason);
    json.key("reason_source").text(search::to_string(item.reason_source));
  }
  if (!item.boosted_by.empty()) json.key("boosted_by").text(item.boosted_by);
}

void write_reason_report(JsonWriter& json, const search::SearchAnswer& answer) {
  if (!answer.reasons) return;
  const search::ReasonReport& report = *answer.reasons;
  json.key("reasons").begin_object();
  json.key("model").text(report.model);
  json.key("precision").text(report.precision);
  json.key("planned").integer(report.planned);
  json.key("written").integer(report.written);
  json.key("cached").integer(report.cached);
  json.key("refused").integer(report.refused);
  json.end_object();
}

std::string reason_answer_json(const ReasonTelling& telling) {
  const search::ArticleReason& reason = telling.reason;
  const bool by_model = telling.written != nullptr && !telling.written->text.empty();
  JsonWriter json;
  json.begin_object();
  json.key("status").text("success");
  json.key("request_id").text(reason.request_id.value());
  json.key("took_ms").milliseconds(std::chrono::duration<double, std::milli>(telling.took).count());
  json.key("article_id").text(reason.article_id);
  json.key("reason").text(by_model ? telling.written->text : reason.sentence);
  json.key("reason_source").text(search::to_string(by_model ? search::ReasonSource::kLlm : search::ReasonSource::kTemplate));
  if (!reason.boosted_by.empty()) json.key("boosted_by").text(reason.boosted_by);
  json.key("personalized").boolean(reason.personalized);
  json.key("degradations").begin_array();
  for (const search::DegradationReason degradation : reason.degradations) json.text(search::to_string(degradation));
  json.end_array();
  if (telling.written != nullptr) {
    json.key("model").text(telling.model->model);
    json.key("precision").text(telling.model->precision);
    if (!by_model) json.key("refused").text(telling.written->refusal);
    json.key("cached").boolean(telling.written->cached);
    json.key("prompt_tokens").integer(telling.written->prompt_tokens);
    json.key("tokens").integer(telling.written->tokens);
  }
  json.end_object();
  return std::move(json).take();
}

}  // namespace scalestyle::http
