#pragma once
// RedisClient: commands to one Redis server or to a Redis Cluster, over our own connections (Asio; RESP2 read and written
// by hiredis). What it finds at the first node decides which of the two it speaks to.
//
// Commands are pipelined on a few connections a node, which all callers share: those that belong to a connection (MULTI,
// SUBSCRIBE, SELECT, HELLO, WAIT, blocking ones) are not for it. Each call has its own deadline. A command whose connection
// breaks after it was written has an unknown outcome: it is repeated only when it says that it may be
// (RedisCommand::repeatable). In a Cluster commands go to the master of their key's slot; MOVED and ASK are followed, the
// slot map is read again after them and after a broken connection, and a command waits for a failover until its deadline.
//
// Everything is bounded: commands waiting, bytes of a reply, connections, redirections of a command, and the time of a call: 60 s
// where its deadline is later or never.
// Thread safety: every method may be called from any thread. Tasks complete on the I/O thread (run()).

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"
#include "core/deadline.hpp"
#include "core/result.hpp"
#include "core/task.hpp"
#include "telemetry/log.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::adapters::redis {

// One reply. An error reply of a command that was carried out is core::Error instead (error_of()).
struct RedisValue {
  enum class Kind : std::uint8_t { kNull, kInteger, kText, kArray };  // kText: bulk and status strings
  Kind kind = Kind::kNull;
  std::int64_t integer = 0;
  std::string text{};
  std::vector<RedisValue> elements{};  // an element that is an error has kind kText and begins with "(error) "

  [[nodiscard]] bool is_null() const { return kind == Kind::kNull; }
  friend bool operator==(const RedisValue&, const RedisValue&) = default;
};

// A Lua script; called by its SHA-1, sent whole to a server that does not know it yet.
struct RedisScript {
  explicit RedisScript(std::string source);
  std::string text;
  std::string sha1;  // hex
};

struct RedisCommand {
  std::vector<std::string> arguments{};  // "GET", "key", …; of a script its keys and arguments alone, as EVALSHA takes
                                         // them behind the SHA-1: number of keys, keys…, arguments…
  std::string key{};                     // whose slot decides the node; empty: any master
  bool repeatable = true;                // doing it twice does no harm
  std::shared_ptr<const RedisScript> script{};  // null: a plain command
};

// What a server says of itself.
struct RedisFacts {
  std::string version{};           // "7.0.15"
  bool cluster = false;
  std::string eviction_policy{};   // "noeviction"; empty where this user may not ask
  std::int64_t max_memory_bytes = 0;  // 0: no limit
  std::size_t masters = 1;
  std::size_t replicas = 0;        // attached to the masters, all together
};

class RedisClient {
 public:
  struct Options {
    std::vector<std::string> nodes{};  // "host:port"; of a Cluster some of its nodes; 1 … 64
    std::string username{};            // empty with a password: the default user
    std::string password{};            // empty: no AUTH
    bool tls = false;                  // certificate and host name are verified
    std::string ca_file{};             // PEM; empty: the system's
    std::size_t connections_per_node = 2;  // and one more where pipeline_replicated() is used
    std::size_t max_waiting = 20'000;             // commands, of all nodes; more are refused
    std::size_t max_reply_bytes = 64u << 20;      // of one reply: its texts, and sizeof(RedisValue) an element
    std::chrono::milliseconds connect_timeout{1'000};
    std::chrono::milliseconds reconnect_first{50};    // delays between attempts grow to the longest
    std::chrono::milliseconds reconnect_longest{2'000};
    // Commands that were sent and may be repeated, where a connection broke: it takes all with it that was under way.
    double retries_per_command = 0.1;
    double retry_reserve = 1'000;
    std::chrono::milliseconds command_timeout{2'000};  // a connection whose oldest reply takes longer is closed

    // kInvalidArgument with the setting as field.
    [[nodiscard]] core::Status validate() const;
  };
  struct Dependencies {
    const core::Clock& clock;
    telemetry::Metrics& metrics;
    telemetry::Logger& log;
  };

  // Connects to nothing yet. Errors: those of validate(), kInvalidArgument for a CA file that cannot be read.
  [[nodiscard]] static core::Result<std::unique_ptr<RedisClient>> create(Options options, Dependencies dependencies);
  ~RedisClient();
  RedisClient(const RedisClient&) = delete;
  RedisClient& operator=(const RedisClient&) = delete;

  // The I/O thread's body: returns after stop(). Once. Until it is called nothing is sent and no deadline is kept.
  void run();
  // Ends all commands (kCancelled) and connections. May be repeated.
  void stop();

  // One command. An error reply is an error of the call:
  //   kFailedPrecondition: WRONGTYPE, NOSCRIPT, an error that a script returned, a command that is wrong
  //   kPermissionDenied:   NOAUTH, WRONGPASS, NOPERM
  //   kResourceExhausted:  OOM; also when too many commands wait here
  //   kUnavailable:        LOADING, READONLY, MASTERDOWN, CLUSTERDOWN, TRYAGAIN, no connection, a broken one
  //   kInvalidArgument:    a command without a word
  // and kDeadlineExceeded (the message says whether the command had been sent), kCancelled, kDataLoss (not RESP; too large).
  // Messages begin with the node and the server's own words, for example "redis 127.0.0.1:6379: WRONGTYPE …".
  [[nodiscard]] core::Task<core::Result<RedisValue>> call(RedisCommand command, core::Deadline deadline);

  // All of them at once: one write and one read a connection that they concern. One result a command, in order; commands of one
  // key are carried out in the order given unless the slot moves or the server loses its scripts meanwhile. Fails as a
  // whole only by kCancelled and kResourceExhausted (here).
  [[nodiscard]] core::Task<core::Result<std::vector<core::Result<RedisValue>>>> pipeline(std::vector<RedisCommand> commands,
                                                                                         core::Deadline deadline);

  // As pipeline(), and after the last command of each node waits until `replicas` of the node's replicas, or all that are
  // attached where there are fewer, have what was written. kUnavailable for the commands of a node where they have not. Where
  // no replica is attached nothing is waited for, and scalestyle_redis_unreplicated_writes_total counts the commands.
  [[nodiscard]] core::Task<core::Result<std::vector<core::Result<RedisValue>>>> pipeline_replicated(
      std::vector<RedisCommand> commands, std::size_t replicas, core::Deadline deadline);

  // PING and what the server says of itself; of a Cluster, of all masters (eviction policy: the first that evicts).
  // Errors: as call().
  [[nodiscard]] core::Task<core::Result<RedisFacts>> facts(core::Deadline deadline);

  // Empty while connections stand; else what is wrong, for readiness and people.
  [[nodiscard]] std::string trouble() const;

  // CRC16 of the key or of its hash tag, modulo 16,384.
  [[nodiscard]] static std::uint16_t slot_of(std::string_view key);

 private:
  struct Impl;
  explicit RedisClient(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace scalestyle::adapters::redis
