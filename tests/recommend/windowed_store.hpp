#pragma once
// A feature store that keeps every event it is given and adds popularity up from them at each reading, so that sums fall
// as the reader's clock goes on. Of the port only popularity() does anything. Thread-safe.

#include <cmath>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ports/feature_store.hpp"

namespace scalestyle::recommend {

class WindowedStore final : public ports::FeatureStore {
 public:
  static constexpr double kGlobalHalfLifeSeconds = 48 * 3'600.0;

  void add(const std::string& item, double weight, events::EpochMs time_ms) {
    const std::lock_guard lock(mutex_);
    items_[item].push_back({weight, time_ms, ++version_});
  }
  void fail_with(std::optional<core::Error> fault) {
    const std::lock_guard lock(mutex_);
    fault_ = std::move(fault);
  }
  // The `since` of every call so far.
  [[nodiscard]] std::vector<std::uint64_t> calls() const {
    const std::lock_guard lock(mutex_);
    return calls_;
  }

  [[nodiscard]] core::Task<core::Result<ports::PopularityChanges>> popularity(std::uint64_t since, events::EpochMs now_ms,
                                                                             core::Deadline) override {
    const std::lock_guard lock(mutex_);
    calls_.push_back(since);
    if (fault_) co_return std::unexpected(*fault_);
    ports::PopularityChanges changes{.complete = since == 0, .version = version_, .items = {}};
    for (const auto& [id, contributions] : items_) {
      if (contributions.back().version > since) changes.items.push_back(popularity_of(id, contributions, now_ms));
    }
    co_return changes;
  }

  [[nodiscard]] core::Task<core::Result<std::vector<events::EventPosition>>> committed(core::Deadline) override {
    co_return not_here();
  }
  [[nodiscard]] core::Task<core::Result<ports::ApplyReport>> apply(std::shared_ptr<const std::vector<events::LoggedEvent>>,
                                                                   core::Deadline) override {
    co_return not_here();
  }
  [[nodiscard]] core::Task<core::Result<std::vector<events::EventPosition>>> checkpoint(core::Deadline) override {
    co_return not_here();
  }
  [[nodiscard]] core::Task<core::Result<ports::SubjectSnapshot>> read(events::Subject, core::Deadline) override {
    co_return not_here();
  }
  [[nodiscard]] core::Task<core::Result<ports::AppliedState>> wait_applied(ports::WaitedEvent, core::Deadline) override {
    co_return not_here();
  }

 private:
  struct Contribution {
    double weight = 0;
    events::EpochMs time_ms = 0;
    std::uint64_t version = 0;
  };

  static std::unexpected<core::Error> not_here() {
    return core::fail(core::ErrorCode::kUnsupported, "this store has popularity only");
  }

  static events::ItemPopularity popularity_of(const std::string& id, const std::vector<Contribution>& contributions,
                                              events::EpochMs now_ms) {
    events::ItemPopularity item{.item_id = id};
    for (const Contribution& one : contributions) item.global.time_ms = std::max(item.global.time_ms, one.time_ms);
    for (const Contribution& one : contributions) {
      for (std::size_t w = 0; w < events::kWindowCount; ++w) {
        const std::int64_t bucket_ms = events::kWindows[w].bucket_seconds * 1'000;
        const std::int64_t age = now_ms / bucket_ms - one.time_ms / bucket_ms;
        if (age < events::kWindows[w].buckets) item.windows[w] += one.weight;
      }
      const double age_seconds = static_cast<double>(item.global.time_ms - one.time_ms) / 1'000;
      item.global.value += one.weight * std::exp2(-age_seconds / kGlobalHalfLifeSeconds);
    }
    return item;
  }

  mutable std::mutex mutex_;
  std::map<std::string, std::vector<Contribution>> items_;  // guarded by mutex_, as all below
  std::uint64_t version_ = 1;
  std::optional<core::Error> fault_;
  std::vector<std::uint64_t> calls_;
};

}  // namespace scalestyle::recommend
