// Lexical search on a real catalogue: time to build, memory, latency on one thread, and how good it is.
//   lexical_bench [--articles FILE] [--search FOLDER] [--generated N | --queries FILE] [--check N] [--synonyms FILE]
//                 [--json]                 the last table's rows as JSON lines
//                 [--set OPTION=VALUE]…    options of LexicalOptions and LexicalQueryOptions
// FILE is articles.parquet or .csv, FOLDER holds queries.jsonl and qrels.tsv; by default those below
// $SCALESTYLE_SHARED/data/hm (or ../shared). Generated queries are 1–6 neighbouring words of the catalogue's own texts;
// --queries takes these from a file instead, one a line.
// --check: so many queries of each kind are compared with scoring every row; exit status 1 when one differs.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "bench_support.hpp"
#include "catalog/catalog.hpp"
#include "evaluation/query_set.hpp"
#include "evaluation/search_evaluation.hpp"
#include "lexical_queries.hpp"
#include "retrieval/lexical_index.hpp"
#include "text/words.hpp"

namespace scalestyle::retrieval {
namespace {

using SteadyClock = std::chrono::steady_clock;

struct BenchOptions {
  std::filesystem::path articles;
  std::filesystem::path search;
  std::filesystem::path synonyms;
  std::filesystem::path queries;
  std::size_t generated = 3000;
  std::size_t check = 40;
  bool json = false;
  LexicalOptions index;
  LexicalQueryOptions query;
};

double milliseconds_since(SteadyClock::time_point begin) {
  return std::chrono::duration<double, std::milli>(SteadyClock::now() - begin).count();
}

core::Status set_option(BenchOptions& options, std::string_view assignment) {
  const std::map<std::string_view, float*> numbers = {
      {"name_weight", &options.index.name_weight},
      {"type_weight", &options.index.type_weight},
      {"colour_weight", &options.index.colour_weight},
      {"category_weight", &options.index.category_weight},
      {"description_weight", &options.index.description_weight},
      {"k1", &options.index.k1},
      {"text_length_b", &options.index.text_length_b},
      {"attribute_length_b", &options.index.attribute_length_b},
      {"idf_exponent", &options.index.idf_exponent},
      {"stem_weight", &options.query.stem_weight},
      {"compound_weight", &options.query.compound_weight},
      {"synonym_weight", &options.query.synonym_weight},
      {"prefix_weight", &options.query.prefix_weight},
      {"correction_weight", &options.query.correction_weight},
  };
  const std::map<std::string_view, bool*> switches = {{"correct", &options.query.correct},
                                                      {"expand_prefix", &options.query.expand_prefix},
                                                      {"join_words", &options.query.join_words}};
  const std::size_t equals = std::min(assignment.find('='), assignment.size() - 1);
  const std::string_view name = assignment.substr(0, equals);
  const std::string value(assignment.substr(equals + 1));
  if (const auto number = numbers.find(name); number != numbers.end()) {
    *number->second = std::strtof(value.c_str(), nullptr);
  } else if (const auto flag = switches.find(name); flag != switches.end()) {
    *flag->second = value == "true";
  } else if (name == "rare_articles") {
    options.query.rare_articles = static_cast<std::uint32_t>(std::strtoul(value.c_str(), nullptr, 10));
  } else if (name == "max_corrections") {
    options.query.max_corrections = std::strtoul(value.c_str(), nullptr, 10);
  } else {
    return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("unknown option {}", name));
  }
  return {};
}

core::Result<BenchOptions> parse(int argc, char** argv) {
  const char* const shared = std::getenv("SCALESTYLE_SHARED");
  const std::filesystem::path data = std::filesystem::path(shared != nullptr ? shared : "../shared") / "data" / "hm";
  BenchOptions options{.articles = data / "articles.parquet", .search = data / "search", .synonyms = {}, .queries = {}, .index = {}, .query = {}};
  for (int i = 1; i < argc; i += 2) {
    const std::string_view name = argv[i];
    if (name == "--json") {
      options.json = true;
      --i;  // it has no value
      continue;
    }
    if (i + 1 == argc) return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("{} needs a value", name));
    const char* value = argv[i + 1];
    if (name == "--articles") {
      options.articles = value;
    } else if (name == "--search") {
      options.search = value;
    } else if (name == "--synonyms") {
      options.synonyms = value;
    } else if (name == "--queries") {
      options.queries = value;
    } else if (name == "--generated") {
      options.generated = std::strtoull(value, nullptr, 10);
    } else if (name == "--check") {
      options.check = std::strtoull(value, nullptr, 10);
    } else if (name == "--set") {
      CORE_CHECK(set_option(options, value));
    } else {
      return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("unknown option {}", name));
    }
  }
  return options;
}

core::Result<std::vector<std::string>> read_queries(const std::filesystem::path& path) {
  std::vector<std::string> queries;
  std::ifstream stream(path);
  for (std::string line; std::getline(stream, line);) queries.push_back(line);
  if (queries.empty()) return core::fail(core::ErrorCode::kNotFound, fmt::format("{}: no queries", path.string()));
  return queries;
}

// One edit in the longest word of at least five letters, not in its first letter; what is edited follows from the text.
std::string with_typo(const std::string& query, std::uint32_t seed) {
  std::size_t best = 0;
  std::size_t best_length = 0;
  for (std::size_t begin = 0; begin < query.size();) {
    std::size_t end = begin;
    while (end < query.size() && query[end] >= 'a' && query[end] <= 'z') ++end;
    if (end - begin > best_length) {
      best = begin;
      best_length = end - begin;
    }
    begin = end + 1;
  }
  if (best_length < 5) return query;
  std::mt19937 random(seed);
  for (const char c : query) random.seed(random() ^ static_cast<unsigned char>(c));
  std::string changed = query;
  const std::size_t at = best + 1 + random() % (best_length - 2);
  const char letter = static_cast<char>('a' + random() % 26);
  switch (random() % 4) {
    case 0: changed.erase(at, 1); break;
    case 1: changed.insert(at, 1, letter); break;
    case 2: changed[at] = letter; break;
    default: std::swap(changed[at], changed[at + 1]); break;
  }
  return changed;
}

struct Bench {
  const catalog::Catalog& catalog;
  const LexicalIndex& index;
  const SynonymTable* synonyms;
  const LexicalQueryOptions& options;
  bool json = false;

  [[nodiscard]] LexicalPlan plan(std::string_view query) const { return index.plan(query, synonyms, options).value(); }
};

std::vector<LexicalHit> brute_force(const Bench& bench, const LexicalPlan& plan, const catalog::Bitmap* eligible, std::size_t k) {
  std::vector<LexicalHit> hits;
  for (std::uint32_t row = 0; row < bench.catalog.size(); ++row) {
    if (eligible != nullptr && !eligible->test({row})) continue;
    const float score = bench.index.score(plan, {row});
    if (score > 0) hits.push_back({{row}, score, std::ranges::find(plan.named_rows, catalog::RowIndex{row}) != plan.named_rows.end()});
  }
  std::ranges::stable_sort(hits, std::greater<>(), &LexicalHit::score);
  hits.resize(std::min(k, hits.size()));
  return hits;
}

catalog::Bitmap random_rows(std::size_t size, double share) {
  std::mt19937 random(99);
  std::bernoulli_distribution chosen(share);
  catalog::Bitmap rows(size);
  for (std::uint32_t row = 0; row < size; ++row) {
    if (chosen(random)) rows.set({row});
  }
  return rows;
}

struct LatencyCase {
  std::string_view name;
  const std::vector<std::string>& queries;
  std::size_t k;
  const catalog::Bitmap* eligible;
  std::size_t rounds;
};

double quantile(const std::vector<double>& sorted, double share) {
  return sorted.empty() ? 0 : sorted[std::min(sorted.size() - 1, static_cast<std::size_t>(share * static_cast<double>(sorted.size())))];
}

// Plan and search of every query; the time of a query is the best of its rounds, so that what else the machine does
// counts little. Checks some answers. False: a wrong answer.
bool run_latency(const Bench& bench, const LatencyCase& item, std::size_t check) {
  std::vector<double> plan_ms;
  std::vector<double> times_ms;
  LexicalWork work;
  bool is_equal = true;
  for (std::size_t i = 0; i < item.queries.size(); ++i) {
    double best = 1e9;
    double best_plan = 1e9;
    LexicalResult result;
    for (std::size_t round = 0; round < item.rounds; ++round) {
      const auto begin = SteadyClock::now();
      const LexicalPlan plan = bench.plan(item.queries[i]);
      best_plan = std::min(best_plan, milliseconds_since(begin));
      result = bench.index.search(plan, item.eligible, item.k);
      best = std::min(best, milliseconds_since(begin));
    }
    plan_ms.push_back(best_plan);
    times_ms.push_back(best);
    work.windows += result.work.windows;
    work.windows_searched += result.work.windows_searched;
    work.postings_in_lists += result.work.postings_in_lists;
    work.postings_scored += result.work.postings_scored;
    if (i * check / item.queries.size() == (i + 1) * check / item.queries.size()) continue;
    const auto truth = brute_force(bench, bench.plan(item.queries[i]), item.eligible, item.k);
    if (truth == result.hits) continue;
    fmt::print("WRONG: {}\n", item.queries[i]);
    is_equal = false;
  }
  std::ranges::sort(plan_ms);
  std::ranges::sort(times_ms);
  const auto share = [](std::size_t part, std::size_t whole) { return whole == 0 ? 0.0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole); };
  double sum = 0;
  for (const double time : times_ms) sum += time;
  fmt::print(fmt::runtime(bench.json
                              ? R"({{"queries":"{}","k":{},"mean_ms":{:.4f},"p50_ms":{:.4f},"p95_ms":{:.4f},"p99_ms":{:.4f},)"
                                R"("plan_p50_ms":{:.4f},"plan_p99_ms":{:.4f},"windows_percent":{:.1f},"postings_percent":{:.1f},)"
                                R"("answers":"{}"}})"
                                "\n"
                              : "{:<34}{:>6}{:>8.3f}{:>8.3f}{:>8.3f}{:>8.3f}{:>9.3f}{:>9.3f}{:>9.1f}{:>9.1f}  {}\n"),
             item.name, item.k,
             sum / static_cast<double>(times_ms.size()), quantile(times_ms, 0.5), quantile(times_ms, 0.95), quantile(times_ms, 0.99),
             quantile(plan_ms, 0.5), quantile(plan_ms, 0.99), share(work.windows_searched, work.windows),
             share(work.postings_scored, work.postings_in_lists), is_equal ? "exact" : "WRONG");
  return is_equal;
}

core::Status evaluate(const Bench& bench, std::string name, evaluation::QuerySet set, std::uint32_t typo_seed) {
  if (typo_seed != 0) {
    for (auto& query : set.queries) query.text = with_typo(query.text, typo_seed);
  }
  const auto rank = [&bench](std::string_view query, std::size_t depth) -> core::Result<evaluation::RankedList> {
    evaluation::RankedList list;
    for (const LexicalHit& hit : bench.index.search(bench.plan(query), nullptr, depth).hits) {
      list.articles.push_back(catalog::ArticleId::parse(bench.catalog.row(hit.row).id()).value());
    }
    return list;
  };
  const std::vector<evaluation::Configuration> configurations{{std::move(name), rank}};
  evaluation::EvaluationOptions options;
  options.measures = {{.kind = evaluation::MeasureKind::kNdcg, .depth = 10},
                      {.kind = evaluation::MeasureKind::kReciprocalRank, .depth = 10, .minimum_grade = 2},
                      {.kind = evaluation::MeasureKind::kRecall, .depth = 100}};
  CORE_TRY(const auto result, evaluation::evaluate_search(set, configurations, options));
  const auto& means = result.configurations.front().means;
  fmt::print("{:<28} nDCG@10 {:.3f} [{:.3f}, {:.3f}]  MRR@10 {:.3f}  recall@100 {:.3f}\n", configurations.front().name, means[0].mean,
             means[0].low, means[0].high, means[1].mean, means[2].mean);
  return {};
}

core::Status run_quality(const Bench& bench, const evaluation::QuerySet& set) {
  CORE_CHECK(evaluate(bench, "as written", set, 0));
  for (const std::uint32_t seed : {1U, 2U, 3U}) CORE_CHECK(evaluate(bench, fmt::format("one typo, seed {}", seed), set, seed));
  LexicalQueryOptions uncorrected = bench.options;
  uncorrected.correct = false;
  const Bench without{bench.catalog, bench.index, bench.synonyms, uncorrected};
  return evaluate(without, "one typo, not corrected", set, 1);
}

// Pasted names: how often an article of just that name comes first, and is among the first ten.
void run_known_names(const Bench& bench, std::size_t count) {
  std::mt19937 random(23);
  std::size_t first = 0;
  std::size_t within_ten = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string_view name = bench.catalog.row({static_cast<std::uint32_t>(random() % bench.catalog.size())}).name();
    const auto hits = bench.index.search(bench.plan(name), nullptr, 10).hits;
    const auto found = std::ranges::find_if(hits, [&](const LexicalHit& hit) { return bench.catalog.row(hit.row).name() == name; });
    first += found == hits.begin() && !hits.empty() ? 1U : 0U;
    within_ten += found != hits.end() ? 1U : 0U;
  }
  fmt::print("{:<28} first {:.1f} %, among ten {:.1f} % of {}\n", "an article's name as query",
             100.0 * static_cast<double>(first) / static_cast<double>(count),
             100.0 * static_cast<double>(within_ten) / static_cast<double>(count), count);
}

core::Status run(const BenchOptions& options) {
  CORE_TRY(const catalog::Catalog catalog, bench::read_catalogue(options.articles));
  SynonymTable synonyms;
  if (!options.synonyms.empty()) {
    CORE_TRY(synonyms, SynonymTable::read(options.synonyms));
  }
  double build_ms = 1e9;
  for (int round = 0; round < 3; ++round) {
    const auto begin = SteadyClock::now();
    CORE_CHECK(LexicalIndex::build(catalog, options.index));
    build_ms = std::min(build_ms, milliseconds_since(begin));
  }
  CORE_TRY(const LexicalIndex index, LexicalIndex::build(catalog, options.index));
  fmt::print("{} articles, {} postings, {} words, {} stems; built in {:.0f} ms on one thread; {:.1f} MB\n", catalog.size(),
             index.posting_count(), index.vocabulary().size(), index.vocabulary().term_count(), build_ms,
             static_cast<double>(index.memory_bytes()) / 1e6);
  const Bench bench{catalog, index, &synonyms, options.query, options.json};
  CORE_TRY(const auto set, evaluation::read_query_set(options.search / "queries.jsonl", options.search / "qrels.tsv"));
  CORE_CHECK(run_quality(bench, set));
  run_known_names(bench, 2000);
  if (options.generated == 0) return {};

  std::vector<std::string> given;
  std::vector<std::string> mistyped;
  for (const auto& query : set.queries) {
    given.push_back(query.text);
    mistyped.push_back(with_typo(query.text, 1));
  }
  std::vector<std::string> generated;
  if (options.queries.empty()) {
    generated = bench::generate_queries(catalog, options.generated);
  } else {
    CORE_TRY(generated, read_queries(options.queries));
  }
  const catalog::Bitmap some = random_rows(catalog.size(), 0.12);
  const catalog::Bitmap few = random_rows(catalog.size(), 0.001);
  fmt::print("{:<34}{:>6}{:>8}{:>8}{:>8}{:>8}{:>9}{:>9}{:>9}{:>9}\n", "", "k", "mean", "p50", "p95", "p99 ms", "plan p50", "plan p99",
             "windows%", "posts.%");
  bool is_good = true;
  for (const LatencyCase& item : {LatencyCase{"development queries", given, 100, nullptr, 20},
                                  LatencyCase{"development queries", given, 1000, nullptr, 20},
                                  LatencyCase{"development queries, one typo", mistyped, 100, nullptr, 20},
                                  LatencyCase{"generated queries", generated, 10, nullptr, 3},
                                  LatencyCase{"generated queries", generated, 100, nullptr, 3},
                                  LatencyCase{"generated queries", generated, 1000, nullptr, 3},
                                  LatencyCase{"generated queries, 12 % eligible", generated, 100, &some, 3},
                                  LatencyCase{"generated queries, 0.1 % eligible", generated, 100, &few, 3}}) {
    is_good = run_latency(bench, item, options.check) && is_good;
  }
  return is_good ? core::Status() : core::fail(core::ErrorCode::kInternal, "an answer differs from scoring every row");
}

}  // namespace
}  // namespace scalestyle::retrieval

int main(int argc, char** argv) {
  using namespace scalestyle;
  return bench::run_program("lexical_bench", retrieval::parse(argc, argv), retrieval::run);
}
