#include "http/recommendation_shapes.hpp"

#include "http/json_writer.hpp"

namespace scalestyle::http {

void write_sources(JsonWriter& json, const search::SearchAnswer& answer) {
  if (answer.ranker) {
    json.key("ranker").begin_object();
    if (!answer.ranker->id.empty()) json.key("id").text(answer.ranker->id);
    json.key("why").text(answer.ranker->why);
    json.end_object();
  }
  if (answer.sources.empty()) return;
  json.key("sources").begin_array();
  for (const search::SourceReport& report : answer.sources) {
    json.begin_object();
    json.key("source").text(report.source);
    json.key("outcome").text(search::to_string(report.outcome));
    json.key("articles").integer(report.articles);
    json.end_object();
  }
  json.end_array();
}

void write_shares(JsonWriter& json, const search::ItemExplanation& explanation) {
  if (explanation.learned) {
    json.key("ranker").begin_object();
    json.key("id").text(explanation.learned->ranker);
    json.key("score").number(explanation.learned->score);
    json.end_object();
  }
  if (explanation.sources.empty()) return;
  json.key("sources").begin_array();
  for (const auto& share : explanation.sources) {
    json.begin_object();
    json.key("source").text(share.source);
    json.key("score").number(static_cast<float>(share.score));
    json.key("weight").number(static_cast<float>(share.weight));
    json.end_object();
  }
  json.end_array();
}

void write_look(JsonWriter& json, const search::ItemExplanation& explanation) {
  if (!explanation.look) return;
  json.key("look").begin_object();
  json.key("source").text(explanation.look->source);
  json.key("together").number(static_cast<float>(explanation.look->together));
  json.key("colour").number(static_cast<float>(explanation.look->colour));
  json.end_object();
}

void write_rising(JsonWriter& json, const search::ItemExplanation& explanation) {
  if (!explanation.rising) return;
  json.key("rising").begin_object();
  json.key("now").number(explanation.rising->now);
  json.key("before").number(explanation.rising->before);
  json.key("lengths").number(explanation.rising->lengths);
  json.key("ratio").number(explanation.rising->ratio);
  json.end_object();
}

void write_exploration(JsonWriter& json, const search::AnswerItem& item) {
  if (!item.exploration) return;
  json.key("exploration").begin_object();
  json.key("probability").number(*item.exploration);
  json.end_object();
}

}  // namespace scalestyle::http
