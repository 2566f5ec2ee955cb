#include "redis_features.hpp"

#include <atomic>
#include <chrono>
#include <mutex>
#include <utility>

#include "adapters/redis/redis_feature_store.hpp"
#include "core/task.hpp"
#include "event_stack.hpp"

namespace scalestyle::app {

namespace {

using adapters::redis::RedisFeatureStore;

constexpr auto kCheckAgain = std::chrono::seconds(1);
constexpr auto kCheckDeadline = std::chrono::seconds(10);

}  // namespace

std::vector<std::string> with_redis_feature_settings(std::vector<std::string> names) {
  for (const char* name : {"redis_shards", "redis_marker_days", "redis_replicas_acked", "redis_allow_eviction"}) names.emplace_back(name);
  return names;
}

struct RedisFeatures::Impl {
  Impl(std::unique_ptr<RedisFeatureStore> made, Services services) : store(std::move(made)), use(services) {}

  // Until the server can be used once; the store follows it by itself from then on.
  void check_soon(std::chrono::milliseconds wait) {
    if (stopping.load()) return;
    use.timers.schedule(use.clock.steady_now() + wait, [this] { begin_check(); });
  }
  void begin_check() {
    {
      const std::lock_guard lock(mutex);
      if (stopping.load()) return;
      checking = true;
    }
    core::start(store->check(core::Deadline::after(kCheckDeadline, use.clock)), [this](core::Status&& checked) { end_check(checked); }).detach();
  }
  void end_check(const core::Status& checked) {
    std::string error = checked ? std::string() : checked.error().message;
    const bool again = !checked && !stopping.load();
    {
      const std::lock_guard lock(mutex);
      if (!error.empty() && error != check_error) {
        use.log.error("features in Redis cannot be used; answers go without them until they can", {{"cause", error}});
      }
      if (error.empty()) use.log.info("features in Redis can be used");
      check_error = std::move(error);
      // Behind the lock stop() may go on, and end what this would begin.
      if (checked && !stopping.load()) store->start();
      if (checked) checked_once = true;
      checking = false;
    }
    if (again) check_soon(kCheckAgain);
  }

  std::unique_ptr<RedisFeatureStore> store;
  Services use;
  std::atomic<bool> stopping{false};
  mutable std::mutex mutex;
  std::string check_error{"it was not looked at yet"};  // guarded by mutex, as the next two
  bool checking = false;
  bool checked_once = false;
};

RedisFeatures::RedisFeatures(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RedisFeatures::~RedisFeatures() { stop(); }

core::Result<std::unique_ptr<RedisFeatures>> RedisFeatures::open(const core::Settings& settings, RedisStack& redis, Wish wish,
                                                                 Services services) {
  RedisFeatureStore::Options options;
  options.prefix = redis.prefix();
  options.shards = static_cast<std::size_t>(settings.integer("redis_shards"));
  options.marker_days = settings.integer("redis_marker_days");
  if (const auto acked = settings.integer("redis_replicas_acked"); acked >= 0) options.replicas_acked = static_cast<std::size_t>(acked);
  options.allow_eviction = settings.boolean("redis_allow_eviction");
  CORE_TRY(options.features, feature_options(settings));
  options.keeps_positions = wish.keeps_positions;
  options.merges_popularity = wish.applies;
  options.read_only = !wish.applies;
  options.log_stream = std::move(wish.log_stream);
  CORE_TRY(auto store, RedisFeatureStore::create(options, {.client = redis.client(), .timers = services.timers, .clock = services.clock,
                                                           .metrics = services.metrics, .log = services.log}));
  return std::unique_ptr<RedisFeatures>(new RedisFeatures(std::make_unique<Impl>(std::move(store), services)));
}

ports::FeatureStore& RedisFeatures::store() { return *impl_->store; }

core::Status RedisFeatures::check(core::Deadline deadline) {
  auto checked = core::sync_wait(impl_->store->check(deadline));
  const std::lock_guard lock(impl_->mutex);
  if (checked) impl_->check_error.clear();
  if (checked) impl_->checked_once = true;
  return checked;
}

std::string RedisFeatures::trouble() const {
  {
    const std::lock_guard lock(impl_->mutex);
    if (!impl_->check_error.empty()) return impl_->check_error;
  }
  return impl_->store->trouble();
}

void RedisFeatures::start() {
  bool checked = false;
  {
    const std::lock_guard lock(impl_->mutex);
    checked = impl_->checked_once;
  }
  if (checked) {
    impl_->store->start();
  } else {
    impl_->check_soon(std::chrono::milliseconds(0));
  }
}

// Ends with the client's and the timers' threads still running; a check in progress ends by their end at the latest.
void RedisFeatures::stop() {
  const bool first = !impl_->stopping.exchange(true);
  bool started = false;
  {
    const std::lock_guard lock(impl_->mutex);
    started = impl_->checked_once;
  }
  if (first && started) impl_->store->stop();
}

}  // namespace scalestyle::app
