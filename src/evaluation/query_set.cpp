#include "evaluation/query_set.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <charconv>
#include <optional>
#include <set>
#include <utility>

#include "core/files.hpp"

namespace scalestyle::evaluation {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxFileBytes = std::size_t{512} << 20U;
constexpr std::string_view kBlanks = " \t\r\n\v\f";

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::unexpected<core::Error> wrong(std::string_view name, std::size_t line, std::string_view what) {
  return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("{}:{}: {}", name, line, what));
}

// Line by line; a CR before the newline belongs to the line's end.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {
    if (rest_.starts_with("\xEF\xBB\xBF")) rest_.remove_prefix(3);
  }
  std::optional<std::string_view> next() {
    if (rest_.empty()) return std::nullopt;
    const std::size_t end = std::min(rest_.find('\n'), rest_.size());
    std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    ++number_;
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
  }
  [[nodiscard]] std::size_t number() const { return number_; }

 private:
  std::string_view rest_;
  std::size_t number_ = 0;
};

// One record of RFC 4180, except that a quoted field must end on its line.
core::Result<std::vector<std::string>> split_csv(std::string_view line, std::string_view name, std::size_t number) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quoted) {
      if (c != '"') {
        fields.back() += c;
      } else if (i + 1 < line.size() && line[i + 1] == '"') {
        fields.back() += line[++i];
      } else {
        quoted = false;
      }
    } else if (c == '"' && fields.back().empty()) {
      quoted = true;
    } else if (c == ',') {
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  if (quoted) return wrong(name, number, "a quoted field does not end on its line");
  return fields;
}

std::vector<std::string_view> split_at(std::string_view line, char separator) {
  std::vector<std::string_view> fields;
  while (true) {
    const std::size_t end = line.find(separator);
    fields.push_back(trim(line.substr(0, end)));
    if (end == std::string_view::npos) return fields;
    line.remove_prefix(end + 1);
  }
}

std::vector<std::string_view> split_at_blanks(std::string_view line) {
  std::vector<std::string_view> fields;
  for (line = trim(line); !line.empty(); line = trim(line)) {
    const std::size_t end = std::min(line.find_first_of(kBlanks), line.size());
    fields.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
  return fields;
}

class QueryReader {
 public:
  QueryReader(std::string_view name) : name_(name) {}

  core::Status add(std::string_view query_id, std::string_view text, std::size_t line) {
    query_id = trim(query_id);
    text = trim(text);
    if (query_id.empty()) return wrong(name_, line, "query_id is blank");
    if (text.empty()) return wrong(name_, line, fmt::format("the query of {} is blank", query_id));
    if (!ids_.emplace(query_id).second) return wrong(name_, line, fmt::format("query_id {} comes twice", query_id));
    queries_.push_back({std::string(query_id), std::string(text)});
    return {};
  }

  core::Status add_json(std::string_view line, std::size_t number) {
    boost::system::error_code error;
    const json::value value = json::parse(line, error);
    if (error) return wrong(name_, number, fmt::format("not JSON: {}", error.message()));
    const json::object* object = value.if_object();
    if (object == nullptr) return wrong(name_, number, "not a JSON object");
    std::array<std::string_view, 2> fields;
    constexpr std::array<std::string_view, 2> kNames{"query_id", "query"};
    for (std::size_t i = 0; i < fields.size(); ++i) {
      const json::value* field = object->if_contains(kNames[i]);
      if (field == nullptr || !field->is_string()) {
        return wrong(name_, number, fmt::format("{} is missing or not a text", kNames[i]));
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

core::Status add_judgement(Judgements& judgements, const std::array<std::string_view, 3>& fields, std::string_view name,
                           std::size_t line) {
  const auto [query_id, article_text, grade_text] = fields;
  if (query_id.empty()) return wrong(name, line, "query_id is blank");
  const auto article = catalog::ArticleId::parse(article_text);
  if (!article) return wrong(name, line, article.error().message);
  int grade = 0;
  const auto [end, error] = std::from_chars(grade_text.data(), grade_text.data() + grade_text.size(), grade);
  // TREC qrels mark spam with negative grades, which count as not relevant.
  if (error != std::errc{} || end != grade_text.data() + grade_text.size() || grade < -kMaxGrade || grade > kMaxGrade) {
    return wrong(name, line, fmt::format("grade \"{}\" is not a whole number of 0 … {}", grade_text, kMaxGrade));
  }
  grade = std::max(grade, 0);
  const auto [entry, added] = judgements[std::string(query_id)].emplace(*article, grade);
  if (!added && entry->second != grade) {
    return wrong(name, line, fmt::format("article {} of query {} has grade {} here and {} before", article->text(),
                                         query_id, grade, entry->second));
  }
  return {};
}

}  // namespace

core::Result<std::vector<EvaluationQuery>> parse_queries(std::string_view text, std::string_view name) {
  QueryReader reader(name);
  Lines lines(text);
  bool is_first = true;
  std::optional<std::array<std::size_t, 2>> columns;  // of query_id and query in CSV; nothing in JSON Lines
  for (auto line = lines.next(); line; line = lines.next()) {
    if (trim(*line).empty()) continue;
    const bool is_header = std::exchange(is_first, false) && !trim(*line).starts_with('{');
    if (!is_header && !columns) {
      CORE_CHECK(reader.add_json(*line, lines.number()));
      continue;
    }
    CORE_TRY(const std::vector<std::string> fields, split_csv(*line, name, lines.number()));
    if (is_header) {
      const auto place_of = [&fields](std::string_view column) {
        const auto found = std::ranges::find(fields, column, [](const std::string& field) { return trim(field); });
        return static_cast<std::size_t>(found - fields.begin());
      };
      columns = {place_of("query_id"), place_of("query")};
      if (std::ranges::max(*columns) < fields.size()) continue;
      return wrong(name, lines.number(), "neither a JSON object nor a CSV header with query_id and query");
    }
    if (std::ranges::max(*columns) >= fields.size()) {
      return wrong(name, lines.number(), fmt::format("{} fields, the header promises more", fields.size()));
    }
    CORE_CHECK(reader.add(fields[(*columns)[0]], fields[(*columns)[1]], lines.number()));
  }
  return reader.finish();
}

core::Result<Judgements> parse_judgements(std::string_view text, std::string_view name) {
  Judgements judgements;
  Lines lines(text);
  std::optional<std::array<std::size_t, 3>> columns;  // with a header; else TREC's four columns
  bool is_first = true;
  for (auto line = lines.next(); line; line = lines.next()) {
    if (trim(*line).empty()) continue;
    if (std::exchange(is_first, false) && line->find("query_id") != std::string_view::npos) {
      const std::vector<std::string_view> header = split_at(*line, '\t');
      columns.emplace();
      constexpr std::array<std::string_view, 3> kNames{"query_id", "article_id", "grade"};
      for (std::size_t i = 0; i < kNames.size(); ++i) {
        const auto found = std::ranges::find(header, kNames[i]);
        if (found == header.end()) {
          return wrong(name, lines.number(), fmt::format("the header has no column {} (separated by tabs)", kNames[i]));
        }
        (*columns)[i] = static_cast<std::size_t>(found - header.begin());
      }
      continue;
    }
    const std::vector<std::string_view> fields = columns ? split_at(*line, '\t') : split_at_blanks(*line);
    if (!columns && fields.size() != 4) {
      return wrong(name, lines.number(),
                   fmt::format("{} columns; expected four of TREC qrels, or a header query_id, article_id, grade in line 1",
                               fields.size()));
    }
    const std::array<std::size_t, 3> places = columns.value_or(std::array<std::size_t, 3>{0, 2, 3});
    if (fields.size() <= std::ranges::max(places)) {
      return wrong(name, lines.number(), fmt::format("{} columns, the header promises more", fields.size()));
    }
    CORE_CHECK(add_judgement(judgements, {fields[places[0]], fields[places[1]], fields[places[2]]}, name,
                             lines.number()));
  }
  if (judgements.empty()) {
    return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("{}: has no judgement", name));
  }
  return judgements;
}

core::Result<std::vector<EvaluationQuery>> read_queries(const std::filesystem::path& path) {
  CORE_TRY(const std::string text, core::read_text_file(path, kMaxFileBytes));
  return parse_queries(text, path.string());
}

core::Result<Judgements> read_judgements(const std::filesystem::path& path) {
  CORE_TRY(const std::string text, core::read_text_file(path, kMaxFileBytes));
  return parse_judgements(text, path.string());
}

}  // namespace scalestyle::evaluation
