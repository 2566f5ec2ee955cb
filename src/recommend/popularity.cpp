#include "recommend/popularity.hpp"

#include <chrono>
#include <exception>
#include <utility>

namespace scalestyle::recommend {

Popularity::Popularity(ports::FeatureStore& store, const core::Clock& clock, PopularityBoardOptions options)
    : store_(store), clock_(clock), options_(options) {}

events::EpochMs Popularity::now_ms() const {
  return std::chrono::duration_cast<std::chrono::milliseconds>(clock_.wall_now().time_since_epoch()).count();
}

std::string Popularity::last_error() const {
  const std::lock_guard lock(mutex_);
  return last_error_;
}

void Popularity::note(const core::Status& status) {
  const std::lock_guard lock(mutex_);
  last_error_ = status ? std::string() : status.error().message;
}

std::vector<std::shared_ptr<PopularityBoard>> Popularity::living_boards() {
  const std::lock_guard lock(mutex_);
  std::erase_if(boards_, [](const auto& board) { return board.expired(); });
  std::vector<std::shared_ptr<PopularityBoard>> living;
  for (const auto& board : boards_) {
    if (auto held = board.lock()) living.push_back(std::move(held));
  }
  return living;
}

core::Task<core::Status> Popularity::pull(std::shared_ptr<PopularityBoard> board, std::uint64_t since,
                                          core::Deadline deadline) {
  const events::EpochMs now = now_ms();
  CORE_CO_TRY(const ports::PopularityChanges changes, co_await store_.popularity(since, now, deadline));
  board->take(changes, since, now);
  co_return core::Status();
}

core::Task<std::shared_ptr<PopularityBoard>> Popularity::prepare(std::shared_ptr<const ports::CatalogSnapshot> snapshot,
                                                                 core::Deadline deadline) {
  auto board = std::make_shared<PopularityBoard>(std::move(snapshot), options_);
  const core::Status pulled = co_await pull(board, 0, deadline);
  note(pulled);
  if (!pulled) {
    if (const auto others = living_boards(); !others.empty()) board->take_over(*others.back());
  }
  const std::lock_guard lock(mutex_);
  boards_.push_back(board);
  co_return board;
}

core::Task<core::Status> Popularity::follow(std::shared_ptr<PopularityBoard> board, core::Deadline deadline) {
  const PopularityBoard::State held = board->state();
  if (held.bucket != bucket_of(now_ms())) co_return core::Status();
  co_return co_await pull(std::move(board), held.version, deadline);
}

core::Task<core::Status> Popularity::refresh(core::Deadline deadline) {
  {
    const std::lock_guard lock(mutex_);
    if (refreshing_) co_return core::Status();
    refreshing_ = true;
  }
  core::Status outcome;
  try {
    for (auto& board : living_boards()) {
      core::Status pulled;
      if (board->state().bucket != bucket_of(now_ms())) pulled = co_await pull(board, 0, deadline);
      if (pulled) pulled = co_await follow(board, deadline);
      if (!pulled) outcome = std::move(pulled);
    }
  } catch (const std::exception& failure) {
    outcome = core::fail(core::ErrorCode::kInternal, failure.what());
  }
  note(outcome);
  const std::lock_guard lock(mutex_);
  refreshing_ = false;
  co_return outcome;
}

events::EpochMs Popularity::next_bucket_ms() const { return (bucket_of(now_ms()) + 1) * kShortestBucketMs; }

}  // namespace scalestyle::recommend
