// parse_judgements: tables with a header, TREC qrels, lists of right and wrong articles.

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "catalog/csv_reader.hpp"
#include "evaluation/query_set.hpp"
#include "evaluation/text_lines.hpp"

namespace scalestyle::evaluation {
namespace {

// query_id, article_id, grade
using Fields = std::array<std::string_view, 3>;
constexpr Fields kTableColumns{"query_id", "article_id", "grade"};

class JudgementReader {
 public:
  explicit JudgementReader(std::string_view name) : name_(name) {}

  core::Status add(const Fields& fields, std::size_t line) {
    const auto [query_id, article_text, grade_text] = fields;
    int grade = 0;
    const auto [end, error] = std::from_chars(grade_text.data(), grade_text.data() + grade_text.size(), grade);
    // TREC qrels mark spam with negative grades, which count as not relevant.
    const bool parsed = error == std::errc{} && end == grade_text.data() + grade_text.size();
    if (!parsed || grade < -kMaxGrade || grade > kMaxGrade) {
      return wrong_line(name_, line, fmt::format("grade \"{}\" is not a whole number of 0 … {}", grade_text, kMaxGrade));
    }
    grade = std::max(grade, 0);
    CORE_TRY(const auto place, place_of(query_id, article_text, grade, line));
    if (place.second) return {};
    if (place.first->second != grade) {
      return wrong_line(name_, line, fmt::format("article {} of query {} has grade {} here and {} before",
                                                 place.first->first.text(), query_id, grade, place.first->second));
    }
    ++file_.repeated;
    return {};
  }

  // Lists between blanks; the right ones first, so that they win.
  core::Status add_lists(std::string_view query_id, std::string_view right, std::string_view wrong, std::size_t line) {
    const std::pair<std::string_view, int> lists[] = {{right, kListedGrade}, {wrong, 0}};
    for (auto [list, grade] : lists) {
      for (std::string_view id = next_word(list); !id.empty(); id = next_word(list)) {
        CORE_TRY(const auto place, place_of(query_id, id, grade, line));
        if (!place.second) ++file_.repeated;
      }
    }
    return {};
  }

  core::Result<JudgementFile> finish() {
    if (file_.judgements.empty()) {
      return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("{}: has no judgement", name_));
    }
    return std::move(file_);
  }

 private:
  core::Result<std::pair<Grades::iterator, bool>> place_of(std::string_view query_id, std::string_view article_text, int grade,
                                                           std::size_t line) {
    if (query_id.empty()) return wrong_line(name_, line, "query_id is blank");
    auto article = catalog::ArticleId::parse(article_text);
    if (!article) return wrong_line(name_, line, article.error().message);
    auto query = file_.judgements.find(query_id);
    if (query == file_.judgements.end()) query = file_.judgements.emplace(query_id, Grades{}).first;
    const auto place = query->second.emplace(std::move(*article), grade);
    if (place.second && ++count_ > kMaxJudgements) {
      return wrong_line(name_, line, fmt::format("more than {} judgements", kMaxJudgements));
    }
    return place;
  }

  std::string_view name_;
  JudgementFile file_;
  std::size_t count_ = 0;
};

std::vector<std::string_view> split_at_tabs(std::string_view line) {
  std::vector<std::string_view> fields;
  while (true) {
    const std::size_t end = line.find('\t');
    fields.push_back(trim(line.substr(0, end)));
    if (end == std::string_view::npos) return fields;
    line.remove_prefix(end + 1);
  }
}

// The place of `column`, or the number of fields.
template <class Texts>
std::size_t place_of(const Texts& fields, std::string_view column) {
  const auto found = std::ranges::find(fields, column, [](std::string_view field) { return trim(field); });
  return static_cast<std::size_t>(found - fields.begin());
}

core::Result<JudgementFile> parse_tabs(Lines lines, std::string_view header, std::string_view name) {
  JudgementReader reader(name);
  const std::vector<std::string_view> columns = split_at_tabs(header);
  std::array<std::size_t, kTableColumns.size()> places{};
  for (std::size_t i = 0; i < places.size(); ++i) {
    places[i] = place_of(columns, kTableColumns[i]);
    if (places[i] == columns.size()) {
      return wrong_line(name, lines.number(), fmt::format("the header has no column {} (separated by tabs)", kTableColumns[i]));
    }
  }
  for (auto line = lines.next(); line; line = lines.next()) {
    const std::vector<std::string_view> fields = split_at_tabs(*line);
    if (fields.size() <= std::ranges::max(places)) {
      return wrong_line(name, lines.number(), fmt::format("{} columns, the header promises more", fields.size()));
    }
    CORE_CHECK(reader.add({fields[places[0]], fields[places[1]], fields[places[2]]}, lines.number()));
  }
  return reader.finish();
}

core::Result<JudgementFile> parse_csv(std::string_view text, std::string_view name) {
  JudgementReader reader(name);
  catalog::CsvReader csv(text);
  catalog::CsvRecord record;
  (void)csv.next(record);
  const std::size_t width = record.fields.size();
  const std::size_t query = place_of(record.fields, "query_id");
  const std::size_t article = place_of(record.fields, "article_id");
  const std::size_t grade = place_of(record.fields, "grade");
  const std::size_t right = place_of(record.fields, "positive_ids");
  // The data set's own description spells it in two ways.
  const std::size_t wrong = std::min(place_of(record.fields, "negative_ids"), place_of(record.fields, "negatives_ids"));
  const bool lists = right < width;
  if (!record.error.empty() || query == width || (!lists && std::max(article, grade) == width)) {
    return wrong_line(name, record.line, "the header has neither query_id, article_id and grade nor query_id and positive_ids");
  }
  while (csv.next(record)) {
    if (record.error.empty() && record.fields.size() != width) {
      record.error = fmt::format("{} fields; the header has {}", record.fields.size(), width);
    }
    if (!record.error.empty()) return wrong_line(name, record.line, record.error);
    const auto field = [&record](std::size_t column) {
      return column < record.fields.size() ? trim(record.fields[column]) : std::string_view();
    };
    CORE_CHECK(lists ? reader.add_lists(field(query), field(right), field(wrong), record.line)
                     : reader.add({field(query), field(article), field(grade)}, record.line));
  }
  return reader.finish();
}

core::Result<JudgementFile> parse_trec(std::string_view text, std::string_view name) {
  JudgementReader reader(name);
  Lines lines(text);
  for (auto line = lines.next(); line; line = lines.next()) {
    std::vector<std::string_view> fields;
    for (std::string_view word = next_word(*line); !word.empty(); word = next_word(*line)) fields.push_back(word);
    if (fields.size() != 4) {
      return wrong_line(name, lines.number(),
                        fmt::format("{} columns; expected four of TREC qrels, or a header query_id, article_id, grade in line 1",
                                    fields.size()));
    }
    CORE_CHECK(reader.add({fields[0], fields[2], fields[3]}, lines.number()));
  }
  return reader.finish();
}

}  // namespace

core::Result<JudgementFile> parse_judgements(std::string_view text, std::string_view name) {
  Lines lines(text);
  const auto first = lines.next();
  const bool header = first && first->find("query_id") != std::string_view::npos;
  if (header && first->find(',') != std::string_view::npos) return parse_csv(text, name);
  if (header) return parse_tabs(lines, *first, name);
  return parse_trec(text, name);
}

}  // namespace scalestyle::evaluation
