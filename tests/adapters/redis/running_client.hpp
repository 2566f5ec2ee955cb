#pragma once
// A RedisClient with its I/O thread, and short words for what tests ask of it.

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "adapters/redis/redis_client.hpp"
#include "core/task.hpp"

namespace scalestyle::adapters::redis {

using Results = std::vector<core::Result<RedisValue>>;

inline RedisCommand command(std::vector<std::string> arguments) {
  RedisCommand made{.arguments = std::move(arguments)};
  if (made.arguments.size() > 1) made.key = made.arguments[1];
  return made;
}

class RunningClient {
 public:
  explicit RunningClient(RedisClient::Options options) : logger_({.level = telemetry::LogLevel::kError}, clock_) {
    auto made = RedisClient::create(std::move(options), {.clock = clock_, .metrics = metrics_, .log = logger_});
    if (!made) throw std::runtime_error(made.error().message);
    client_ = std::move(*made);
    loop_ = std::jthread([this] { client_->run(); });
  }
  RunningClient(const RunningClient&) = delete;
  RunningClient& operator=(const RunningClient&) = delete;
  ~RunningClient() {
    client_->stop();
    loop_.join();
  }

  RedisClient* operator->() { return client_.get(); }
  RedisClient& operator*() { return *client_; }
  [[nodiscard]] core::Deadline within(std::chrono::milliseconds limit) const { return core::Deadline::after(limit, clock_); }
  [[nodiscard]] const core::Clock& clock() const { return clock_; }

  core::Result<RedisValue> call(RedisCommand one, std::chrono::milliseconds limit = std::chrono::seconds(10)) {
    return core::sync_wait(client_->call(std::move(one), within(limit)));
  }
  core::Result<RedisValue> call(std::vector<std::string> arguments, std::chrono::milliseconds limit = std::chrono::seconds(10)) {
    return call(command(std::move(arguments)), limit);
  }
  core::Result<Results> pipeline(std::vector<RedisCommand> commands, std::chrono::milliseconds limit = std::chrono::seconds(10)) {
    return core::sync_wait(client_->pipeline(std::move(commands), within(limit)));
  }
  // "text" or "error …", for comparisons that show what came.
  std::string text(std::vector<std::string> arguments) {
    const auto value = call(std::move(arguments));
    if (!value) return "error " + value.error().message;
    return value->kind == RedisValue::Kind::kInteger ? std::to_string(value->integer) : value->text;
  }
  // The line's value of that metric, labels included in the name; 0 where there is none.
  double metric(const std::string& name) {
    const std::string all = "\n" + metrics_.render();
    const auto at = all.find("\n" + name + " ");
    return at == std::string::npos ? 0.0 : std::stod(all.substr(at + name.size() + 2));
  }

 private:
  core::SystemClock clock_;
  telemetry::Metrics metrics_;
  telemetry::Logger logger_;
  std::unique_ptr<RedisClient> client_;
  std::jthread loop_;
};

template <class Condition>
bool eventually(Condition condition, std::chrono::milliseconds limit = std::chrono::seconds(20)) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

}  // namespace scalestyle::adapters::redis
