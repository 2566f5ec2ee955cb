// RedisFeatureStore: following and merging popularity on a clock.

#include <memory>
#include <utility>

#include "adapters/redis/redis_feature_store_impl.hpp"
#include "core/waiter.hpp"

namespace scalestyle::adapters::redis {

namespace {

// A consumer that is away longer than this leaves popularity to another.
constexpr std::chrono::milliseconds kLeastLease{2'000};

}  // namespace

core::Task<core::Result<bool>> RedisFeatureStore::Impl::holds_lease(core::Deadline deadline) {
  const auto length = std::max(kLeastLease, 4 * options.refresh_interval);
  std::vector<std::string> arguments{owner, std::to_string(length.count())};
  RedisCommand ask = script_call(scripts.hold_lease, {keys.lease()}, std::move(arguments));
  const auto reply = co_await environment.client.call(std::move(ask), deadline);
  if (!reply) co_return std::unexpected(as_store_error(reply.error()));
  co_return reply->integer == 1;
}

// True: more waits to be merged.
core::Task<core::Result<bool>> RedisFeatureStore::Impl::turn() {
  const core::Deadline deadline = core::Deadline::after(options.background_timeout, environment.clock);
  bool merges = options.merges_popularity;
  if (merges) {
    CORE_CO_TRY(merges, co_await holds_lease(deadline));
  }
  if (!merges) {
    CORE_CO_CHECK(co_await keeper.refresh(deadline));
    co_return false;
  }
  const std::uint64_t before = keeper.entries_merged();
  const auto more = co_await keeper.merge(deadline);
  metrics.merged.add(static_cast<double>(keeper.entries_merged() - before));
  co_return more;
}

core::Task<core::Status> RedisFeatureStore::Impl::follow() {
  const std::stop_token stop = co_await core::current_stop_token();
  while (!stop.stop_requested()) {
    const core::SteadyTime begin = environment.clock.steady_now();
    const auto more = co_await turn();
    if (stop.stop_requested()) break;
    core::Status status;
    if (!more) status = std::unexpected(more.error());
    set_trouble(status);
    const std::chrono::duration<double> took = environment.clock.steady_now() - begin;
    metrics.turn_seconds.observe(took.count());
    metrics.items.set(static_cast<double>(keeper.table().size()));
    // Also with more to merge a short pause: others use the servers too.
    const auto pause = more && *more ? std::chrono::milliseconds(5) : options.refresh_interval;
    const auto slept = co_await core::sleep_until(environment.clock.steady_now() + pause, environment.timers);
    if (!slept) break;
  }
  ended.release();
  co_return core::Status{};
}

void RedisFeatureStore::Impl::set_trouble(const core::Status& status) {
  const std::string now = status ? std::string() : status.error().message;
  if (!status) metrics.failed_turns.add();
  const std::lock_guard lock(mutex);
  if (now.empty() != last_trouble.empty()) {
    if (now.empty()) {
      environment.log.info("popularity is followed again");
    } else {
      environment.log.warning("popularity cannot be followed; what is known stays", {{"cause", now}});
    }
  }
  last_trouble = now;
}

void RedisFeatureStore::start() {
  impl_->started = true;
  impl_->following = core::start(impl_->follow(), [](core::Status&&) {});
}

void RedisFeatureStore::stop() {
  if (!std::exchange(impl_->started, false)) return;
  impl_->following.cancel();
  impl_->ended.acquire();
}

core::Task<core::Status> RedisFeatureStore::refresh_popularity(core::Deadline deadline) {
  return impl_->keeper.refresh(deadline);
}

core::Task<core::Status> RedisFeatureStore::merge_popularity(core::Deadline deadline) {
  bool more = true;
  while (more) {
    CORE_CO_TRY(more, co_await impl_->keeper.merge(deadline));
  }
  co_return core::Status{};
}

std::string RedisFeatureStore::trouble() const {
  std::string of_client = impl_->environment.client.trouble();
  if (!of_client.empty()) return of_client;
  const std::lock_guard lock(impl_->mutex);
  return impl_->last_trouble;
}

}  // namespace scalestyle::adapters::redis
