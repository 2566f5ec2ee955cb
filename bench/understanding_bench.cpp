// Query understanding on a real catalogue: how long it takes, what is understood of each query of a set, and how often
// that is right by the judgements.
//   understanding_bench [--articles FILE] [--queries FILE] [--qrels FILE] [--query TEXT …] [--weights THING,COLOUR,AUDIENCE,APPEARANCE,PLACE]
// The files are those of the H&M data in $SCALESTYLE_SHARED (or ../shared) unless given; nothing is measured without them.
// Times are the least of several runs. With judgements, for every piece the mean credit (prefer) or share kept (filter,
// exclude) of the articles of grade ≥ 1, of those of the best grade, and of all: a piece that gives relevant articles no
// more than any article is wrong. "hard": the share of the relevant that it would keep as a filter. Below, how good an
// order the preferences alone are: the chance that a relevant article comes before another one, and the share of relevant
// ones among the first ten, ties in random order.
// Exit status 1 when a given file cannot be read or an answer is wrong.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/catalog.hpp"
#include "catalog/table_reader.hpp"
#include "evaluation/query_set.hpp"
#include "retrieval/query_understanding.hpp"

namespace scalestyle::retrieval {
namespace {

using SteadyClock = std::chrono::steady_clock;

[[noreturn]] void give_up(const std::string& what) {
  fmt::print(stderr, "understanding_bench: {}\n", what);
  std::exit(1);
}

template <class T>
T need(core::Result<T> result) {
  if (!result) give_up(result.error().message);
  return std::move(*result);
}

double microseconds_since(SteadyClock::time_point begin) {
  return std::chrono::duration<double, std::micro>(SteadyClock::now() - begin).count();
}

// The least time of `runs` calls.
template <class Work>
double least_microseconds(std::size_t runs, Work&& work) {
  double least = 1e18;
  for (std::size_t run = 0; run < runs; ++run) {
    const auto begin = SteadyClock::now();
    work();
    least = std::min(least, microseconds_since(begin));
  }
  return least;
}

std::shared_ptr<const catalog::Catalog> read_catalog(const std::string& path) {
  catalog::CatalogBuilder builder;
  const auto sink = [&](const catalog::ArticleChunk& chunk) -> core::Status {
    for (const catalog::ArticleRow& row : chunk.accepted) CORE_CHECK(builder.add(row.article));
    return {};
  };
  (void)need(catalog::read_articles(path, {}, sink));
  return std::make_shared<const catalog::Catalog>(need(std::move(builder).build()));
}

// The share of `rows` that the piece lets pass, a preference as if it were a filter.
double share_kept(const QueryUnderstanding& understanding, const UnderstoodPiece& piece, std::span<const catalog::RowIndex> rows) {
  if (rows.empty()) return 0;
  if (piece.effect != PieceEffect::kPrefer) {
    catalog::Bitmap kept(understanding.catalog().size(), true);
    understanding.restrict({.pieces = {piece}}, kept);
    const auto passed = std::ranges::count_if(rows, [&](catalog::RowIndex row) { return kept.test(row); });
    return static_cast<double>(passed) / static_cast<double>(rows.size());
  }
  std::vector<float> preferences(rows.size());
  understanding.prefer({.pieces = {piece}}, rows, preferences);
  const auto met = std::ranges::count_if(preferences, [](float preference) { return preference > 0; });
  return static_cast<double>(met) / static_cast<double>(rows.size());
}

// The mean over `rows` of what one piece alone gives them.
double mean_credit(const QueryUnderstanding& understanding, const UnderstoodPiece& piece, std::span<const catalog::RowIndex> rows) {
  if (rows.empty()) return 0;
  if (piece.weight == 0) return share_kept(understanding, piece, rows);
  std::vector<float> preferences(rows.size());
  understanding.prefer({.pieces = {piece}}, rows, preferences);
  return std::accumulate(preferences.begin(), preferences.end(), 0.0) / static_cast<double>(rows.size());
}

// The chance that a row of `wanted` has a higher preference than one that is not, ties half. Both sides have rows.
double separation(std::span<const float> preferences, const catalog::Bitmap& wanted) {
  std::vector<std::pair<float, bool>> order;
  for (std::uint32_t row = 0; row < preferences.size(); ++row) order.emplace_back(preferences[row], wanted.test({row}));
  std::ranges::sort(order);
  double pairs = 0;
  double others_below = 0;
  for (std::size_t i = 0; i < order.size();) {
    std::size_t end = i;
    double others = 0;
    for (; end < order.size() && order[end].first == order[i].first; ++end) others += order[end].second ? 0 : 1;
    const double mine = static_cast<double>(end - i) - others;
    pairs += mine * (others_below + others / 2);
    others_below += others;
    i = end;
  }
  return pairs / (others_below * (static_cast<double>(order.size()) - others_below));
}

// The share of `wanted` rows among the ten of highest preference, when ties are in random order.
double expected_precision(std::span<const float> preferences, const catalog::Bitmap& wanted) {
  constexpr double kDepth = 10;
  std::map<float, std::pair<double, double>, std::greater<>> groups;  // rows, wanted rows
  for (std::uint32_t row = 0; row < preferences.size(); ++row) {
    auto& [rows, hits] = groups[preferences[row]];
    rows += 1;
    hits += wanted.test({row}) ? 1 : 0;
  }
  double seen = 0;
  double hits = 0;
  for (const auto& [preference, group] : groups) {
    const double taken = std::min(group.first, kDepth - seen);
    hits += taken * group.second / group.first;
    seen += taken;
    if (seen >= kDepth) break;
  }
  return hits / kDepth;
}

struct Judged {
  std::vector<catalog::RowIndex> relevant;
  std::vector<catalog::RowIndex> best;
};

Judged judged_rows(const catalog::Catalog& catalog, const evaluation::Judgements& judgements, const std::string& query_id) {
  Judged judged;
  const auto found = judgements.find(query_id);
  if (found == judgements.end()) return judged;
  int best = 1;
  for (const auto& [id, grade] : found->second) best = std::max(best, grade);
  for (const auto& [id, grade] : found->second) {
    const auto row = catalog.find(id);
    if (!row || grade < 1) continue;
    judged.relevant.push_back(*row);
    if (grade == best) judged.best.push_back(*row);
  }
  return judged;
}

std::string values_of(const UnderstoodPiece& piece) {
  if (piece.price) return "";
  std::string text;
  std::size_t shown = 0;
  for (const MatchedValue& value : piece.values) {
    if (++shown > 4) {
      text += fmt::format(", … {} more", piece.values.size() - 4);
      break;
    }
    text += fmt::format("{}{}", text.empty() ? "" : ", ", value.text);
    if (value.credit < 1) text += fmt::format(" {:.2f}", value.credit);
  }
  return text;
}

struct KindSums {
  std::size_t pieces = 0;
  double relevant = 0;
  double best = 0;
  double all = 0;
  double hard = 0;
};

struct Sums {
  std::map<std::string, KindSums> by_kind;
  std::size_t queries = 0;  // that have preferences and judgements
  double separation_relevant = 0;
  double separation_best = 0;
  double precision_relevant = 0;
  double precision_best = 0;
};

void print_understood(const QueryUnderstanding& understanding, std::string_view text, const Judged& judged,
                      std::span<const catalog::RowIndex> every_row, Sums& sums) {
  const UnderstoodQuery understood = understanding.understand(text);
  fmt::print("{}\n", text);
  for (const UnderstoodPiece& piece : understood.pieces) {
    const double relevant = mean_credit(understanding, piece, judged.relevant);
    const double best = mean_credit(understanding, piece, judged.best);
    const double all = mean_credit(understanding, piece, every_row);
    fmt::print("    {:7} {:26} {:4.2f}", to_string(piece.effect), piece.id, piece.weight);
    const double hard = share_kept(understanding, piece, judged.relevant);
    if (!judged.relevant.empty()) fmt::print("  relevant {:.2f} best {:.2f} all {:.2f} hard {:.2f}", relevant, best, all, hard);
    fmt::print("  [{}]\n", values_of(piece));
    if (judged.relevant.empty()) continue;
    KindSums& sum = sums.by_kind[fmt::format("{} {}", to_string(piece.effect), to_string(piece.kind))];
    ++sum.pieces;
    sum.relevant += relevant;
    sum.best += best;
    sum.all += all;
    sum.hard += hard;
  }
  if (!judged.relevant.empty() && understood.prefers()) {
    std::vector<float> preferences(every_row.size());
    understanding.prefer(understood, every_row, preferences);
    catalog::Bitmap relevant(every_row.size());
    for (const catalog::RowIndex row : judged.relevant) relevant.set(row);
    catalog::Bitmap best(every_row.size());
    for (const catalog::RowIndex row : judged.best) best.set(row);
    ++sums.queries;
    sums.separation_relevant += separation(preferences, relevant);
    sums.separation_best += separation(preferences, best);
    sums.precision_relevant += expected_precision(preferences, relevant);
    sums.precision_best += expected_precision(preferences, best);
  }
  if (!understood.removed.empty()) fmt::print("    remaining: \"{}\"\n", understood.remaining);
  for (const UnderstandingNote& note : understood.notes) fmt::print("    note: {} ({})\n", note.text, to_string(note.reason));
}

struct Arguments {
  std::string articles;
  std::string queries;
  std::string qrels;
  std::vector<std::string> texts;
  UnderstandingOptions options;
};

UnderstandingOptions parse_options(const std::string& text) {
  UnderstandingOptions weights;
  const char* position = text.c_str();
  for (double* const weight : {&weights.thing, &weights.colour, &weights.audience, &weights.appearance, &weights.place}) {
    char* end = nullptr;
    *weight = std::strtod(position, &end);
    if (end == position) give_up(fmt::format("--weights {}: five numbers, with commas between", text));
    position = *end == ',' ? end + 1 : end;
  }
  if (const auto valid = weights.validate(); !valid) give_up(valid.error().message);
  return weights;
}

Arguments parse_arguments(std::span<char* const> words) {
  Arguments arguments;
  for (std::size_t i = 1; i < words.size(); i += 2) {
    const std::string_view name = words[i];
    if (i + 1 == words.size()) give_up(fmt::format("{} needs a value", name));
    if (name == "--articles") arguments.articles = words[i + 1];
    else if (name == "--queries") arguments.queries = words[i + 1];
    else if (name == "--qrels") arguments.qrels = words[i + 1];
    else if (name == "--weights") arguments.options = parse_options(words[i + 1]);
    else if (name == "--query") arguments.texts.emplace_back(words[i + 1]);
    else give_up(fmt::format("unknown option {}", name));
  }
  if (arguments.articles.empty()) {
    const char* const shared = std::getenv("SCALESTYLE_SHARED");
    const std::filesystem::path folder = std::filesystem::path(shared != nullptr ? shared : "../shared") / "data" / "hm";
    if (!std::filesystem::exists(folder / "articles.parquet")) {
      fmt::print("nothing to measure: no {}\n", (folder / "articles.parquet").string());
      std::exit(0);
    }
    arguments.articles = folder / "articles.parquet";
    if (arguments.queries.empty()) {
      arguments.queries = folder / "search" / "queries.jsonl";
      arguments.qrels = folder / "search" / "qrels.tsv";
    }
  }
  if (arguments.queries.empty() && arguments.texts.empty()) give_up("--articles needs --queries or --query");
  if (arguments.queries.empty() != arguments.qrels.empty()) give_up("--queries and --qrels go together");
  return arguments;
}

// A row that is left has none of the excluded values, and one that is not has some.
void check_exclusions(const QueryUnderstanding& understanding, const UnderstoodQuery& barred) {
  const catalog::Catalog& catalog = understanding.catalog();
  catalog::Bitmap rows(catalog.size(), true);
  understanding.restrict(barred, rows);
  for (std::uint32_t row = 0; row < catalog.size(); ++row) {
    bool excluded = false;
    for (const UnderstoodPiece& piece : barred.pieces) {
      if (piece.effect != PieceEffect::kExclude) continue;
      for (const MatchedValue& value : piece.values) excluded = excluded || catalog.codes(value.attribute)[row] == value.code;
    }
    if (rows.test({row}) == excluded) give_up(fmt::format("row {} is on the wrong side of an exclusion", row));
  }
}

void print_times(const QueryUnderstanding& understanding, std::span<const std::string> texts, std::span<const catalog::RowIndex> every_row) {
  std::vector<double> times;
  for (const std::string& text : texts) {
    times.push_back(least_microseconds(50, [&] { (void)understanding.understand(text); }));
  }
  std::ranges::sort(times);
  fmt::print("understand: median {:.1f}, worst {:.1f} µs a query\n", times[times.size() / 2], times.back());
  const std::string longest(500, 'a');
  std::string many;
  while (many.size() < 500) many += "not black or white t-shirt under 20 ";
  fmt::print("understand 500 bytes: one word {:.1f}, pieces all over {:.1f} µs\n",
             least_microseconds(50, [&] { (void)understanding.understand(longest); }),
             least_microseconds(50, [&] { (void)understanding.understand(many); }));
  const UnderstoodQuery liked = understanding.understand("dark blue striped t-shirt for women");
  const UnderstoodQuery barred = understanding.understand("t-shirt not black, no print");
  check_exclusions(understanding, barred);
  std::vector<catalog::RowIndex> pool;
  for (std::size_t i = 0; i < 1000 && i < every_row.size(); ++i) pool.push_back(every_row[i * 97 % every_row.size()]);
  std::vector<float> preferences(pool.size());
  fmt::print("prefer, {} rows: {:.1f} µs\n", pool.size(), least_microseconds(50, [&] { understanding.prefer(liked, pool, preferences); }));
  fmt::print("restrict, all rows, two exclusions: {:.1f} µs\n", least_microseconds(50, [&] {
               catalog::Bitmap rows(understanding.catalog().size(), true);
               understanding.restrict(barred, rows);
             }));
}

void print_sums(const Sums& sums) {
  fmt::print("\n{:24} {:>6} {:>9} {:>6} {:>6} {:>6}\n", "mean over pieces", "pieces", "relevant", "best", "all", "hard");
  for (const auto& [kind, sum] : sums.by_kind) {
    const auto count = static_cast<double>(sum.pieces);
    fmt::print("{:24} {:6} {:9.3f} {:6.3f} {:6.3f} {:6.3f}\n", kind, sum.pieces, sum.relevant / count, sum.best / count, sum.all / count, sum.hard / count);
  }
  if (sums.queries == 0) return;
  const auto count = static_cast<double>(sums.queries);
  fmt::print("by preferences alone, {} queries: separation relevant {:.4f} best {:.4f}, precision@10 relevant {:.4f} best {:.4f}\n",
             sums.queries, sums.separation_relevant / count, sums.separation_best / count, sums.precision_relevant / count,
             sums.precision_best / count);
}

int run(const Arguments& arguments) {
  const auto catalog = read_catalog(arguments.articles);
  const PriceUnit unit{.currency = "EUR"};  // as if ingested with a scale
  fmt::print("{} articles\nbuild: {:.1f} ms\n", catalog->size(),
             least_microseconds(5, [&] { (void)QueryUnderstanding(catalog, unit, arguments.options); }) / 1000);
  const QueryUnderstanding understanding(catalog, unit, arguments.options);
  fmt::print("memory: {:.1f} MB\n", static_cast<double>(understanding.memory_bytes()) / 1e6);
  evaluation::QuerySet set;
  if (!arguments.queries.empty()) set = need(evaluation::read_query_set(arguments.queries, arguments.qrels));
  auto& queries = set.queries;
  for (const std::string& text : arguments.texts) queries.push_back({"", text});
  const auto& judgements = set.judgements;
  std::vector<catalog::RowIndex> every_row;
  for (std::uint32_t row = 0; row < catalog->size(); ++row) every_row.push_back({row});
  std::vector<std::string> texts;
  for (const auto& query : queries) texts.push_back(query.text);
  print_times(understanding, texts, every_row);
  Sums sums;
  for (const auto& query : queries) {
    print_understood(understanding, query.text, judged_rows(*catalog, judgements, query.query_id), every_row, sums);
  }
  print_sums(sums);
  return 0;
}

}  // namespace
}  // namespace scalestyle::retrieval

int main(int argc, char** argv) {
  return scalestyle::retrieval::run(scalestyle::retrieval::parse_arguments({argv, static_cast<std::size_t>(argc)}));
}
