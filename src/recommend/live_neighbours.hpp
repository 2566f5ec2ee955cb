#pragma once
// LiveNeighbours: what was done together in one session, or bought on one day (UTC) by one user, in the last 24 hours.
//
// For items a and b, over the newest baskets of a:
//   s(a, b) = Σ min(w_a, w_b) · 2^(−age / half_life) / (1 + ln(items in the basket)) / (sqrt(n_a · n_b) + shrinkage)
// with w the weights of the two touches, the age of the older one, and n the number of baskets that an item is in. An item's touch is its newest
// in the basket. Terms are added as whole numbers: the order in which events come changes no score, nor does an event that
// comes twice. Only what exceeds a limit is forgotten earlier, oldest first.
//
// It is given events as they take effect, and once the older ones of the log, in any order between the two. A subject that
// is forgotten leaves at once with all its baskets, a session that became a user's with that user; older events of it that
// are given afterwards are passed over.
// Thread safety: every method from any thread. A lock is held for the events or items of one call, at most a millisecond
// or so; fill() lets others in between.

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/clock.hpp"
#include "core/result.hpp"
#include "events/event.hpp"
#include "recommend/live_baskets.hpp"

namespace scalestyle::recommend {

struct LiveNeighboursOptions {
  std::size_t max_baskets = 50'000;         // sessions, and days of users
  std::size_t max_entries = 400'000;        // items in all of them
  std::size_t items_per_basket = 20;        // the newest; 2 … 100
  std::size_t baskets_per_item = 100;       // the newest are looked at; 1 … 1,000
  std::size_t neighbours_per_item = 50;     // 1 … 1,000
  std::size_t max_forgotten = 10'000;       // subjects whose older events fill() passes over one by one
  double half_life_hours = 6;               // 0.01 … 1,000
  double shrinkage = 3;                     // 0 … 1e6

  // kInvalidArgument with the option as field.
  [[nodiscard]] core::Status validate() const;
};

struct LiveNeighbour {
  std::string item{};
  double score = 0;  // > 0
  friend bool operator==(const LiveNeighbour&, const LiveNeighbour&) = default;
};

class LiveNeighbours {
 public:
  static constexpr std::size_t kMaxItems = 20;  // of a question

  struct Counts {
    std::size_t baskets = 0;
    std::size_t items = 0;
    std::size_t entries = 0;
  };

  // `options` must be valid; the clock must outlive this object.
  explicit LiveNeighbours(const core::Clock& clock, LiveNeighboursOptions options = {});
  LiveNeighbours(const LiveNeighbours&) = delete;
  LiveNeighbours& operator=(const LiveNeighbours&) = delete;

  // Events as they take effect, in the log's order.
  void apply(std::span<const events::LoggedEvent> taken);
  // Older events of the same log, in its order.
  void fill(std::span<const events::LoggedEvent> older);

  // The best neighbours of each of the first kMaxItems distinct ids, their scores added up; without these items themselves. By
  // score descending, then id.
  [[nodiscard]] std::vector<LiveNeighbour> neighbours_of(std::span<const std::string> items) const;

  [[nodiscard]] Counts counts() const;

 private:
  using Offset = std::int64_t;
  struct Score {
    const LiveBaskets::Item* item = nullptr;
    double score = 0;
  };

  // All with the lock.
  void take(const events::LoggedEvent& logged, bool is_older);
  void take_item(const events::LoggedEvent& logged, bool is_older);
  void forget(const std::string& subject, Offset offset);
  [[nodiscard]] bool is_forgotten(const std::string& subject, Offset offset) const;
  void expire() const;
  [[nodiscard]] std::vector<Score> best_of(const LiveBaskets::Item& item, events::EpochMs now_ms) const;
  [[nodiscard]] events::EpochMs now_ms() const;

  const core::Clock& clock_;
  const LiveNeighboursOptions options_;
  mutable std::mutex mutex_;
  mutable LiveBaskets baskets_;  // guarded by mutex_, as all below; time alone removes what is too old
  std::map<std::string, Offset, std::less<>> forgotten_;  // the newest forget of a subject
  std::set<std::pair<Offset, std::string>> forgotten_by_offset_;
  Offset all_forgotten_ = -1;  // older events than this are passed over whosever they are
};

}  // namespace scalestyle::recommend
