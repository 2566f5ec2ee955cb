#include "search/source_reasons.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>

#include "search/recommended_list.hpp"
#include "search/shown_text.hpp"

namespace scalestyle::search {

namespace {

using ranking::Source;

constexpr std::size_t kMaxNameCharacters = 40;
constexpr std::size_t kMaxSectionCharacters = 40;
constexpr events::EpochMs kRecentMs = 7 * 86'400'000LL;

// "“Cape”", or "an article" of no name.
std::string name_of(const catalog::Catalog& articles, catalog::RowIndex row) {
  const std::string name = shown(articles.row(row).name(), kMaxNameCharacters);
  return name.empty() ? "an article" : fmt::format("“{}”", name);
}

std::string_view deed(events::EventType type) {
  switch (type) {
    case events::EventType::kPurchase: return "bought";
    case events::EventType::kAddToCart: return "put into your basket";
    default: return "looked at";
  }
}

// "“Cape”, which you bought"; of a list like one article its name alone.
std::string reference_to(const RecommendedList& list, const catalog::Catalog& articles, const TouchedItem& item) {
  const std::string name = name_of(articles, item.row);
  return list.is_for_article ? name : fmt::format("{}, which you {}", name, deed(item.type));
}

std::string own_lead(const RecommendedList& list, catalog::RowIndex row, events::EpochMs now_ms) {
  const auto found = std::ranges::find(list.touched, row, &TouchedItem::row);
  if (found == list.touched.end()) return {};
  const std::string_view when = now_ms - found->time_ms <= kRecentMs ? "recently" : "before";
  switch (found->type) {
    case events::EventType::kPurchase: return "You bought it before";
    case events::EventType::kAddToCart: return fmt::format("You put it into your basket {}", when);
    default: return fmt::format("You looked at it {}", when);
  }
}

std::string variant_lead(const RecommendedList& list, const catalog::Catalog& articles, catalog::RowIndex row) {
  const auto product = articles.product_of(row);
  const auto found = std::ranges::find_if(list.touched, [&](const TouchedItem& item) { return articles.product_of(item.row) == product; });
  if (found == list.touched.end()) return {};
  return "Another variant of " + reference_to(list, articles, *found);
}

// The touched article that it is the nearest neighbour of.
std::string neighbour_lead(const RecommendedList& list, const catalog::Catalog& articles, catalog::RowIndex row) {
  const TouchedItem* best = nullptr;
  float score = 0;
  for (const TouchedItem& item : list.touched) {
    if (list.neighbours == nullptr || item.row.value >= list.neighbours->size()) continue;
    for (const ranking::Neighbour& neighbour : list.neighbours->of(item.row.value)) {
      if (neighbour.item != row.value || neighbour.score <= score) continue;
      best = &item;
      score = neighbour.score;
    }
  }
  if (best != nullptr) return "Bought by shoppers who bought " + reference_to(list, articles, *best);
  // Known of live events alone.
  if (list.is_for_article) return "Of interest to shoppers along with " + name_of(articles, list.touched.front().row);
  return "Of interest to shoppers along with what you showed interest in";
}

std::string section_lead(const RecommendedList& list, const catalog::ArticleView& article) {
  if (!list.section) return {};
  const std::string section = shown(article[attribute_of(*list.section)], kMaxSectionCharacters);
  return section.empty() ? std::string() : "Popular in " + section;
}

std::string near_lead(const RecommendedList& list, const catalog::Catalog& articles, std::string_view how) {
  if (!list.near_to) return {};
  const auto found = std::ranges::find(list.touched, *list.near_to, &TouchedItem::row);
  if (found == list.touched.end()) return {};
  return fmt::format("{} {}", how, reference_to(list, articles, *found));
}

// What speaks most for it; nothing where nothing does.
std::optional<Source> leading_source(const RecommendedList& list, const ranking::SourceScores& scores) {
  std::optional<Source> leading;
  float most = 0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const float share = scores[i] * list.weights[i];
    if (!(share > most)) continue;
    most = share;
    leading = static_cast<Source>(i);
  }
  return leading;
}

constexpr std::string_view kAmongTheNewest = "Among the newest articles";

}  // namespace

std::string source_lead(const ReasonScope& scope, const AnswerItem& item) {
  const RecommendedList& list = *scope.recommended;
  const catalog::Catalog& articles = scope.generation.catalog();
  const catalog::RowIndex row = item.article.row();
  if (item.exploration) {
    const bool is_new = std::ranges::binary_search(list.newest, row);
    return std::string(is_new ? kAmongTheNewest : "Hardly shown to anybody yet");
  }
  const ranking::SourceScores* const scores = list.scores_of(row);
  const auto leading = scores != nullptr ? leading_source(list, *scores) : std::nullopt;
  if (!leading) return {};
  switch (*leading) {
    case Source::kOwn: return own_lead(list, row, scope.now_ms);
    case Source::kVariant: return variant_lead(list, articles, row);
    case Source::kNeighbour: return neighbour_lead(list, articles, row);
    case Source::kSection: return section_lead(list, item.article);
    case Source::kContent: return near_lead(list, articles, "Similar to");
    case Source::kPicture: return near_lead(list, articles, "Looks like");
    case Source::kNew: return std::string(kAmongTheNewest);
    case Source::kPopular: break;
  }
  return {};
}

}  // namespace scalestyle::search
