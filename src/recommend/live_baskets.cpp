#include "recommend/live_baskets.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace scalestyle::recommend {

bool LiveBaskets::NewestFirst::operator()(const Seen& a, const Seen& b) const {
  return a.time_ms != b.time_ms ? a.time_ms > b.time_ms : a.basket->key < b.basket->key;
}

bool LiveBaskets::OldestFirst::operator()(const Seen& a, const Seen& b) const {
  return a.time_ms != b.time_ms ? a.time_ms < b.time_ms : a.basket->key < b.basket->key;
}

bool LiveBaskets::OldestFirst::operator()(const Place& a, const Place& b) const {
  if (a.time_ms != b.time_ms) return a.time_ms < b.time_ms;
  return a.basket != b.basket ? a.basket->key < b.basket->key : a.item->id < b.item->id;
}

void LiveBaskets::put(std::string_view basket_key, std::string_view item_id, Touch touch, std::string_view owner) {
  auto found = baskets_.find(basket_key);
  const bool is_new = found == baskets_.end();
  if (is_new) {
    found = baskets_.try_emplace(std::string(basket_key)).first;
    found->second.key = found->first;
    found->second.newest_ms = touch.time_ms;
    by_age_.insert({touch.time_ms, &found->second});
  }
  Basket& basket = found->second;
  auto item = items_.find(item_id);
  if (item == items_.end()) {
    item = items_.try_emplace(std::string(item_id)).first;
    item->second.id = item->first;
  }
  const auto held = std::ranges::find(basket.entries, &item->second, &Entry::item);
  if (held == basket.entries.end()) {
    basket.entries.push_back({&item->second, touch});
    link(basket, basket.entries.back());
  } else if (held->touch < touch) {
    const Entry newer{held->item, touch};
    link(basket, newer);  // before the old one goes: the item must stay
    if (held->touch.time_ms != touch.time_ms) unlink(basket, *held);
    *held = newer;
  }
  settle_age(basket);
  if (!owner.empty()) own(basket_key, owner);
  if (basket.entries.size() > limits_.items_a_basket) drop_oldest_item(basket);
  keep_limits();
}

void LiveBaskets::own(std::string_view basket_key, std::string_view owner) {
  const auto basket = baskets_.find(basket_key);
  if (basket == baskets_.end()) return;
  if (basket->second.owners.emplace(owner).second) owned_[std::string(owner)].insert(basket->first);
}

void LiveBaskets::remove(std::string_view basket_key) {
  if (const auto found = baskets_.find(basket_key); found != baskets_.end()) drop(found->second);
}

void LiveBaskets::remove_owned(std::string_view owner) {
  const auto found = owned_.find(owner);
  if (found == owned_.end()) return;
  const std::set<std::string> keys = found->second;  // dropping them changes the set
  for (const std::string& key : keys) remove(key);
}

void LiveBaskets::expire(events::EpochMs time_ms) {
  while (!entries_.empty() && entries_.begin()->time_ms < time_ms) {
    const Place oldest = *entries_.begin();
    drop_entry(*oldest.basket, oldest.item);
  }
}

const LiveBaskets::Item* LiveBaskets::find(std::string_view item) const {
  const auto found = items_.find(item);
  return found == items_.end() ? nullptr : &found->second;
}

void LiveBaskets::link(Basket& basket, const Entry& entry) {
  // Events come nearly in the order of their times.
  entry.item->baskets.insert(entry.item->baskets.begin(), {entry.touch.time_ms, &basket});
  entries_.insert(entries_.end(), {entry.touch.time_ms, &basket, entry.item});
}

void LiveBaskets::unlink(Basket& basket, const Entry& entry) {
  entry.item->baskets.erase({entry.touch.time_ms, &basket});
  entries_.erase({entry.touch.time_ms, &basket, entry.item});
  if (entry.item->baskets.empty()) items_.erase(items_.find(entry.item->id));
}

void LiveBaskets::drop_oldest_item(Basket& basket) {
  const auto older = [](const Entry& a, const Entry& b) {
    return a.touch.time_ms != b.touch.time_ms ? a.touch.time_ms < b.touch.time_ms : a.item->id < b.item->id;
  };
  drop_entry(basket, std::ranges::min_element(basket.entries, older)->item);
}

void LiveBaskets::drop_entry(Basket& basket, const Item* item) {
  const auto held = std::ranges::find(basket.entries, item, &Entry::item);
  assert(held != basket.entries.end());
  unlink(basket, *held);
  basket.entries.erase(held);
  if (basket.entries.empty()) {
    drop(basket);
  } else {
    settle_age(basket);
  }
}

void LiveBaskets::drop(Basket& basket) {
  for (const Entry& entry : basket.entries) unlink(basket, entry);
  by_age_.erase({basket.newest_ms, &basket});
  for (const std::string& owner : basket.owners) {
    const auto owned = owned_.find(owner);
    owned->second.erase(basket.key);
    if (owned->second.empty()) owned_.erase(owned);
  }
  baskets_.erase(baskets_.find(basket.key));
}

void LiveBaskets::settle_age(Basket& basket) {
  const auto newest = std::ranges::max_element(basket.entries, {}, [](const Entry& entry) { return entry.touch.time_ms; });
  if (newest->touch.time_ms == basket.newest_ms) return;
  by_age_.erase({basket.newest_ms, &basket});
  basket.newest_ms = newest->touch.time_ms;
  by_age_.insert(by_age_.end(), {basket.newest_ms, &basket});
}

void LiveBaskets::keep_limits() {
  while (baskets_.size() > limits_.baskets) drop(*by_age_.begin()->basket);
  while (entries_.size() > limits_.entries) {
    const Place oldest = *entries_.begin();
    drop_entry(*oldest.basket, oldest.item);
  }
}

}  // namespace scalestyle::recommend
