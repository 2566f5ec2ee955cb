#include "adapters/redis/redis_client_impl.hpp"

#include <fmt/format.h>

#include <boost/asio/post.hpp>
#include <functional>
#include <stop_token>
#include <utility>

namespace scalestyle::adapters::redis {

using core::ErrorCode;
using core::fail;

namespace {

constexpr auto kLongestCall = std::chrono::seconds(60);  // also of a call without a deadline

}  // namespace

RedisClient::Impl::Impl(Options the_options, std::vector<Endpoint> seeds, std::shared_ptr<TlsContext> tls,
                        Dependencies dependencies)
    : clock_(dependencies.clock),
      max_waiting_(the_options.max_waiting),
      metrics_(dependencies.metrics),
      work_(boost::asio::make_work_guard(io_)),
      settings_{.options = std::move(the_options), .clock = dependencies.clock, .io = io_, .tls = std::move(tls),
                .events = router_, .log = dependencies.log},
      router_(settings_, std::move(seeds), metrics_) {
  router_.on_trouble_changed = [this] { keep_trouble(); };
}

RedisClient::Impl::~Impl() { stop(); }

void RedisClient::Impl::run() {
  {
    const std::scoped_lock lock(mutex_);
    if (stopped_ || std::exchange(running_, true)) return;
  }
  router_.start();
  io_.run();
}

void RedisClient::Impl::stop() {
  bool running = false;
  {
    const std::scoped_lock lock(mutex_);
    if (std::exchange(stopped_, true)) return;
    trouble_ = "redis: the client has stopped";
    running = running_;
  }
  const auto end_all = [this] {
    take_inbox();
    router_.stop();
    io_.stop();
  };
  // A loop that has not begun never will: this thread is the only one here.
  running ? boost::asio::post(io_, end_all) : end_all();
}

void RedisClient::Impl::keep_trouble() {
  std::string text = router_.trouble();
  const std::scoped_lock lock(mutex_);
  if (!stopped_) trouble_ = std::move(text);
}

std::string RedisClient::Impl::trouble() const {
  const std::scoped_lock lock(mutex_);
  return trouble_;
}

core::Result<std::shared_ptr<Call>> RedisClient::Impl::make_call(std::size_t size, core::Deadline deadline) {
  auto call = std::make_shared<Call>(waiting_);
  const std::size_t before = waiting_->fetch_add(size, std::memory_order_relaxed);
  call->counted = size;
  if (before + size > max_waiting_) {
    return fail(ErrorCode::kResourceExhausted,
                fmt::format("redis: {} commands wait already, of at most {}: this call's {} are refused", before, max_waiting_,
                            size));
  }
  call->requests.resize(size);
  call->unfinished = size;
  call->deadline = deadline.within(kLongestCall, clock_);
  call->started = clock_.steady_now();
  return call;
}

core::Task<core::Status> RedisClient::Impl::perform(std::shared_ptr<Call> call) {
  const std::stop_token stop = co_await core::current_stop_token();
  if (call->requests.empty()) co_return core::Status();
  submit(call);
  std::optional<std::stop_callback<std::function<void()>>> canceller;
  canceller.emplace(stop, [this, call] { cancel(call); });
  core::Status status = co_await call->done;
  canceller.reset();
  co_return status;
}

void RedisClient::Impl::submit(const std::shared_ptr<Call>& call) {
  bool stopped = false;
  bool announce = false;
  {
    const std::scoped_lock lock(mutex_);
    stopped = stopped_;
    if (!stopped) {
      inbox_.push_back(call);
      announce = !std::exchange(inbox_announced_, true);
    }
  }
  if (stopped) call->done.set(fail(ErrorCode::kCancelled, "redis: the client has stopped"));
  if (announce) boost::asio::post(io_, [this] { take_inbox(); });
}

void RedisClient::Impl::take_inbox() {
  std::vector<std::shared_ptr<Call>> calls;
  {
    const std::scoped_lock lock(mutex_);
    inbox_announced_ = false;
    calls.swap(inbox_);
  }
  router_.submit(std::move(calls));
}

void RedisClient::Impl::cancel(const std::shared_ptr<Call>& call) {
  boost::asio::post(io_, [this, call] { router_.cancel(call); });
}

}  // namespace scalestyle::adapters::redis
