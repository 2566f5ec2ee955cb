// What acting rules do to the rows of a list.
#include <algorithm>
#include <cassert>

#include "ranking/behavior_boost.hpp"
#include "ranking/bound_rules.hpp"

namespace scalestyle::ranking {

std::string_view to_string(RuleAct::Kind kind) {
  switch (kind) {
    case RuleAct::Kind::kBoost: return "boost";
    case RuleAct::Kind::kBury: return "bury";
    case RuleAct::Kind::kHide: return "hide";
  }
  return "boost";
}

std::string_view to_string(SkippedPin::Reason reason) {
  switch (reason) {
    case SkippedPin::Reason::kUnknown: return "unknown";
    case SkippedPin::Reason::kUnavailable: return "unavailable";
    case SkippedPin::Reason::kHidden: return "hidden";
    case SkippedPin::Reason::kFilteredOut: return "filtered_out";
    case SkippedPin::Reason::kPinnedBefore: return "pinned_before";
    case SkippedPin::Reason::kNoPosition: return "no_position";
  }
  return "unknown";
}

bool RuleEffects::is_hidden(catalog::RowIndex row) const {
  return std::ranges::any_of(hides_, [&](const Hide& hide) { return hide.rows->contains(row); });
}

void RuleEffects::remove_hidden(catalog::Bitmap& rows) const {
  if (hides_.empty()) return;
  catalog::Bitmap hidden(rows.size());
  for (const Hide& hide : hides_) hide.rows->add_to(hidden);
  rows.and_not(hidden);
}

double RuleEffects::factor(catalog::RowIndex row) const {
  double product = 1;
  for (const Factor& factor : factors_) {
    if (factor.rows->contains(row)) product *= factor.factor;
  }
  return std::clamp(product, kLeastRuleFactor, kGreatestRuleFactor);
}

std::vector<RuleAct> RuleEffects::acts_on(catalog::RowIndex row) const {
  std::vector<RuleAct> acts;
  for (const Hide& hide : hides_) {
    if (hide.rows->contains(row)) acts.push_back({hide.rule, RuleAct::Kind::kHide});
  }
  for (const Factor& factor : factors_) {
    if (!factor.rows->contains(row)) continue;
    acts.push_back({factor.rule, factor.factor > 1 ? RuleAct::Kind::kBoost : RuleAct::Kind::kBury, factor.factor});
  }
  std::ranges::stable_sort(acts, {}, &RuleAct::rule);
  return acts;
}

RuledList apply_rules(const RuleEffects& effects, std::span<const catalog::RowIndex> rows, std::span<const double> scores) {
  assert(rows.size() == scores.size());
  std::vector<double> kept_scores;
  std::vector<catalog::RowIndex> kept_places;  // places stand for rows: ties keep the order of the list
  kept_scores.reserve(rows.size());
  kept_places.reserve(rows.size());
  for (std::uint32_t place = 0; place < rows.size(); ++place) {
    if (effects.is_hidden(rows[place])) continue;
    kept_places.push_back({place});
    kept_scores.push_back(scores[place] * effects.factor(rows[place]));
  }
  std::vector<std::uint32_t> order;
  order_by_score(kept_scores, kept_places, order);
  RuledList list;
  list.rows.reserve(order.size());
  list.scores.reserve(order.size());
  list.places.reserve(order.size());
  for (const std::uint32_t kept : order) {
    const std::uint32_t place = kept_places[kept].value;
    list.rows.push_back(rows[place]);
    list.scores.push_back(kept_scores[kept]);
    list.places.push_back(place);
  }
  return list;
}

std::vector<std::uint32_t> merge_pins(std::span<const std::uint32_t> others, std::span<const PinnedItem> pins, std::size_t before) {
  std::vector<std::uint32_t> merged;
  merged.reserve(others.size() + pins.size());
  auto pin = pins.begin();
  for (const std::uint32_t other : others) {
    while (pin != pins.end() && pin->position <= before + merged.size() + 1) merged.push_back((pin++)->item);
    merged.push_back(other);
  }
  for (; pin != pins.end(); ++pin) merged.push_back(pin->item);
  return merged;
}

}  // namespace scalestyle::ranking
