#include "search/outfit.hpp"

#include <cstdint>
#include <vector>

#include "retrieval/query_understanding_audience.hpp"

namespace scalestyle::search {

std::shared_ptr<const ranking::OutfitSlots> outfit_slots(const catalog::Catalog& articles) {
  using retrieval::AudienceSet;
  std::vector<ranking::Audience> audiences;
  audiences.reserve(articles.size());
  for (const AudienceSet row : retrieval::audience_of_rows(articles)) {
    audiences.push_back({.ages = static_cast<std::uint8_t>(row.bits & AudienceSet::kAges),
                         .genders = static_cast<std::uint8_t>(row.bits & AudienceSet::kGenders)});
  }
  return std::make_shared<const ranking::OutfitSlots>(articles, audiences);
}

}  // namespace scalestyle::search
