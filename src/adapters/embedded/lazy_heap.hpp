#pragma once
// LazyHeap: what is least recently active, by (time, key). Times only move forward, so an entry may hold an older time
// than its owner has now: it is put right when it comes to the top, and touching an owner costs nothing here.
//
// Owner: EpochMs time(ref), std::string_view key(ref), void set_place(ref, place). Not thread-safe.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

#include "events/event.hpp"

namespace scalestyle::adapters::embedded {

template <class Owner>
class LazyHeap {
 public:
  using Ref = std::uint32_t;

  explicit LazyHeap(Owner& owner) : owner_(owner) {}

  [[nodiscard]] bool empty() const { return entries_.empty(); }
  [[nodiscard]] std::size_t size() const { return entries_.size(); }

  void push(Ref ref) {
    entries_.push_back({owner_.time(ref), ref});
    rise(entries_.size() - 1);
  }

  void remove(std::uint32_t place) {
    const Entry last = entries_.back();
    entries_.pop_back();
    if (place == entries_.size()) return;
    entries_[place] = last;
    owner_.set_place(last.ref, place);
    if (!rise(place)) sink(place);
  }

  // The owner with the smallest (time, key).
  [[nodiscard]] std::optional<Ref> least() {
    if (entries_.empty()) return std::nullopt;
    while (true) {
      const events::EpochMs now = owner_.time(entries_[0].ref);
      if (now == entries_[0].time) return entries_[0].ref;
      entries_[0].time = now;
      sink(0);
    }
  }

  // False when certainly no owner's time is before `time`; cheap.
  [[nodiscard]] bool may_precede(events::EpochMs time) const { return !entries_.empty() && entries_[0].time < time; }

 private:
  struct Entry {
    events::EpochMs time;
    Ref ref;
  };

  [[nodiscard]] bool less(const Entry& left, const Entry& right) const {
    if (left.time != right.time) return left.time < right.time;
    return owner_.key(left.ref) < owner_.key(right.ref);
  }

  void place(std::size_t at, const Entry& entry) {
    entries_[at] = entry;
    owner_.set_place(entry.ref, static_cast<std::uint32_t>(at));
  }

  bool rise(std::size_t at) {
    const Entry entry = entries_[at];
    const std::size_t start = at;
    while (at > 0 && less(entry, entries_[(at - 1) / 2])) {
      place(at, entries_[(at - 1) / 2]);
      at = (at - 1) / 2;
    }
    place(at, entry);
    return at != start;
  }

  void sink(std::size_t at) {
    const Entry entry = entries_[at];
    while (true) {
      std::size_t child = 2 * at + 1;
      if (child >= entries_.size()) break;
      if (child + 1 < entries_.size() && less(entries_[child + 1], entries_[child])) ++child;
      if (!less(entries_[child], entry)) break;
      place(at, entries_[child]);
      at = child;
    }
    place(at, entry);
  }

  Owner& owner_;
  std::deque<Entry> entries_;  // grows without moving: a million entries are never copied at once
};

}  // namespace scalestyle::adapters::embedded
