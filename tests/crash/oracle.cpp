#include "crash/oracle.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace scalestyle::crash {
namespace {

using events::EpochMs;
using events::Event;
using events::EventType;

bool is_near(double actual, double wanted) { return std::abs(actual - wanted) <= 1e-9 * std::max(1.0, std::abs(wanted)); }

std::int64_t bucket_of(EpochMs time_ms, const events::WindowShape& window) {
  return time_ms / (window.bucket_seconds * 1'000);
}

}  // namespace

void Oracle::add(const Event& event) {
  if (event.type == EventType::kForget) {
    subjects_[event.subject()] = {};
    return;
  }
  if (event.type == EventType::kPreferences) {
    subjects_[event.subject()].personalize = *event.personalize;
    return;
  }
  if (event.type == EventType::kMerge) {
    Known& user = subjects_[events::Subject::user(*event.user_id)];
    Known session = std::exchange(subjects_[events::Subject::session(*event.session_id)], {});
    for (const auto& [key, time] : session.recent) user.recent[key] = std::max(user.recent[key], time);
    for (const auto& [category, added] : session.categories) {
      auto& all = user.categories[category];
      all.insert(all.end(), added.begin(), added.end());
    }
    return;
  }
  Known& known = subjects_[event.subject()];
  EpochMs& newest = known.recent[{event.item_id, event.type}];
  newest = std::max(newest, event.event_time_ms);
  if (!event.category.empty()) known.categories[event.category].push_back({event.weight, event.event_time_ms});
  items_[event.item_id].push_back({event.weight, event.event_time_ms});
}

std::vector<events::Subject> Oracle::subjects() const {
  std::vector<events::Subject> list;
  for (const auto& [subject, known] : subjects_) list.push_back(subject);
  return list;
}

std::vector<std::string> Oracle::items() const {
  std::vector<std::string> list;
  for (const auto& [item, all] : items_) list.push_back(item);
  return list;
}

double Oracle::decayed_sum(const std::vector<Contribution>& all, EpochMs now_ms, double half_life_seconds) {
  double sum = 0;
  for (const auto& one : all) {
    sum += one.weight * std::exp2(-static_cast<double>(now_ms - one.time_ms) / 1'000.0 / half_life_seconds);
  }
  return sum;
}

std::string Oracle::compare(const events::Subject& subject, const events::SubjectFeatures& actual, EpochMs now_ms) const {
  const auto found = subjects_.find(subject);
  const Known known = found == subjects_.end() ? Known{} : found->second;
  const std::string who = subject.key();
  if (actual.personalize != known.personalize) return fmt::format("{}: personalize is {}", who, actual.personalize);
  std::map<std::pair<std::string, EventType>, EpochMs> recent;
  for (const auto& item : actual.recent_items) recent[{item.item_id, item.type}] = item.time_ms;
  if (recent != known.recent) {
    return fmt::format("{}: {} recent items, {} expected, or other times", who, recent.size(), known.recent.size());
  }
  if (!std::ranges::is_sorted(actual.recent_items, [](const auto& a, const auto& b) {
        return a.time_ms != b.time_ms ? a.time_ms > b.time_ms : a.item_id < b.item_id;
      })) {
    return who + ": recent items are not in order";
  }
  if (actual.affinities.size() != known.categories.size()) {
    return fmt::format("{}: {} categories, {} expected", who, actual.affinities.size(), known.categories.size());
  }
  for (const auto& affinity : actual.affinities) {
    const auto wanted = known.categories.find(affinity.category);
    if (wanted == known.categories.end()) return who + ": unexpected category " + affinity.category;
    const double half_life = options_.affinity_half_life_seconds;
    const double value = affinity.score.value_at(now_ms, half_life);
    const double sum = decayed_sum(wanted->second, now_ms, half_life);
    if (!is_near(value, sum)) return fmt::format("{}: affinity to {} is {:.17g}, not {:.17g}", who, affinity.category, value, sum);
  }
  return {};
}

std::string Oracle::compare(const std::string& item, const events::ItemPopularity* actual, EpochMs now_ms) const {
  const auto found = items_.find(item);
  const std::vector<Contribution> all = found == items_.end() ? std::vector<Contribution>{} : found->second;
  const events::ItemPopularity none;
  if (actual == nullptr) actual = &none;
  for (std::size_t i = 0; i < events::kWindowCount; ++i) {
    const auto& window = events::kWindows[i];
    double sum = 0;
    for (const auto& one : all) {
      if (bucket_of(one.time_ms, window) > bucket_of(now_ms, window) - window.buckets) sum += one.weight;
    }
    if (!is_near(actual->windows[i], sum)) {
      return fmt::format("item {}: {} popularity is {:.17g}, not {:.17g}", item, window.name, actual->windows[i], sum);
    }
  }
  const double half_life = options_.global_half_life_seconds;
  const double value = actual->global.value_at(now_ms, half_life);
  const double sum = decayed_sum(all, now_ms, half_life);
  if (!is_near(value, sum)) return fmt::format("item {}: global popularity is {:.17g}, not {:.17g}", item, value, sum);
  return {};
}

}  // namespace scalestyle::crash
