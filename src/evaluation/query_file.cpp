// parse_queries: JSON Lines and CSV.

#include <fmt/format.h>

#include <array>
#include <boost/json.hpp>
#include <functional>
#include <set>
#include <utility>

#include "catalog/csv_reader.hpp"
#include "evaluation/query_set.hpp"
#include "evaluation/text_lines.hpp"

namespace scalestyle::evaluation {
namespace {

namespace json = boost::json;

class QueryReader {
 public:
  explicit QueryReader(std::string_view name) : name_(name) {}

  core::Status add(std::string_view query_id, std::string_view text, std::size_t line) {
    query_id = trim(query_id);
    text = trim(text);
    if (query_id.empty()) return wrong_line(name_, line, "query_id is blank");
    if (text.empty()) return wrong_line(name_, line, fmt::format("the query of {} is blank", query_id));
    if (!ids_.emplace(query_id).second) return wrong_line(name_, line, fmt::format("query_id {} comes twice", query_id));
    if (queries_.size() == kMaxQueries) return wrong_line(name_, line, fmt::format("more than {} queries", kMaxQueries));
    queries_.push_back({std::string(query_id), std::string(text)});
    return {};
  }

  core::Status add_json(std::string_view line, std::size_t number) {
    boost::system::error_code error;
    const json::value value = json::parse(line, error);
    if (error) return wrong_line(name_, number, fmt::format("not JSON: {}", error.message()));
    const json::object* object = value.if_object();
    if (object == nullptr) return wrong_line(name_, number, "not a JSON object");
    std::array<std::string_view, 2> fields;
    constexpr std::array<std::string_view, 2> kNames{"query_id", "query"};
    for (std::size_t i = 0; i < fields.size(); ++i) {
      const json::value* field = object->if_contains(kNames[i]);
      if (field == nullptr || !field->is_string()) {
        return wrong_line(name_, number, fmt::format("{} is missing or not a text", kNames[i]));
      }
      fields[i] = field->get_string();
    }
    return add(fields[0], fields[1], number);
  }

  core::Result<std::vector<EvaluationQuery>> finish() {
    if (queries_.empty()) return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("{}: has no query", name_));
    return std::move(queries_);
  }

 private:
  std::string_view name_;
  std::set<std::string, std::less<>> ids_;
  std::vector<EvaluationQuery> queries_;
};

core::Result<std::vector<EvaluationQuery>> parse_csv(std::string_view text, std::string_view name) {
  QueryReader reader(name);
  catalog::CsvReader csv(text);
  catalog::CsvRecord record;
  (void)csv.next(record);
  const auto place_of = [&record](std::string_view column) {
    const auto found = std::ranges::find(record.fields, column, [](const std::string& field) { return trim(field); });
    return static_cast<std::size_t>(found - record.fields.begin());
  };
  const std::size_t width = record.fields.size();
  const std::size_t id = place_of("query_id");
  const std::size_t query = std::min(place_of("query"), place_of("query_text"));
  if (!record.error.empty() || std::max(id, query) >= width) {
    return wrong_line(name, record.line, "neither a JSON object nor a CSV header with query_id and query (or query_text)");
  }
  while (csv.next(record)) {
    if (record.error.empty() && record.fields.size() != width) {
      record.error = fmt::format("{} fields; the header has {}", record.fields.size(), width);
    }
    if (!record.error.empty()) return wrong_line(name, record.line, record.error);
    CORE_CHECK(reader.add(record.fields[id], record.fields[query], record.line));
  }
  return reader.finish();
}

}  // namespace

core::Result<std::vector<EvaluationQuery>> parse_queries(std::string_view text, std::string_view name) {
  QueryReader reader(name);
  Lines lines(text);
  auto line = lines.next();
  if (line && !trim(*line).starts_with('{')) return parse_csv(text, name);
  for (; line; line = lines.next()) CORE_CHECK(reader.add_json(*line, lines.number()));
  return reader.finish();
}

}  // namespace scalestyle::evaluation
