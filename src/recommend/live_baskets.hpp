#pragma once
// LiveBaskets: who touched which items together, newest first, within limits. Each basket holds each item once, with its
// newest touch; so the same touch given twice, or touches in another order, make the same baskets. What exceeds a limit goes
// oldest first, then by key, whatever came first. Not thread-safe.

#include <cstddef>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "events/event.hpp"

namespace scalestyle::recommend {

class LiveBaskets {
 public:
  struct Basket;
  struct Item;

  struct Limits {
    std::size_t baskets = 0;
    std::size_t entries = 0;  // items in all baskets together
    std::size_t items_a_basket = 0;
  };
  struct Touch {
    events::EpochMs time_ms = 0;
    double weight = 0;
    friend auto operator<=>(const Touch&, const Touch&) = default;
  };
  struct Entry {
    Item* item = nullptr;
    Touch touch{};
  };
  struct Seen {
    events::EpochMs time_ms = 0;
    Basket* basket = nullptr;
  };
  struct NewestFirst {
    bool operator()(const Seen& a, const Seen& b) const;
  };
  struct Basket {
    std::string key{};
    std::vector<Entry> entries{};        // in no order
    std::set<std::string> owners{};      // subjects with whom it goes
    events::EpochMs newest_ms = 0;
  };
  struct Item {
    std::string id{};
    std::set<Seen, NewestFirst> baskets{};
  };

  explicit LiveBaskets(Limits limits) : limits_(limits) {}
  LiveBaskets(const LiveBaskets&) = delete;
  LiveBaskets& operator=(const LiveBaskets&) = delete;

  // `owner` may be empty.
  void put(std::string_view basket, std::string_view item, Touch touch, std::string_view owner);
  // From now on the basket, where there is one, goes with `owner`.
  void own(std::string_view basket, std::string_view owner);
  void remove(std::string_view basket);
  void remove_owned(std::string_view owner);
  // Forgets touches of before `time_ms`.
  void expire(events::EpochMs time_ms);

  // Null: in no basket.
  [[nodiscard]] const Item* find(std::string_view item) const;
  [[nodiscard]] std::size_t baskets() const { return baskets_.size(); }
  [[nodiscard]] std::size_t items() const { return items_.size(); }
  [[nodiscard]] std::size_t entries() const { return entries_.size(); }

 private:
  struct Place {
    events::EpochMs time_ms = 0;
    Basket* basket = nullptr;
    Item* item = nullptr;
  };
  struct OldestFirst {
    bool operator()(const Place& a, const Place& b) const;
    bool operator()(const Seen& a, const Seen& b) const;
  };

  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  template <class Value>
  using ByText = std::unordered_map<std::string, Value, Hash, std::equal_to<>>;  // values stay where they are

  void link(Basket& basket, const Entry& entry);
  void unlink(Basket& basket, const Entry& entry);  // the item goes with its last basket
  void drop_oldest_item(Basket& basket);
  void drop_entry(Basket& basket, const Item* item);
  void drop(Basket& basket);
  void settle_age(Basket& basket);
  void keep_limits();

  const Limits limits_;
  ByText<Basket> baskets_;
  ByText<Item> items_;
  std::set<Place, OldestFirst> entries_;
  std::set<Seen, OldestFirst> by_age_;  // baskets by their newest touch
  ByText<std::set<std::string>> owned_;  // baskets' keys by owner
};

}  // namespace scalestyle::recommend
