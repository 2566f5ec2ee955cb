#pragma once
// What doctor makes of the figures that it read: pure, without a machine, a network or a clock behind it.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/redis/redis_client.hpp"
#include "core/clock.hpp"
#include "doctor_check.hpp"

namespace scalestyle::app {

// Times of fdatasync after a small write, in milliseconds; at least one.
struct SyncTimes {
  double p50_ms = 0;
  double p99_ms = 0;
  std::size_t samples = 0;
};
[[nodiscard]] SyncTimes sync_times(std::vector<double> milliseconds);

// Every acknowledged event waits for a sync: `deadline` is the time that events have. `in_memory`: the folder is on tmpfs.
[[nodiscard]] Check judge_sync(const SyncTimes& times, std::chrono::milliseconds deadline, bool in_memory);

struct DiskNeed {
  std::uint64_t generation_bytes = 0;  // of the one that is served; the next is built beside it
  std::uint64_t events_bytes = 0;      // what the retention settings allow
  std::uint64_t kept_bytes = 0;        // of these, on the disk already
};
[[nodiscard]] Check judge_free_disk(std::uint64_t free_bytes, const DiskNeed& need);

struct MemoryPart {
  std::string what;
  std::uint64_t bytes = 0;
};
struct MemoryRoom {
  std::uint64_t available_bytes = 0;  // what the machine can still give; 0: not known
  std::uint64_t limit_bytes = 0;      // of the control group; 0: none
};
[[nodiscard]] Check judge_memory(const std::vector<MemoryPart>& parts, const MemoryRoom& room);

// The content of memory.max or memory.limit_in_bytes; 0: no limit.
[[nodiscard]] std::uint64_t parse_memory_limit(std::string_view text);
// Where /proc/self/cgroup says that the limits of this process are: folders below the mount of version 2, the process's own
// first, or of version 1's memory controller. For example {"/a/b", "/a", "/"}.
struct ControlGroups {
  std::vector<std::string> unified{};
  std::vector<std::string> memory{};
};
[[nodiscard]] ControlGroups parse_control_groups(std::string_view text);

// Each connection takes a handle; files and engines take some more.
[[nodiscard]] Check judge_handles(std::uint64_t limit, std::uint64_t max_connections);

// `offset`: how far the engine's clock is ahead of ours; `uncertain`: how well that is known.
[[nodiscard]] Check judge_clock(std::string name, std::string_view engine, std::chrono::milliseconds offset,
                                std::chrono::milliseconds uncertain);

// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, 5.6.7: the preferred form alone); nothing for another text.
[[nodiscard]] std::optional<core::WallTime> parse_http_date(std::string_view text);

struct RedisUse {
  bool allow_eviction = false;
  bool keeps_features = false;
};
[[nodiscard]] Check judge_redis(const adapters::redis::RedisFacts& facts, const RedisUse& use);

struct ListenAccess {
  std::string host{};
  bool knows_keys = false;  // this program has the setting for keys
  bool has_keys = false;
  bool insecure = false;
};
[[nodiscard]] Check judge_access(const ListenAccess& access);
// 127.0.0.0/8, ::1 and "localhost".
[[nodiscard]] bool is_loopback(std::string_view host);

struct RerankRate {
  std::size_t planned = 0;     // articles within the budget at the measured rate
  std::size_t wanted = 0;      // rerank_depth
  std::size_t recommended = 0; // the same in the recommended precision
  std::string precision{};     // configured
  std::string recommended_precision{};
};
[[nodiscard]] Check judge_rerank_depth(const RerankRate& rate);

}  // namespace scalestyle::app
