#include "search/degradation.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "search/answer.hpp"
#include "support/source_folder.hpp"

namespace scalestyle::search {
namespace {

TEST(Degradation, TableIsInTheOrderOfTheEnum) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kDegradationReasons.size(); ++i) {
    EXPECT_EQ(static_cast<std::size_t>(kDegradationReasons[i].reason), i);
    EXPECT_TRUE(names.insert(kDegradationReasons[i].name).second) << kDegradationReasons[i].name;
    EXPECT_FALSE(kDegradationReasons[i].trigger.empty());
    EXPECT_FALSE(kDegradationReasons[i].served.empty());
    EXPECT_FALSE(kDegradationReasons[i].operation.empty());
  }
  EXPECT_EQ(names, (std::set<std::string_view>{
                       "RERANK_PARTIAL", "RERANK_UNAVAILABLE", "INFERENCE_TIMEOUT", "INFERENCE_UNAVAILABLE",
                       "RETRIEVAL_UNAVAILABLE", "DOWNSTREAM_CIRCUIT_OPEN", "HYBRID_TEXT_PATH_FAILED_IMAGE_ONLY",
                       "HYBRID_IMAGE_PATH_FAILED_TEXT_ONLY", "PERSONALIZATION_UNAVAILABLE", "REDIS_TIMEOUT",
                       "REDIS_UNAVAILABLE", "STALE_DATA_ALLOWED", "CACHE_MISS", "DOWNSTREAM_CAPACITY_REJECTED"}));
}

// What the table says of fallback_source are names that answers have.
TEST(Degradation, FallbackSourcesAreThoseOfAnswers) {
  std::set<std::string> known{"none"};
  for (const auto source : {FallbackSource::kCached, FallbackSource::kPopular24h, FallbackSource::kPopular7d,
                            FallbackSource::kGlobalPopular}) {
    known.emplace(to_string(source));
  }
  for (const DegradationInfo& row : kDegradationReasons) {
    std::string text(row.fallback_source);
    if (const auto lexical = text.find(" for lexical results, else"); lexical != std::string::npos) text.erase(lexical, 26).insert(lexical, ",");
    std::istringstream names(text);
    for (std::string name; std::getline(names >> std::ws, name, ',');) EXPECT_TRUE(known.contains(name)) << row.name << ": " << name;
  }
}

TEST(Degradation, MostSevereIsTheLatestInTheEnum) {
  EXPECT_EQ(most_severe({}), std::nullopt);
  const std::vector reasons{DegradationReason::kInferenceTimeout, DegradationReason::kRerankPartial};
  EXPECT_EQ(most_severe(reasons), DegradationReason::kInferenceTimeout);
}

TEST(Degradation, DocumentIsCurrent) {
  const std::filesystem::path path = support::source_folder() / "docs/DEGRADATION_REASONS.md";
  std::ifstream file(path);
  ASSERT_TRUE(file) << path;
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  EXPECT_EQ(text, degradation_document()) << "the page is made from src/search/degradation.hpp: bring it up to date";
}

}  // namespace
}  // namespace scalestyle::search
