#include "search/list_rules.hpp"

#include <algorithm>
#include <utility>

namespace scalestyle::search {

namespace {

constexpr double kScoreOfPinned = 1e-6;  // of an article that is in the list only since it is pinned

template <class T>
void take_places(std::span<const std::uint32_t> places, std::vector<T>& values) {
  if (values.empty()) return;
  std::vector<T> taken;
  taken.reserve(places.size());
  for (const std::uint32_t place : places) taken.push_back(values[place]);
  values = std::move(taken);
}

bool is_made_to_measure(const BaseList& list) { return list.is_every_eligible_row || list.members != nullptr; }

std::string pin_target(const ranking::RulePin& pin) { return pin.article_id ? pin.article_id->text() : pin.product_code; }

}  // namespace

void apply_rules(const ranking::RuleEffects& effects, const RuleScope& scope, BaseList& list) {
  const bool bends = effects.has_factors() && !scope.is_sorted;
  if (!effects.hides() && !bends) return;
  const std::size_t depth = !bends ? 0 : is_made_to_measure(list) ? std::min(scope.depth, list.rows.size()) : list.rows.size();
  ranking::RuledList head = ranking::apply_rules(effects, std::span(list.rows).first(depth), std::span(list.scores).first(depth));
  for (std::size_t place = depth; place < list.rows.size(); ++place) {
    if (!effects.is_hidden(list.rows[place])) head.places.push_back(static_cast<std::uint32_t>(place));
  }
  list.total -= list.rows.size() - head.places.size();
  const std::size_t bent = head.scores.size();
  take_places<catalog::RowIndex>(head.places, list.rows);
  take_places<double>(head.places, list.scores);
  std::copy_n(head.scores.begin(), bent, list.scores.begin());
  take_places(head.places, list.leg_ranks);
  take_places(head.places, list.fused_scores);
  take_places(head.places, list.preferences);
}

void add_pinned_rows(const catalog::Catalog& articles, const ranking::RuleEffects& effects, BaseList& list) {
  std::shared_ptr<catalog::Bitmap> members;
  for (const ranking::PlacedPin& pin : effects.pins()) {
    const bool is_there = std::ranges::any_of(list.rows, [&](catalog::RowIndex row) {
      return pin.any_variant ? articles.product_of(row) == pin.product : row == pin.row;
    });
    if (is_there) continue;
    if (list.members != nullptr && members == nullptr) members = std::make_shared<catalog::Bitmap>(*list.members);
    const bool is_counted = list.is_every_eligible_row || (members != nullptr && members->test(pin.row));
    if (!is_counted) ++list.total;
    if (members != nullptr) members->set(pin.row);
    list.rows.push_back(pin.row);
    list.scores.push_back(kScoreOfPinned);
    if (!list.leg_ranks.empty()) list.leg_ranks.emplace_back();
    if (!list.fused_scores.empty()) list.fused_scores.push_back(kScoreOfPinned);
    if (!list.preferences.empty()) list.preferences.push_back(0);
  }
  if (members != nullptr) list.members = std::move(members);
}

PinnedHead pin_first(const catalog::Catalog& articles, const catalog::Bitmap& available, const ranking::RuleEffects& effects,
                     const BaseList& list, std::vector<std::uint32_t>& order) {
  PinnedHead head;
  for (const ranking::PlacedPin& pin : effects.pins()) {
    const auto first = order.begin() + static_cast<std::ptrdiff_t>(head.pins.size());
    const auto found = std::find_if(first, order.end(), [&](std::uint32_t place) {
      const catalog::RowIndex row = list.rows[place];
      return pin.any_variant ? articles.product_of(row) == pin.product && available.test(row) : row == pin.row;
    });
    if (found == order.end()) continue;
    std::rotate(first, found, found + 1);
    head.positions.push_back(pin.position);
    head.pins.push_back(&pin);
  }
  return head;
}

ActingRules acting_rules(const ranking::BoundRules& rules, const ranking::RuleEffects& effects) {
  const auto all = rules.rules().rules();
  ActingRules acting;
  for (const std::uint32_t rule : effects.rules()) acting.ids.push_back(all[rule].id);
  if (effects.redirect() != nullptr) {
    acting.redirect = ActingRules::Redirect{effects.redirect()->url, effects.redirect()->query, all[effects.redirecting_rule()].id};
  }
  for (const ranking::SkippedPin& skipped : effects.skipped_pins()) {
    const ranking::RulePin& pin = all[skipped.rule].pins[skipped.pin];
    acting.skipped_pins.push_back({all[skipped.rule].id, pin_target(pin), pin.position, ranking::to_string(skipped.reason)});
  }
  return acting;
}

std::vector<RuleOnItem> rules_on(const ranking::BoundRules& rules, const ranking::RuleEffects& effects, catalog::RowIndex row) {
  const auto all = rules.rules().rules();
  std::vector<RuleOnItem> acts;
  for (const ranking::RuleAct& act : effects.acts_on(row)) acts.push_back({all[act.rule].id, ranking::to_string(act.kind), act.factor});
  return acts;
}

}  // namespace scalestyle::search
