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

}  // namespace scalestyle::http
