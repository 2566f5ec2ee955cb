#include "search/answer.hpp"

#include <array>

namespace scalestyle::search {

namespace {

constexpr std::array<BrowseSort, 4> kBrowseSorts{BrowseSort::kPopular, BrowseSort::kPriceAscending,
                                                 BrowseSort::kPriceDescending, BrowseSort::kName};

}  // namespace

std::string_view to_string(BrowseSort sort) {
  switch (sort) {
    case BrowseSort::kPopular: return "popular";
    case BrowseSort::kPriceAscending: return "price_asc";
    case BrowseSort::kPriceDescending: return "price_desc";
    case BrowseSort::kName: return "name";
  }
  return "popular";
}

std::optional<BrowseSort> browse_sort(std::string_view name) {
  for (const BrowseSort sort : kBrowseSorts) {
    if (to_string(sort) == name) return sort;
  }
  return std::nullopt;
}

std::string_view to_string(StageOutcome outcome) {
  switch (outcome) {
    case StageOutcome::kOk: return "ok";
    case StageOutcome::kSkipped: return "skipped";
    case StageOutcome::kLate: return "late";
    case StageOutcome::kFailed: return "failed";
    case StageOutcome::kRefused: return "refused";
    case StageOutcome::kCancelled: return "cancelled";
  }
  return "failed";
}

std::string_view to_string(Stage stage) {
  switch (stage) {
    case Stage::kAdmission: return "admission";
    case Stage::kValidate: return "validate";
    case Stage::kUnderstand: return "understand";
    case Stage::kFilter: return "filter";
    case Stage::kSnapshot: return "snapshot";
    case Stage::kLexical: return "lexical";
    case Stage::kEmbed: return "embed";
    case Stage::kRetrieve: return "retrieve";
    case Stage::kOrder: return "order";
    case Stage::kFallback: return "fallback";
    case Stage::kPersonalize: return "personalize";
  }
  return "order";
}

std::string_view to_string(FallbackSource source) {
  switch (source) {
    case FallbackSource::kCached: return "cached";
    case FallbackSource::kPopular24h: return "popular_24h";
    case FallbackSource::kPopular7d: return "popular_7d";
    case FallbackSource::kGlobalPopular: return "global_popular";
  }
  return "global_popular";
}

}  // namespace scalestyle::search
