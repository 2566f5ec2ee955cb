#include "recommend/live_neighbours.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <unordered_map>

#include "events/effect.hpp"

namespace scalestyle::recommend {

namespace {

constexpr events::EpochMs kDayMs = 86'400'000;
constexpr double kHourMs = 3'600'000;
constexpr double kMaxWeight = 100;
constexpr double kUnit = 4294967296.0;  // terms are added as multiples of 2⁻³²: at most 1,000 terms of at most 100
constexpr std::size_t kFillSlice = 100;

std::string session_key(const events::Event& event) { return "s:" + event.session_id->value(); }
std::string user_key(const events::Event& event) { return "u:" + event.user_id->value(); }

}  // namespace

core::Status LiveNeighboursOptions::validate() const {
  const auto refuse = [](std::string_view field, auto least, auto most) {
    return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("{} must be from {} to {}", field, least, most),
                      std::string(field));
  };
  constexpr std::size_t kMost = 10'000'000;
  if (max_baskets < 1 || max_baskets > kMost) return refuse("max_baskets", 1, kMost);
  if (max_entries < 2 || max_entries > kMost) return refuse("max_entries", 2, kMost);
  if (items_per_basket < 2 || items_per_basket > 100) return refuse("items_per_basket", 2, 100);
  if (baskets_per_item < 1 || baskets_per_item > 1'000) return refuse("baskets_per_item", 1, 1'000);
  if (neighbours_per_item < 1 || neighbours_per_item > 1'000) return refuse("neighbours_per_item", 1, 1'000);
  if (max_forgotten < 1 || max_forgotten > kMost) return refuse("max_forgotten", 1, kMost);
  if (!(half_life_hours >= 0.01 && half_life_hours <= 1'000)) return refuse("half_life_hours", 0.01, 1'000);
  if (!(shrinkage >= 0 && shrinkage <= 1e6)) return refuse("shrinkage", 0, 1e6);
  return {};
}

LiveNeighbours::LiveNeighbours(const core::Clock& clock, LiveNeighboursOptions options)
    : clock_(clock),
      options_(options),
      baskets_({.baskets = options.max_baskets, .entries = options.max_entries, .items_a_basket = options.items_per_basket}) {}

void LiveNeighbours::apply(std::span<const events::LoggedEvent> taken) {
  const std::lock_guard lock(mutex_);
  expire();
  for (const events::LoggedEvent& event : taken) take(event, false);
}

void LiveNeighbours::fill(std::span<const events::LoggedEvent> older) {
  for (std::size_t first = 0; first < older.size(); first += kFillSlice) {
    const std::lock_guard lock(mutex_);
    expire();
    for (const events::LoggedEvent& event : older.subspan(first, std::min(kFillSlice, older.size() - first))) take(event, true);
  }
}

void LiveNeighbours::take(const events::LoggedEvent& logged, bool is_older) {
  const events::Event& event = logged.event;
  if (!events::has_subject(event)) return;
  const Offset offset = logged.position.offset;
  if (events::concerns_item(event.type)) {
    take_item(logged, is_older);
  } else if (event.type == events::EventType::kForget) {
    const std::string subject = event.subject().key();
    if (!is_older || !is_forgotten(subject, offset)) forget(subject, offset);
  } else if (event.type == events::EventType::kMerge && event.user_id && event.session_id) {
    // What the session did became the user's, and went with the user.
    if (is_older && is_forgotten(user_key(event), offset)) baskets_.remove(session_key(event));
    else baskets_.own(session_key(event), user_key(event));
  }
}

void LiveNeighbours::take_item(const events::LoggedEvent& logged, bool is_older) {
  const events::Event& event = logged.event;
  const LiveBaskets::Touch touch{events::effective_time_ms(event), std::min(events::effective_weight(event), kMaxWeight)};
  if (event.item_id.empty() || touch.weight <= 0 || touch.time_ms < now_ms() - kDayMs) return;
  const std::string user = event.user_id ? user_key(event) : std::string();
  const std::string session = event.session_id ? session_key(event) : std::string();
  for (const std::string& subject : {user, session}) {
    if (is_older && !subject.empty() && is_forgotten(subject, logged.position.offset)) return;
  }
  if (!session.empty()) baskets_.put(session, event.item_id, touch, user);
  if (!user.empty() && event.type == events::EventType::kPurchase) {
    baskets_.put(fmt::format("{}/{}", user, touch.time_ms / kDayMs), event.item_id, touch, user);
  }
}

void LiveNeighbours::forget(const std::string& subject, Offset offset) {
  baskets_.remove(subject);  // a session's
  baskets_.remove_owned(subject);
  const auto [place, is_new] = forgotten_.try_emplace(subject, offset);
  if (!is_new) {
    forgotten_by_offset_.erase({place->second, subject});
    place->second = std::max(place->second, offset);
  }
  forgotten_by_offset_.emplace(place->second, subject);
  if (forgotten_.size() <= options_.max_forgotten) return;
  const auto oldest = forgotten_by_offset_.begin();
  all_forgotten_ = std::max(all_forgotten_, oldest->first);
  forgotten_.erase(oldest->second);
  forgotten_by_offset_.erase(oldest);
}

bool LiveNeighbours::is_forgotten(const std::string& subject, Offset offset) const {
  if (offset <= all_forgotten_) return true;
  const auto found = forgotten_.find(subject);
  return found != forgotten_.end() && offset <= found->second;
}

std::vector<LiveNeighbour> LiveNeighbours::neighbours_of(std::span<const std::string> items) const {
  std::vector<std::string_view> asked;
  for (const std::string& item : items) {
    if (asked.size() == kMaxItems) break;
    if (std::ranges::find(asked, item) == asked.end()) asked.push_back(item);
  }
  std::vector<LiveNeighbour> found;
  {
    const std::lock_guard lock(mutex_);
    expire();
    const events::EpochMs now = now_ms();
    std::unordered_map<const LiveBaskets::Item*, double> sums;
    for (const std::string_view id : asked) {
      const LiveBaskets::Item* const item = baskets_.find(id);
      if (item == nullptr) continue;
      for (const Score& one : best_of(*item, now)) sums[one.item] += one.score;
    }
    found.reserve(sums.size());
    for (const auto& [item, score] : sums) {
      if (std::ranges::find(asked, item->id) == asked.end()) found.push_back({item->id, score});
    }
  }
  std::ranges::sort(found, [](const auto& a, const auto& b) { return a.score != b.score ? a.score > b.score : a.item < b.item; });
  return found;
}

std::vector<LiveNeighbours::Score> LiveNeighbours::best_of(const LiveBaskets::Item& item, events::EpochMs now_ms) const {
  using Term = std::pair<const LiveBaskets::Item*, std::uint64_t>;
  std::vector<Term> terms;
  terms.reserve(std::min(item.baskets.size(), options_.baskets_per_item) * options_.items_per_basket);
  std::size_t looked_at = 0;
  for (const LiveBaskets::Seen& seen : item.baskets) {
    if (looked_at++ == options_.baskets_per_item) break;
    const auto& entries = seen.basket->entries;
    const auto own = std::ranges::find(entries, &item, &LiveBaskets::Entry::item);
    const double share = kUnit / (1 + std::log(static_cast<double>(entries.size())));
    for (const LiveBaskets::Entry& other : entries) {
      if (other.item == &item) continue;
      const auto age_ms = std::max<events::EpochMs>(0, now_ms - std::min(own->touch.time_ms, other.touch.time_ms));
      const double decay = std::exp2(-static_cast<double>(age_ms) / kHourMs / options_.half_life_hours);
      const double weight = std::min(own->touch.weight, other.touch.weight);
      terms.emplace_back(other.item, static_cast<std::uint64_t>(weight * decay * share));
    }
  }
  std::ranges::sort(terms, std::less<>(), &Term::first);  // brings together what is of one item
  std::vector<Score> scores;
  const auto count = static_cast<double>(item.baskets.size());
  for (std::size_t i = 0; i < terms.size();) {
    const LiveBaskets::Item* const other = terms[i].first;
    std::uint64_t sum = 0;
    for (; i < terms.size() && terms[i].first == other; ++i) sum += terms[i].second;
    const double norm = std::sqrt(count * static_cast<double>(other->baskets.size())) + options_.shrinkage;
    if (sum > 0) scores.push_back({other, static_cast<double>(sum) / kUnit / norm});
  }
  const auto better = [](const Score& a, const Score& b) {
    return a.score != b.score ? a.score > b.score : a.item->id < b.item->id;
  };
  const std::size_t kept = std::min(scores.size(), options_.neighbours_per_item);
  std::ranges::partial_sort(scores, scores.begin() + static_cast<std::ptrdiff_t>(kept), better);
  scores.resize(kept);
  return scores;
}

LiveNeighbours::Counts LiveNeighbours::counts() const {
  const std::lock_guard lock(mutex_);
  expire();
  return {.baskets = baskets_.baskets(), .items = baskets_.items(), .entries = baskets_.entries()};
}

void LiveNeighbours::expire() const { baskets_.expire(now_ms() - kDayMs); }

events::EpochMs LiveNeighbours::now_ms() const {
  return std::chrono::duration_cast<std::chrono::milliseconds>(clock_.wall_now().time_since_epoch()).count();
}

}  // namespace scalestyle::recommend
