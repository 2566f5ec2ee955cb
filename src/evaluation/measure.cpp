#include "evaluation/measure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "core/text_distance.hpp"
#include "evaluation/metrics.hpp"

namespace scalestyle::evaluation {
namespace {

struct KindName {
  MeasureKind kind;
  std::string_view key;
  std::string_view title;
};
constexpr std::array<KindName, 5> kKinds{{{MeasureKind::kNdcg, "ndcg", "nDCG"},
                                          {MeasureKind::kReciprocalRank, "mrr", "MRR"},
                                          {MeasureKind::kRecall, "recall", "recall"},
                                          {MeasureKind::kAveragePrecision, "map", "MAP"},
                                          {MeasureKind::kHitRate, "hit", "hit rate"}}};

const KindName& name_of(MeasureKind kind) { return *std::ranges::find(kKinds, kind, &KindName::kind); }

std::unexpected<core::Error> wrong(std::string message, std::string_view field = "measures") {
  return core::fail(core::ErrorCode::kInvalidArgument, std::move(message), std::string(field));
}

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::vector<std::string_view> split_list(std::string_view text) {
  std::vector<std::string_view> pieces;
  while (true) {
    const std::size_t end = text.find(',');
    std::string_view piece = text.substr(0, end);
    while (piece.starts_with(' ')) piece.remove_prefix(1);
    while (piece.ends_with(' ')) piece.remove_suffix(1);
    pieces.push_back(piece);
    if (end == std::string_view::npos) return pieces;
    text.remove_prefix(end + 1);
  }
}

}  // namespace

core::Result<Measure> parse_measure(std::string_view text) {
  const std::size_t at = std::min(text.find('@'), text.size());
  const std::string_view name = text.substr(0, at);
  const auto* kind = std::ranges::find(kKinds, name, &KindName::key);
  if (kind == kKinds.end()) {
    std::vector<std::string> known;
    for (const KindName& entry : kKinds) known.emplace_back(entry.key);
    const std::string nearest = core::nearest_name(name, known);
    return wrong(fmt::format("\"{}\" is no measure: one of {} with a depth, such as ndcg@10{}", text, fmt::join(known, ", "),
                             nearest.empty() ? "" : fmt::format("; did you mean {}?", nearest)));
  }
  std::string_view depth_text = text.substr(std::min(at + 1, text.size()));
  Measure measure{.kind = kind->kind};
  if (const std::size_t colon = depth_text.find(':'); colon != std::string_view::npos) {
    const auto grade = parse_number<int>(depth_text.substr(colon + 1));
    if (measure.kind == MeasureKind::kNdcg || !grade || *grade < 1 || *grade > kMaxGrade) {
      return wrong(fmt::format("\"{}\": \":\" is followed by the least grade that counts, 1 to {}, and nDCG has none", text, kMaxGrade));
    }
    measure.minimum_grade = *grade;
    depth_text = depth_text.substr(0, colon);
  }
  const auto depth = parse_number<std::size_t>(depth_text);
  if (!depth || *depth < 1 || *depth > kMaxMeasureDepth) {
    return wrong(fmt::format("\"{}\": \"@\" is followed by a depth of 1 to {}, such as {}@10", text, kMaxMeasureDepth, name));
  }
  measure.depth = *depth;
  return measure;
}

core::Result<std::vector<Measure>> parse_measures(std::string_view text) {
  std::vector<Measure> measures;
  for (const std::string_view piece : split_list(text)) {
    CORE_TRY(const Measure measure, parse_measure(piece));
    if (std::ranges::find(measures, measure) != measures.end()) return wrong(fmt::format("{} comes twice", piece));
    measures.push_back(measure);
  }
  if (measures.size() > kMaxMeasures) return wrong(fmt::format("{} measures, at most {}", measures.size(), kMaxMeasures));
  return measures;
}

std::string key_of(const Measure& measure) {
  const std::string key = fmt::format("{}@{}", name_of(measure.kind).key, measure.depth);
  return measure.minimum_grade == 1 ? key : fmt::format("{}:{}", key, measure.minimum_grade);
}

std::string title_of(const Measure& measure) {
  const std::string title = fmt::format("{}@{}", name_of(measure.kind).title, measure.depth);
  return measure.minimum_grade == 1 ? title : fmt::format("{} (grade ≥ {})", title, measure.minimum_grade);
}

double measure_list(const Measure& measure, std::span<const catalog::ArticleId> ranked, const Grades& grades) {
  switch (measure.kind) {
    case MeasureKind::kNdcg: return ndcg(ranked, grades, measure.depth);
    case MeasureKind::kReciprocalRank: return reciprocal_rank(ranked, grades, measure.depth, measure.minimum_grade);
    case MeasureKind::kRecall: return recall(ranked, grades, measure.depth, measure.minimum_grade);
    case MeasureKind::kAveragePrecision: return average_precision(ranked, grades, measure.depth, measure.minimum_grade);
    case MeasureKind::kHitRate:
      return reciprocal_rank(ranked, grades, measure.depth, measure.minimum_grade) > 0 ? 1.0 : 0.0;
  }
  return 0;
}

std::size_t deepest(std::span<const Measure> measures) {
  std::size_t depth = 0;
  for (const Measure& measure : measures) depth = std::max(depth, measure.depth);
  return depth;
}

core::Result<std::vector<MeasureFloor>> parse_floors(std::string_view text, std::span<const Measure> measures) {
  std::vector<MeasureFloor> floors;
  if (text.empty()) return floors;
  for (const std::string_view piece : split_list(text)) {
    const std::size_t equals = std::min(piece.find('='), piece.size());
    const auto measure = parse_measure(piece.substr(0, equals));
    if (!measure) return wrong(measure.error().message, "minimum");
    const auto place = std::ranges::find(measures, *measure);
    if (place == measures.end()) return wrong(fmt::format("{} is not among the measures", key_of(*measure)), "minimum");
    const auto least = parse_number<double>(piece.substr(std::min(equals + 1, piece.size())));
    if (!least || !(*least >= 0 && *least <= 1)) {
      return wrong(fmt::format("\"{}\": a measure is followed by its least value, 0 to 1, such as ndcg@10=0.75", piece), "minimum");
    }
    floors.push_back({static_cast<std::size_t>(place - measures.begin()), *least});
  }
  return floors;
}

}  // namespace scalestyle::evaluation
