#pragma once
// RedisFeatureStore with all that it needs, on real servers, for tests. Its wall clock stands where the tests of features have
// it; time to wait is real. Every fixture has keys of its own.

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "adapters/redis/feature_keys.hpp"
#include "adapters/redis/redis_client.hpp"
#include "adapters/redis/redis_feature_store.hpp"
#include "adapters/redis/subject_value.hpp"
#include "core/timer_queue.hpp"
#include "support/feature_events.hpp"
#include "support/real_server.hpp"

namespace scalestyle::support {

using Events = std::vector<events::LoggedEvent>;
using adapters::redis::RedisClient;
using adapters::redis::RedisFeatureStore;
using adapters::redis::RedisValue;

class StandingWallClock final : public core::Clock {
 public:
  [[nodiscard]] core::SteadyTime steady_now() const override { return std::chrono::steady_clock::now(); }
  [[nodiscard]] core::WallTime wall_now() const override { return core::WallTime(std::chrono::milliseconds(now_ms_.load())); }
  void set(events::EpochMs now_ms) { now_ms_.store(now_ms); }

 private:
  std::atomic<events::EpochMs> now_ms_{kFeatureNowMs};
};

enum class Servers : std::uint8_t { kPlain, kTls, kCluster };

// Started at the first use, stopped with the program.
inline const core::Result<std::unique_ptr<RealServer>>& redis_servers(Servers which) {
  static const auto* const names = new std::vector<std::string>{"plain", "tls", "cluster"};
  static core::Result<std::unique_ptr<RealServer>> started[3] = {nullptr, nullptr, nullptr};
  auto& servers = started[static_cast<std::size_t>(which)];
  if (servers && *servers == nullptr) servers = RealServer::start("redis.sh", {(*names)[static_cast<std::size_t>(which)]});
  return servers;
}

#define SKIP_WITHOUT_REDIS(which)                                                                        \
  if (const auto& servers_ = redis_servers(which); !servers_) {                                          \
    if (servers_.error().code == core::ErrorCode::kNotFound) GTEST_SKIP() << servers_.error().message;   \
    FAIL() << servers_.error().message;                                                                  \
  }

inline RedisClient::Options client_options(const RealServer& servers) {
  RedisClient::Options options;
  std::string ports = servers.value("ports");
  for (std::size_t begin = 0; begin < ports.size();) {
    const std::size_t end = std::min(ports.find(',', begin), ports.size());
    options.nodes.push_back("127.0.0.1:" + ports.substr(begin, end - begin));
    begin = end + 1;
  }
  if (!servers.value("ca_file").empty()) {
    options.tls = true;
    options.ca_file = servers.value("ca_file");
    options.username = "app";
    options.password = servers.value("app_password");
  }
  return options;
}

// What one process has of Redis.
class RedisStoreFixture {
 public:
  using Options = RedisFeatureStore::Options;

  explicit RedisStoreFixture(Servers which, Options options = {}) : RedisStoreFixture(client_options(**redis_servers(which)), std::move(options)) {}
  RedisStoreFixture(RedisClient::Options servers, Options options) : RedisStoreFixture(std::move(servers), std::move(options), new_prefix()) {}
  // On the keys of another.
  RedisStoreFixture(const RedisStoreFixture& other, Options options)
      : RedisStoreFixture(other.servers_, std::move(options), other.options_.prefix) {}
  ~RedisStoreFixture() {
    close();
    timers_.stop();
    timer_thread_.join();
  }
  RedisStoreFixture(const RedisStoreFixture&) = delete;
  RedisStoreFixture& operator=(const RedisStoreFixture&) = delete;

  // What was in memory is lost.
  void reopen() {
    close();
    open();
  }

  [[nodiscard]] RedisFeatureStore& operator*() { return *store_; }
  [[nodiscard]] RedisFeatureStore* operator->() { return store_.get(); }
  [[nodiscard]] RedisClient& client() { return *client_; }
  [[nodiscard]] StandingWallClock& clock() { return clock_; }
  [[nodiscard]] const Options& options() const { return options_; }

  [[nodiscard]] core::Deadline in(std::chrono::milliseconds time) const { return core::Deadline::after(time, clock_); }
  [[nodiscard]] core::Deadline later() const { return in(std::chrono::seconds(30)); }

  [[nodiscard]] core::Result<ports::ApplyReport> try_apply(Events batch, core::Deadline deadline) {
    auto shared = std::make_shared<const Events>(std::move(batch));
    return core::sync_wait(store_->apply(shared, deadline));
  }
  ports::ApplyReport apply(Events batch) {
    auto applied = try_apply(std::move(batch), later());
    EXPECT_TRUE(applied) << applied.error().message;
    return applied ? std::move(*applied) : ports::ApplyReport();
  }
  void merge() {
    const auto merged = core::sync_wait(store_->merge_popularity(later()));
    ASSERT_TRUE(merged) << merged.error().message;
  }
  [[nodiscard]] events::SubjectFeatures read(const events::Subject& subject) {
    auto snapshot = core::sync_wait(store_->read(subject, later()));
    if (!snapshot) ADD_FAILURE() << snapshot.error().message;
    return snapshot ? std::move(snapshot->features) : events::SubjectFeatures();
  }
  [[nodiscard]] std::map<std::string, events::ItemPopularity> popularity(events::EpochMs now_ms = kFeatureNowMs) {
    auto changes = core::sync_wait(store_->popularity(0, now_ms, later()));
    std::map<std::string, events::ItemPopularity> items;
    if (!changes) ADD_FAILURE() << changes.error().message;
    if (!changes) return items;
    for (auto& item : changes->items) items.emplace(item.item_id, item);
    return items;
  }
  // What a store with these options, on this fixture's keys, says of the servers.
  [[nodiscard]] core::Status check_with(Options options) {
    options.prefix = options_.prefix;
    const auto store = RedisFeatureStore::create(std::move(options), {*client_, timers_, clock_, metrics_, log_});
    if (!store) return std::unexpected(store.error());
    return core::sync_wait((*store)->check(later()));
  }
  // A command to the server itself; its key is the second argument.
  core::Result<RedisValue> ask(std::vector<std::string> arguments) {
    adapters::redis::RedisCommand one;
    one.key = arguments.size() > 1 ? arguments[1] : "";
    one.arguments = std::move(arguments);
    auto reply = core::sync_wait(client_->call(std::move(one), later()));
    if (!reply) ADD_FAILURE() << reply.error().message;
    return reply;
  }

 private:
  RedisStoreFixture(RedisClient::Options servers, Options options, std::string prefix)
      : servers_(std::move(servers)), options_(std::move(options)) {
    options_.prefix = std::move(prefix);
    timer_thread_ = std::thread([this] { timers_.run(); });
    open();
  }

  static std::string new_prefix() {
    static std::atomic<int> count{0};
    return "hm:t" + std::to_string(++count) + ":";
  }

  void open() {
    client_ = *RedisClient::create(servers_, {clock_, metrics_, log_});
    io_thread_ = std::thread([this] { client_->run(); });
    store_ = *RedisFeatureStore::create(options_, {*client_, timers_, clock_, metrics_, log_});
    const auto checked = core::sync_wait(store_->check(later()));
    EXPECT_TRUE(checked) << checked.error().message;
  }
  void close() {
    if (store_) store_->stop();
    if (client_) client_->stop();
    if (io_thread_.joinable()) io_thread_.join();
    store_.reset();
    client_.reset();
  }

  RedisClient::Options servers_;
  Options options_;
  StandingWallClock clock_;
  telemetry::Metrics metrics_;
  telemetry::Logger log_{{.level = telemetry::LogLevel::kError}, clock_};
  core::TimerQueue timers_{clock_};
  std::thread timer_thread_;
  std::thread io_thread_;
  std::unique_ptr<RedisClient> client_;
  std::unique_ptr<RedisFeatureStore> store_;
};

// Every subject and item of the events, as two stores have them; empty when they agree, numbers to 1e-9 of their size.
[[nodiscard]] inline bool is_near(double left, double right) {
  return std::abs(left - right) <= 1e-9 * std::max({1.0, std::abs(left), std::abs(right)});
}
[[nodiscard]] inline std::string difference(const events::SubjectFeatures& left, const events::SubjectFeatures& right) {
  if (left.personalize != right.personalize) return "personalize";
  if (left.last_event_ms != right.last_event_ms) return "last_event_ms";
  if (left.recent_items != right.recent_items) return "recent_items";
  if (left.affinities.size() != right.affinities.size()) return "number of affinities";
  for (std::size_t i = 0; i < left.affinities.size(); ++i) {
    const auto& a = left.affinities[i];
    const auto& b = right.affinities[i];
    if (a.category != b.category || a.score.time_ms != b.score.time_ms || !is_near(a.score.value, b.score.value)) return "affinity to " + a.category;
  }
  return {};
}
[[nodiscard]] inline std::string difference(const std::map<std::string, events::ItemPopularity>& left,
                                            const std::map<std::string, events::ItemPopularity>& right) {
  if (left.size() != right.size()) return std::to_string(left.size()) + " and " + std::to_string(right.size()) + " items";
  for (const auto& [id, a] : left) {
    const auto found = right.find(id);
    if (found == right.end()) return "item " + id + " is missing";
    const events::ItemPopularity& b = found->second;
    if (a.global.time_ms != b.global.time_ms || !is_near(a.global.value, b.global.value)) return "global score of " + id;
    for (std::size_t w = 0; w < a.windows.size(); ++w) {
      if (!is_near(a.windows[w], b.windows[w])) return "window " + std::to_string(w) + " of " + id;
    }
  }
  return {};
}

}  // namespace scalestyle::support
