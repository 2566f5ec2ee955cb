#pragma once
// Popularity: makes the board of each generation that is served and keeps all of them at the feature store's state.
//
// Three ways in: prepare() before a generation is published, follow() on the path of a request (what changed since; a
// microsecond or so, often nothing), refresh() on a timer (PopularityLoop), which also lets sums fall as time passes.
// When the store fails, boards keep what they have. A board lives as long as its users.
// Thread safety: every method from any thread. The store and the clock must outlive this object and its boards' users.

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/deadline.hpp"
#include "core/result.hpp"
#include "core/task.hpp"
#include "ports/catalog_store.hpp"
#include "ports/feature_store.hpp"
#include "recommend/popularity_board.hpp"

namespace scalestyle::recommend {

class Popularity {
 public:
  // `options` must be valid.
  Popularity(ports::FeatureStore& store, const core::Clock& clock, PopularityBoardOptions options = {});
  Popularity(const Popularity&) = delete;
  Popularity& operator=(const Popularity&) = delete;

  // The board of a generation that is about to be served, with all that the store knows. When the store fails (see
  // last_error()), with the live numbers of the board made before it, or priors alone. Never null.
  [[nodiscard]] core::Task<std::shared_ptr<PopularityBoard>> prepare(std::shared_ptr<const ports::CatalogSnapshot> snapshot,
                                                                     core::Deadline deadline);

  // Puts in what changed since the board was last brought up to date, so that a click that has taken effect counts in
  // this very request. Leaves to refresh() what is not small: a board that has never been complete, and a new bucket of
  // the windows. Errors: the store's; the board stays as it was.
  [[nodiscard]] core::Task<core::Status> follow(std::shared_ptr<PopularityBoard> board, core::Deadline deadline);

  // Brings every living board up to date; all anew when a bucket of the windows has ended since. Does nothing while
  // another refresh is in progress. Errors: the store's, of the last board that failed.
  [[nodiscard]] core::Task<core::Status> refresh(core::Deadline deadline);

  // Why the last prepare() or refresh() could not read the store; empty when it could.
  [[nodiscard]] std::string last_error() const;

  // When the windows' sums fall next, without any event.
  [[nodiscard]] events::EpochMs next_bucket_ms() const;

 private:
  [[nodiscard]] std::vector<std::shared_ptr<PopularityBoard>> living_boards();
  // Asks for what changed since `since` (0: everything) and gives it to the board.
  [[nodiscard]] core::Task<core::Status> pull(std::shared_ptr<PopularityBoard> board, std::uint64_t since,
                                              core::Deadline deadline);
  [[nodiscard]] events::EpochMs now_ms() const;
  void note(const core::Status& status);

  ports::FeatureStore& store_;
  const core::Clock& clock_;
  PopularityBoardOptions options_;
  mutable std::mutex mutex_;
  std::vector<std::weak_ptr<PopularityBoard>> boards_;  // guarded by mutex_; oldest first
  std::string last_error_;                              // guarded by mutex_
  bool refreshing_ = false;                             // guarded by mutex_
};

}  // namespace scalestyle::recommend
