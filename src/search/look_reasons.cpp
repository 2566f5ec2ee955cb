#include "search/look_reasons.hpp"

#include <fmt/format.h>

#include "search/made_look.hpp"
#include "search/shown_text.hpp"

namespace scalestyle::search {

std::string look_lead(const ReasonScope& scope, const AnswerItem& item) {
  constexpr std::size_t kMaxNameCharacters = 40;
  const ranking::LookItem* const part = scope.look->item_of(item.article.row());
  if (part == nullptr) return {};
  std::string name = shown(scope.generation.catalog().row(scope.look->article).name(), kMaxNameCharacters);
  name = name.empty() ? "an article" : fmt::format("“{}”", name);
  switch (part->source) {
    case ranking::LookSource::kBought: return "Bought by shoppers who bought " + name;
    case ranking::LookSource::kVariantBought: return "Bought by shoppers who bought another variant of " + name;
    case ranking::LookSource::kChosen: return "Of interest to shoppers along with " + name;
    case ranking::LookSource::kPopular: break;
  }
  return "Goes with " + name;
}

}  // namespace scalestyle::search
