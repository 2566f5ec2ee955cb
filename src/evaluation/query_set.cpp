#include "evaluation/query_set.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <system_error>

#include "core/files.hpp"
#include "evaluation/random.hpp"

namespace scalestyle::evaluation {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxFileBytes = std::size_t{512} << 20U;
constexpr std::string_view kQueriesFile = "queries.csv";
constexpr std::string_view kJudgementsFile = "qrels.csv";

// The folder in `folder` that has both files.
core::Result<fs::path> find_files(const fs::path& folder) {
  for (const char* below : {"", "search", "data/search"}) {
    const fs::path place = folder / below;
    std::error_code ignored;
    const bool queries = fs::exists(place / kQueriesFile, ignored);
    const bool judgements = fs::exists(place / kJudgementsFile, ignored);
    if (queries && judgements) return place;
    if (queries == judgements) continue;
    return core::fail(core::ErrorCode::kNotFound,
                      fmt::format("{} has {} but no {}", place.string(), queries ? kQueriesFile : kJudgementsFile,
                                  queries ? kJudgementsFile : kQueriesFile));
  }
  return core::fail(core::ErrorCode::kNotFound,
                    fmt::format("{} is a folder without a query set: no {} and {} in it, in its search/ or in its data/search/",
                                folder.string(), kQueriesFile, kJudgementsFile));
}

}  // namespace

core::Result<QuerySet> read_query_set(const fs::path& queries, const fs::path& judgements) {
  fs::path queries_file = queries;
  fs::path judgements_file = judgements;
  std::error_code ignored;
  if (fs::is_directory(queries, ignored)) {
    CORE_TRY(const fs::path place, find_files(queries));
    queries_file = place / kQueriesFile;
    if (judgements.empty()) judgements_file = place / kJudgementsFile;
  }
  QuerySet set;
  {
    CORE_TRY(const std::string text, core::read_text_file(queries_file, kMaxFileBytes));
    CORE_TRY(set.queries, parse_queries(text, queries_file.string()));
  }
  CORE_TRY(const std::string text, core::read_text_file(judgements_file, kMaxFileBytes));
  CORE_TRY(JudgementFile file, parse_judgements(text, judgements_file.string()));
  set.judgements = std::move(file.judgements);
  set.repeated_judgements = file.repeated;
  return set;
}

void sample_queries(QuerySet& set, std::size_t count, std::uint64_t seed) {
  if (count >= set.queries.size()) return;
  std::vector<std::size_t> places(set.queries.size());
  std::iota(places.begin(), places.end(), std::size_t{0});
  Random random(seed);
  for (std::size_t i = 0; i < count; ++i) std::swap(places[i], places[i + random.below(places.size() - i)]);
  places.resize(count);
  std::ranges::sort(places);
  std::vector<EvaluationQuery> kept;
  std::set<std::string_view> left_out;
  std::size_t next = 0;
  for (std::size_t i = 0; i < set.queries.size(); ++i) {
    if (next < places.size() && places[next] == i) {
      ++next;
      kept.push_back(set.queries[i]);
    } else {
      left_out.insert(set.queries[i].query_id);
    }
  }
  std::erase_if(set.judgements, [&left_out](const auto& entry) { return left_out.contains(entry.first); });
  set.queries = std::move(kept);
}

}  // namespace scalestyle::evaluation
