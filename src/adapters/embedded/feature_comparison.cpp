// first_difference(): two stores compared by what readers can know of them.

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "adapters/embedded/memory_feature_store_impl.hpp"
#include "events/feature_difference.hpp"

namespace scalestyle::adapters::embedded {

namespace {

// The difference with the smallest name: the same whatever order the tables are in.
struct First {
  std::optional<std::pair<std::string, std::string>> found{};
  void note(std::string name, std::string what) {
    if (!found || name < found->first) found.emplace(std::move(name), std::move(what));
  }
};

std::string text(const std::vector<events::EventPosition>& positions) {
  std::string joined;
  for (const auto& position : positions) joined += fmt::format(" {}/{}/{}", position.stream, position.partition, position.offset);
  return joined.empty() ? " none" : joined;
}

bool is_nothing(const events::SubjectFeatures& features) { return features == events::SubjectFeatures(); }

// Of one store at `now`, by key, without what is known to have expired.
events::SubjectFeatures features_of(const FeatureState& state, std::string_view key, std::string_view bytes, events::EpochMs now_ms) {
  events::SubjectRecord record;
  if (!events::decode(bytes, record)) return {};
  return state.features(record, key.starts_with("s:") ? events::SubjectKind::kSession : events::SubjectKind::kUser, now_ms);
}

void compare_subjects(const FeatureState& left, const FeatureState& right, double tolerance, First& first) {
  const events::EpochMs now_ms = std::max(left.watermark_ms(), right.watermark_ms());
  const double half_life = left.options().affinity_half_life_seconds;
  left.subjects().for_each([&](std::string_view key, std::string_view bytes) {
    const events::SubjectFeatures here = features_of(left, key, bytes, now_ms);
    events::SubjectFeatures there;
    right.subjects().read(key, [&](std::string_view other) { there = features_of(right, key, other, now_ms); });
    if (auto what = events::difference(here, there, half_life, tolerance)) first.note(std::string(key), std::move(*what));
  });
  right.subjects().for_each([&](std::string_view key, std::string_view bytes) {
    if (left.subjects().read(key, [](std::string_view) {})) return;
    const events::SubjectFeatures there = features_of(right, key, bytes, now_ms);
    if (!is_nothing(there)) first.note(std::string(key), *events::difference({}, there, half_life, tolerance));
  });
}

std::unordered_map<std::string, events::ItemPopularity> items_of(const FeatureState& state, events::EpochMs now_ms) {
  std::unordered_map<std::string, events::ItemPopularity> items;
  for (events::ItemPopularity& item : state.items().changes_since(0, now_ms).items) {
    std::string id = item.item_id;
    items.emplace(std::move(id), std::move(item));
  }
  return items;
}

void compare_items(const FeatureState& left, const FeatureState& right, double tolerance, First& first) {
  const events::EpochMs now_ms = std::max(left.watermark_ms(), right.watermark_ms());
  const double half_life = left.options().global_half_life_seconds;
  const auto here = items_of(left, now_ms);
  const auto there = items_of(right, now_ms);
  // Only one has it: the other may have let it expire, and then it is worth nothing.
  const auto worth = [&](const events::ItemPopularity& item) { return events::is_worth_anything(item, now_ms, half_life); };
  for (const auto& [id, item] : here) {
    const auto other = there.find(id);
    if (other == there.end()) {
      if (worth(item)) first.note("item " + id, "only in the first");
    } else if (auto what = events::difference(item, other->second, half_life, tolerance)) {
      first.note("item " + id, std::move(*what));
    }
  }
  for (const auto& [id, item] : there) {
    if (!here.contains(id) && worth(item)) first.note("item " + id, "only in the second");
  }
}

}  // namespace

std::optional<std::string> first_difference(const MemoryFeatureStore& left, const MemoryFeatureStore& right, double tolerance) {
  if (left.applied() != right.applied()) {
    return fmt::format("positions applied:{} and{}", text(left.applied()), text(right.applied()));
  }
  First first;
  compare_subjects(left.impl_->state, right.impl_->state, tolerance, first);
  compare_items(left.impl_->state, right.impl_->state, tolerance, first);
  if (!first.found) return std::nullopt;
  return fmt::format("{}: {}", first.found->first, first.found->second);
}

}  // namespace scalestyle::adapters::embedded
