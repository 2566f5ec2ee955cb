#include "search/patient_vector_index.hpp"

#include <fmt/format.h>

#include <utility>

#include "core/task.hpp"
#include "search/back_on_pool.hpp"

namespace scalestyle::search {

namespace {

bool may_pass(core::ErrorCode code) {
  using enum core::ErrorCode;
  return code == kUnavailable || code == kDeadlineExceeded || code == kNotFound || code == kResourceExhausted;
}

}  // namespace

void PatientVectorIndex::stop() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
}

core::Task<core::Status> PatientVectorIndex::open(core::GenerationId generation, core::Deadline deadline) {
  const auto opened = co_await use_.index.open(generation, deadline.within(options_.first_wait, use_.clock));
  if (opened) {
    const std::lock_guard lock(mutex_);
    held_.insert(generation);
    waiting_.erase(generation);
    co_return core::Status();
  }
  if (!may_pass(opened.error().code)) co_return opened;
  use_.log.error("the vectors of this generation cannot be opened; lists go without them until they can",
                 {{"generation", generation.value()}, {"cause", opened.error().message}});
  {
    const std::lock_guard lock(mutex_);
    held_.insert(generation);
    waiting_.insert_or_assign(generation, opened.error().message);
  }
  arm();
  co_return core::Status();
}

void PatientVectorIndex::close(const core::GenerationId& generation) {
  {
    const std::lock_guard lock(mutex_);
    held_.erase(generation);
    waiting_.erase(generation);
  }
  use_.index.close(generation);
}

std::string PatientVectorIndex::cause_of(const core::GenerationId& generation) const {
  const std::lock_guard lock(mutex_);
  const auto found = waiting_.find(generation);
  return found == waiting_.end() ? std::string() : found->second;
}

core::Task<core::Result<std::vector<ports::VectorHits>>> PatientVectorIndex::search(core::GenerationId generation,
                                                                                    std::vector<ports::VectorQuery> queries,
                                                                                    core::Deadline deadline) {
  if (auto cause = cause_of(generation); !cause.empty()) co_return core::fail(core::ErrorCode::kUnavailable, std::move(cause));
  co_return co_await back_on_pool(use_.index.search(std::move(generation), std::move(queries), deadline), use_.pool);
}

core::Task<core::Result<std::vector<float>>> PatientVectorIndex::vector_of(core::GenerationId generation, catalog::ArticleId article,
                                                                           core::Deadline deadline) {
  if (auto cause = cause_of(generation); !cause.empty()) co_return core::fail(core::ErrorCode::kUnavailable, std::move(cause));
  co_return co_await back_on_pool(use_.index.vector_of(std::move(generation), std::move(article), deadline), use_.pool);
}

std::string PatientVectorIndex::trouble() const {
  const std::lock_guard lock(mutex_);
  if (waiting_.empty()) return {};
  return fmt::format("generation {}: {}", waiting_.begin()->first.value(), waiting_.begin()->second);
}

void PatientVectorIndex::arm() {
  {
    const std::lock_guard lock(mutex_);
    if (armed_ || stopping_ || waiting_.empty()) return;
    armed_ = true;
  }
  use_.timers.schedule(use_.clock.steady_now() + options_.try_again, [this] { try_all(); });
}

void PatientVectorIndex::try_all() {
  core::start(open_waiting(), [this](core::Status&&) {
    {
      const std::lock_guard lock(mutex_);
      armed_ = false;
    }
    arm();
  }).detach();
}

core::Task<core::Status> PatientVectorIndex::open_waiting() {
  std::map<core::GenerationId, std::string> generations;
  {
    const std::lock_guard lock(mutex_);
    if (!stopping_) generations = waiting_;
  }
  for (const auto& [generation, cause] : generations) {
    const auto opened = co_await use_.index.open(generation, core::Deadline::after(options_.open_deadline, use_.clock));
    bool was_waiting = false, held = false;
    {
      const std::lock_guard lock(mutex_);
      held = held_.contains(generation);
      const auto found = waiting_.find(generation);
      was_waiting = found != waiting_.end();
      if (was_waiting && opened) waiting_.erase(found);
      if (was_waiting && !opened) found->second = opened.error().message;
    }
    if (opened && was_waiting) use_.log.info("the vectors of this generation are open now", {{"generation", generation.value()}});
    if (opened && !held) use_.index.close(generation);  // it was closed meanwhile
  }
  co_return core::Status();
}

}  // namespace scalestyle::search
