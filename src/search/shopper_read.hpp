#pragma once
// ShopperReader: what one request needs of the feature store, read beside everything else it does: the wait for `after`,
// what changed in popularity, the shopper's features. A store that fails, is late or never answers costs a request its
// budgets at most and never the list.
//
// Thread safety: any thread. Must outlive every read that it began.

#include <chrono>
#include <memory>
#include <optional>

#include "core/clock.hpp"
#include "core/deadline.hpp"
#include "core/task.hpp"
#include "core/timer_queue.hpp"
#include "core/worker_pool.hpp"
#include "events/event_position.hpp"
#include "events/features.hpp"
#include "events/subject.hpp"
#include "ports/feature_store.hpp"
#include "recommend/popularity.hpp"
#include "search/answer.hpp"

namespace scalestyle::search {

struct ShopperWish {
  std::optional<events::Subject> subject{};        // whose features; nothing: nobody's
  std::optional<events::EventReference> after{};  // waited for on behalf of `subject`
  std::shared_ptr<recommend::PopularityBoard> board{};  // to be brought up to date; null: not needed

  [[nodiscard]] bool empty() const { return !subject && !after && board == nullptr; }
};

struct ShopperView {
  StageOutcome outcome = StageOutcome::kSkipped;          // of the features and the popularity together
  std::optional<events::SubjectFeatures> features{};      // when wished for and outcome is kOk
  std::optional<events::EpochMs> newest_applied_ms{};
  std::optional<bool> after_reached{};                    // when wished for
  std::chrono::nanoseconds took{0};
  core::SteadyTime ended{};
};

class ShopperReader {
 public:
  struct Ports {
    ports::FeatureStore& store;
    recommend::Popularity* popularity;  // null: boards stay as they are
    core::WorkerPool& pool;
    core::TimerQueue& timers;
    const core::Clock& clock;
  };
  struct Budgets {
    std::chrono::milliseconds snapshot{20};
    std::chrono::milliseconds after{50};
  };

  ShopperReader(Ports ports, Budgets budgets) : use_(ports), budgets_(budgets) {}
  ShopperReader(const ShopperReader&) = delete;
  ShopperReader& operator=(const ShopperReader&) = delete;

  // A read in progress. Dropping it cancels what is not done.
  struct Pending;
  using PendingRead = std::shared_ptr<Pending>;

  // Starts at once, on this thread; a store in memory has answered when it returns.
  // `context`: of what it asks of the store.
  [[nodiscard]] PendingRead begin(ShopperWish wish, core::Deadline deadline, std::shared_ptr<core::TaskContext> context = nullptr);

  // Waits for the rest of it, until its budgets or the deadline end. Resumes on this thread, a worker or the timers'.
  [[nodiscard]] core::Task<ShopperView> finish(PendingRead pending);

  // Whether finish() would not wait.
  [[nodiscard]] static bool is_done(const Pending& pending);

 private:
  [[nodiscard]] core::Task<core::Result<ShopperView>> read(ShopperWish wish, core::Deadline deadline);
  [[nodiscard]] core::Task<core::Status> read_features(const ShopperWish& wish, core::Deadline deadline, ShopperView& view);

  Ports use_;
  Budgets budgets_;
};

}  // namespace scalestyle::search
