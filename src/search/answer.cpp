#include "search/answer.hpp"

#include <array>

namespace scalestyle::search {

namespace {

constexpr std::array kBrowseSorts{BrowseSort::kPopular, BrowseSort::kPriceAscending, BrowseSort::kPriceDescending,
                                  BrowseSort::kName, BrowseSort::kNewest};
constexpr std::array kSearchSorts{SearchSort::kRelevance, SearchSort::kPriceAscending, SearchSort::kPriceDescending,
                                  SearchSort::kNewest, SearchSort::kPopularity};

}  // namespace

std::string_view to_string(BrowseSort sort) {
  switch (sort) {
    case BrowseSort::kPopular: return "popular";
    case BrowseSort::kPriceAscending: return "price_asc";
    case BrowseSort::kPriceDescending: return "price_desc";
    case BrowseSort::kName: return "name";
    case BrowseSort::kNewest: return "newest";
  }
  return "popular";
}

std::string_view to_string(SearchSort sort) {
  switch (sort) {
    case SearchSort::kRelevance: return "relevance";
    case SearchSort::kPriceAscending: return "price_asc";
    case SearchSort::kPriceDescending: return "price_desc";
    case SearchSort::kNewest: return "newest";
    case SearchSort::kPopularity: return "popularity";
  }
  return "relevance";
}

std::optional<SearchSort> search_sort(std::string_view name) {
  for (const SearchSort sort : kSearchSorts) {
    if (to_string(sort) == name) return sort;
  }
  return std::nullopt;
}

std::optional<BrowseSort> browse_sort(std::string_view name) {
  for (const BrowseSort sort : kBrowseSorts) {
    if (to_string(sort) == name) return sort;
  }
  return std::nullopt;
}

std::string_view to_string(VisualMode mode) {
  switch (mode) {
    case VisualMode::kImageToImage: return "image_to_image";
    case VisualMode::kTextToImage: return "text_to_image";
    case VisualMode::kMultimodal: return "multimodal";
    case VisualMode::kHybrid: return "hybrid";
  }
  return "image_to_image";
}

std::optional<VisualMode> visual_mode(std::string_view name) {
  for (std::size_t i = 0; i < kVisualModeCount; ++i) {
    const auto mode = static_cast<VisualMode>(i);
    if (to_string(mode) == name) return mode;
  }
  return std::nullopt;
}

std::string_view to_string(ListSource source) {
  switch (source) {
    case ListSource::kMade: return "made";
    case ListSource::kShared: return "shared";
    case ListSource::kKept: return "kept";
    case ListSource::kOlder: return "older";
  }
  return "made";
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
    case Stage::kList: return "list";
    case Stage::kUnderstand: return "understand";
    case Stage::kFilter: return "filter";
    case Stage::kSnapshot: return "snapshot";
    case Stage::kLexical: return "lexical";
    case Stage::kEmbed: return "embed";
    case Stage::kRetrieve: return "retrieve";
    case Stage::kEmbedImage: return "embed_image";
    case Stage::kRetrieveImage: return "retrieve_image";
    case Stage::kOrder: return "order";
    case Stage::kRerank: return "rerank";
    case Stage::kFallback: return "fallback";
    case Stage::kRules: return "rules";
    case Stage::kPersonalize: return "personalize";
    case Stage::kPage: return "page";
    case Stage::kReasons: return "reasons";
  }
  return "order";
}

std::string_view to_string(ReasonSource source) { return source == ReasonSource::kTemplate ? "template" : "llm"; }

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
