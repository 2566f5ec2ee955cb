#include "ranking/look.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>

namespace scalestyle::ranking {

namespace {

struct Found {
  float score = 0;
  LookSource source = LookSource::kPopular;
};
using FoundRows = std::map<catalog::RowIndex, Found>;

bool is_candidate(const LookInputs& inputs, catalog::RowIndex row) {
  const catalog::Catalog& articles = *inputs.articles;
  if (inputs.eligible != nullptr && !inputs.eligible->test(row)) return false;
  if (articles.product_of(row) == articles.product_of(inputs.article)) return false;
  return inputs.slots->go_together(inputs.slots->of(inputs.article), inputs.slots->of(row)) &&
         inputs.slots->may_suit_same(inputs.article, row);
}

void raise(FoundRows& found, catalog::RowIndex row, Found what) {
  Found& held = found[row];
  const bool is_more = what.score > held.score || (what.score == held.score && what.source < held.source);
  if (is_more) held = what;
}

void scale_to_one(FoundRows& found) {
  float greatest = 0;
  for (const auto& [row, what] : found) greatest = std::max(greatest, what.score);
  for (auto& [row, what] : found) what.score /= greatest;
}

FoundRows bought(const LookInputs& inputs, const LookOptions& options) {
  FoundRows found;
  if (inputs.neighbours == nullptr) return found;
  const catalog::Catalog& articles = *inputs.articles;
  for (const catalog::RowIndex variant : articles.rows_of_product(articles.product_of(inputs.article))) {
    if (variant.value >= inputs.neighbours->size()) continue;
    const bool is_own = variant == inputs.article;
    const float share = is_own ? 1.0F : static_cast<float>(options.variant_discount);
    for (const Neighbour& neighbour : inputs.neighbours->of(variant.value)) {
      const catalog::RowIndex row{neighbour.item};
      if (neighbour.score * share <= 0 || row.value >= articles.size() || !is_candidate(inputs, row)) continue;
      raise(found, row, {neighbour.score * share, is_own ? LookSource::kBought : LookSource::kVariantBought});
    }
  }
  scale_to_one(found);
  return found;
}

FoundRows chosen(const LookInputs& inputs) {
  FoundRows found;
  for (const ScoredRow& live : inputs.live) {
    if (!(live.score > 0) || !is_candidate(inputs, live.row)) continue;
    Found& held = found[live.row];
    held.score += live.score;
    held.source = LookSource::kChosen;
  }
  scale_to_one(found);
  return found;
}

LookItem item_of(const LookInputs& inputs, const LookOptions& options, catalog::RowIndex row, Found found) {
  LookItem item{.row = row, .slot = inputs.slots->of(row), .source = found.source, .together = found.score};
  item.colour = inputs.hues->match(inputs.article, row);
  const double evidence = 1 - options.popular_share;
  const auto together = static_cast<double>(found.score);
  const double share = found.source == LookSource::kPopular ? options.popular_share * together : evidence + (1 - evidence) * together;
  item.score = static_cast<double>(item.colour) * share;
  return item;
}

bool is_by_group(SlotId slot) { return slot >= kKnownSlots || slot == id_of(Slot::kOther); }

}  // namespace

std::string_view to_string(LookSource source) {
  switch (source) {
    case LookSource::kBought: return "bought_together";
    case LookSource::kVariantBought: return "variant_bought_together";
    case LookSource::kChosen: return "chosen_together";
    case LookSource::kPopular: break;
  }
  return "popular_in_slot";
}

core::Status LookOptions::validate() const {
  const auto wrong = [](std::string message, const char* field) -> core::Status {
    return core::fail(core::ErrorCode::kInvalidArgument, std::move(message), field);
  };
  if (!(variant_discount >= 0 && variant_discount <= 1)) {
    return wrong(fmt::format("variant_discount must be 0 to 1, not {}", variant_discount), "variant_discount");
  }
  if (!(popular_share > 0 && popular_share < 1)) {
    return wrong(fmt::format("popular_share must be above 0 and below 1, not {}", popular_share), "popular_share");
  }
  if (per_slot < 1 || per_slot > kMaxPerSlot) return wrong(fmt::format("per_slot must be 1 to {}, not {}", kMaxPerSlot, per_slot), "per_slot");
  constexpr std::size_t kMostItems = 1'000;
  if (max_items < 1 || max_items > kMostItems) return wrong(fmt::format("max_items must be 1 to {}, not {}", kMostItems, max_items), "max_items");
  return {};
}

std::vector<LookItem> look_candidates(const LookInputs& inputs, const LookOptions& options) {
  FoundRows found = bought(inputs, options);
  for (const auto& [row, what] : chosen(inputs)) raise(found, row, what);
  FoundRows popular;
  for (const ScoredRow& row : inputs.popular) {
    if (!(row.score > 0) || !is_candidate(inputs, row.row) || !inputs.slots->suit_same(inputs.article, row.row)) continue;
    raise(popular, row.row, {row.score, LookSource::kPopular});
  }
  scale_to_one(popular);
  for (const auto& [row, what] : popular) found.try_emplace(row, what);  // what is done with it says more
  std::vector<LookItem> items;
  items.reserve(found.size());
  for (const auto& [row, what] : found) items.push_back(item_of(inputs, options, row, what));
  std::ranges::sort(items, [](const LookItem& a, const LookItem& b) { return a.score != b.score ? a.score > b.score : a.row < b.row; });
  return items;
}

std::vector<LookItem> choose_look(std::span<const LookItem> candidates, const LookInputs& inputs, const LookOptions& options) {
  std::vector<LookItem> look;
  std::vector<bool> has_evidence(inputs.slots->count());
  for (const LookItem& item : candidates) {
    if (item.source != LookSource::kPopular) has_evidence[item.slot] = true;
  }
  const auto fits = [&](const LookItem& item) {
    std::size_t in_slot = 0;
    for (const LookItem& taken : look) {
      if (inputs.articles->product_of(taken.row) == inputs.articles->product_of(item.row)) return false;
      if (taken.slot == item.slot) {
        ++in_slot;
      } else if (!inputs.slots->go_together(taken.slot, item.slot)) {
        return false;
      }
    }
    return in_slot < options.per_slot;
  };
  for (const bool popular : {false, true}) {
    for (const LookItem& item : candidates) {
      if (look.size() >= options.max_items) break;
      if ((item.source == LookSource::kPopular) != popular || (popular && has_evidence[item.slot])) continue;
      if (fits(item)) look.push_back(item);
    }
  }
  std::ranges::sort(look, [](const LookItem& a, const LookItem& b) { return a.score != b.score ? a.score > b.score : a.row < b.row; });
  return look;
}

std::vector<SlotId> empty_slots(std::span<const LookItem> candidates, const LookInputs& inputs) {
  std::vector<bool> has_any(inputs.slots->count());
  for (const LookItem& item : candidates) has_any[item.slot] = true;
  const SlotId own = inputs.slots->of(inputs.article);
  std::vector<SlotId> empty;
  for (SlotId slot = 0; slot < inputs.slots->count(); ++slot) {
    if (has_any[slot] || !inputs.slots->go_together(own, slot)) continue;
    if (is_by_group(slot) && !is_by_group(own)) continue;
    if (!inputs.slots->rows(slot).empty()) empty.push_back(slot);
  }
  return empty;
}

}  // namespace scalestyle::ranking
