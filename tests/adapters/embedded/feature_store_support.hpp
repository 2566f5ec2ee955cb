#pragma once
// A MemoryFeatureStore with all that it needs, for tests. The clock stands still; run_timers() lets waits end.

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "adapters/embedded/memory_feature_store.hpp"
#include "core/timer_queue.hpp"
#include "support/fake_clock.hpp"
#include "support/feature_events.hpp"
#include "support/running_pool.hpp"
#include "support/temporary_folder.hpp"

namespace scalestyle::support {

class FeatureStoreFixture {
 public:
  explicit FeatureStoreFixture(events::FeatureOptions options = {}) : options_(options) { reopen(); }

  // What is not checkpointed is lost.
  void reopen() {
    store_.reset();
    auto opened = try_open();
    if (!opened) ADD_FAILURE() << opened.error().message;
    if (opened) store_ = std::move(*opened);
  }
  [[nodiscard]] core::Result<std::unique_ptr<adapters::embedded::MemoryFeatureStore>> try_open() { return try_open(path(), options_); }
  [[nodiscard]] core::Result<std::unique_ptr<adapters::embedded::MemoryFeatureStore>> try_open(const std::filesystem::path& path,
                                                                                              const events::FeatureOptions& options) {
    return adapters::embedded::MemoryFeatureStore::open(path, options, {*pool_, timers_, clock_, metrics_, {}});
  }
  void close() { store_.reset(); }

  [[nodiscard]] adapters::embedded::MemoryFeatureStore& operator*() { return *store_; }
  [[nodiscard]] adapters::embedded::MemoryFeatureStore* operator->() { return store_.get(); }
  [[nodiscard]] std::filesystem::path path() const { return folder_ / "features.db"; }
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_.path(); }
  [[nodiscard]] FakeClock& clock() { return clock_; }
  [[nodiscard]] telemetry::Metrics& metrics() { return metrics_; }
  void run_timers() { timers_.run_due(); }

  void apply(std::vector<events::LoggedEvent> batch) {
    auto shared = std::make_shared<const std::vector<events::LoggedEvent>>(std::move(batch));
    const auto applied = core::sync_wait(store_->apply(shared, core::Deadline::never()));
    ASSERT_TRUE(applied) << applied.error().message;
  }
  [[nodiscard]] events::SubjectFeatures read(const events::Subject& subject) {
    auto snapshot = core::sync_wait(store_->read(subject, core::Deadline::never()));
    if (!snapshot) ADD_FAILURE() << snapshot.error().message;
    return snapshot ? std::move(snapshot->features) : events::SubjectFeatures();
  }

 private:
  TemporaryFolder folder_;
  FakeClock clock_;
  telemetry::Metrics metrics_;
  core::TimerQueue timers_{clock_};
  RunningPool pool_{2};
  events::FeatureOptions options_;
  std::unique_ptr<adapters::embedded::MemoryFeatureStore> store_;
};

// "" when the stores agree: EXPECT_EQ(difference(a, b), "").
inline std::string difference(const adapters::embedded::MemoryFeatureStore& left, const adapters::embedded::MemoryFeatureStore& right,
                              double tolerance = 0) {
  return adapters::embedded::first_difference(left, right, tolerance).value_or("");
}

}  // namespace scalestyle::support
