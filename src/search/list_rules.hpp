#pragma once
// Merchandising rules on the list of one request: what ranking/bound_rules.hpp says is done to it.
// Pure; safe from any thread.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "catalog/bitmap.hpp"
#include "catalog/catalog.hpp"
#include "ranking/bound_rules.hpp"
#include "search/answer.hpp"
#include "search/base_list.hpp"

namespace scalestyle::search {

struct RuleScope {
  std::size_t depth = 0;   // of a list that is made only as deep as its page needs: rows that factors act on
  bool is_sorted = false;  // by a column: articles are hidden, nothing else acts
};

// Takes the hidden rows out of `list` and orders it by its scores times their factors.
void apply_rules(const ranking::RuleEffects& effects, const RuleScope& scope, BaseList& list);

// Puts the pinned articles that are not in `list` at its end.
void add_pinned_rows(const catalog::Catalog& articles, const ranking::RuleEffects& effects, BaseList& list);

// The pins of a page: the first rows of its order are those of `pins`, one each.
struct PinnedHead {
  std::vector<std::size_t> positions{};               // from 1, rising
  std::vector<const ranking::PlacedPin*> pins{};      // of the effects; null: the row was drawn to be shown there
};
// Moves the places of pinned rows to the front of `order`, places of `list`, by position. Of a product whose variant is not
// said, the first that is available is taken.
[[nodiscard]] PinnedHead pin_first(const catalog::Catalog& articles, const catalog::Bitmap& available, const ranking::RuleEffects& effects,
                                   const BaseList& list, std::vector<std::uint32_t>& order);

// For the answer: which rules acted, and what could not be pinned.
[[nodiscard]] ActingRules acting_rules(const ranking::BoundRules& rules, const ranking::RuleEffects& effects);
// What they did to one article.
[[nodiscard]] std::vector<RuleOnItem> rules_on(const ranking::BoundRules& rules, const ranking::RuleEffects& effects, catalog::RowIndex row);

}  // namespace scalestyle::search
