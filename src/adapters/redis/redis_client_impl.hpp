#pragma once
// What RedisClient is made of: the I/O loop, and the way into it from other threads.

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "adapters/redis/router_impl.hpp"

namespace scalestyle::adapters::redis {

struct RedisClient::Impl {
  Impl(Options the_options, std::vector<Endpoint> seeds, std::shared_ptr<TlsContext> tls, Dependencies dependencies);
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void run();
  void stop();

  // A call of `size` requests; kResourceExhausted where so many may not wait.
  [[nodiscard]] core::Result<std::shared_ptr<Call>> make_call(std::size_t size, core::Deadline deadline);
  // Waits for the call's end. kCancelled.
  [[nodiscard]] core::Task<core::Status> perform(std::shared_ptr<Call> call);
  void cancel(const std::shared_ptr<Call>& call);

  [[nodiscard]] std::string trouble() const;

 private:
  void submit(const std::shared_ptr<Call>& call);
  void take_inbox();
  void keep_trouble();

  const core::Clock& clock_;
  const std::size_t max_waiting_;
  const std::shared_ptr<std::atomic<std::size_t>> waiting_ = std::make_shared<std::atomic<std::size_t>>(0);
  const ClientMetrics metrics_;
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  const ConnectionSettings settings_;
  Router router_;

  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<Call>> inbox_;  // guarded by mutex_, as all below
  bool inbox_announced_ = false;
  bool running_ = false;
  bool stopped_ = false;
  std::string trouble_ = "redis: not connected yet";
};

}  // namespace scalestyle::adapters::redis
