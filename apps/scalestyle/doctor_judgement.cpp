#include "doctor_judgement.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

namespace scalestyle::app {

namespace {

constexpr double kMegabyte = 1e6;
constexpr std::uint64_t kReservedHandles = 256;  // databases, mapped files, engines, the log
constexpr std::chrono::milliseconds kClockTolerance{1'000};
constexpr double kSlowSyncMs = 20;

double megabytes(std::uint64_t bytes) { return static_cast<double>(bytes) / kMegabyte; }

// The value at a share of the sorted samples, rounded up to a sample.
double quantile(const std::vector<double>& sorted, double share) {
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(sorted.size())));
  return sorted[std::clamp<std::size_t>(rank, 1, sorted.size()) - 1];
}

std::optional<int> digits(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool plain = std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  return error == std::errc() && end == text.data() + text.size() && plain ? std::optional(value) : std::nullopt;
}

std::vector<std::string> folder_and_parents(std::string_view path) {
  std::vector<std::string> all;
  while (path.size() > 1) {
    all.emplace_back(path);
    path = path.substr(0, path.rfind('/'));
  }
  all.emplace_back("/");
  return all;
}

}  // namespace

SyncTimes sync_times(std::vector<double> milliseconds) {
  std::ranges::sort(milliseconds);
  return {.p50_ms = quantile(milliseconds, 0.5), .p99_ms = quantile(milliseconds, 0.99), .samples = milliseconds.size()};
}

Check judge_sync(const SyncTimes& times, std::chrono::milliseconds deadline, bool in_memory) {
  std::string found = fmt::format("fdatasync p50 {:.2f} ms, p99 {:.2f} ms of {}", times.p50_ms, times.p99_ms, times.samples);
  if (in_memory) {
    return warned("disk_sync", found + "; the data folder is in memory (tmpfs)",
                  "events do not outlive this machine there: put --data on a disk");
  }
  if (times.p99_ms > static_cast<double>(deadline.count()) / 2) {
    return failed("disk_sync", std::move(found),
                  fmt::format("events have {} ms and wait for a sync: they would be refused; use a faster disk",
                              deadline.count()));
  }
  if (times.p99_ms > kSlowSyncMs) {
    return warned("disk_sync", std::move(found),
                  "each acknowledged event waits so long: a disk with a protected write cache is quicker");
  }
  return passed("disk_sync", std::move(found));
}

Check judge_free_disk(std::uint64_t free_bytes, const DiskNeed& need) {
  const std::uint64_t events = need.events_bytes > need.kept_bytes ? need.events_bytes - need.kept_bytes : 0;
  std::string found = fmt::format("{:.0f} MB free; the next generation needs about {:.0f} MB, events and "
                                  "impressions may grow by {:.0f} MB",
                                  megabytes(free_bytes), megabytes(need.generation_bytes), megabytes(events));
  constexpr std::uint64_t kLeast = 100'000'000;
  if (free_bytes < std::max(kLeast, need.generation_bytes)) {
    return failed("disk_free", std::move(found), "free some of this disk: an ingest, and soon events, would fail");
  }
  if (free_bytes < need.generation_bytes + events) {
    return warned("disk_free", std::move(found), "a larger disk, or smaller event_retention_mb and impression_retention_mb");
  }
  return passed("disk_free", std::move(found));
}

Check judge_memory(const std::vector<MemoryPart>& parts, const MemoryRoom& room) {
  std::uint64_t need = 0;
  std::string list;
  for (const MemoryPart& part : parts) {
    need += part.bytes;
    if (part.bytes > 0) list += fmt::format("{}{} {:.0f}", list.empty() ? "" : ", ", part.what, megabytes(part.bytes));
  }
  std::string found = fmt::format("about {:.0f} MB needed ({})", megabytes(need), list);
  if (room.available_bytes > 0) found += fmt::format("; {:.0f} MB are left", megabytes(room.available_bytes));
  if (room.limit_bytes > 0) found += fmt::format("; the control group allows {:.0f} MB", megabytes(room.limit_bytes));
  constexpr auto kUnbounded = std::numeric_limits<std::uint64_t>::max();
  const std::uint64_t allowed = room.limit_bytes > 0 ? room.limit_bytes : kUnbounded;
  const std::uint64_t available = room.available_bytes > 0 ? room.available_bytes : kUnbounded;
  if (need > allowed) {
    return failed("memory", std::move(found),
        "raise the control group's limit, or choose narrower precisions or smaller caches: the process would be killed");
  }
  if (need > available) {
    return warned("memory", std::move(found), "not enough while what runs now goes on running");
  }
  // An ingest that follows is held beside the generation that is served.
  if (need + need / 4 > std::min(allowed, available)) {
    return warned("memory", std::move(found), "little is left for requests and for a new generation beside the old one");
  }
  return passed("memory", std::move(found));
}

std::uint64_t parse_memory_limit(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return 0;
  constexpr std::uint64_t kNone = std::uint64_t{1} << 60U;  // version 1 writes "no limit" as the largest number of pages
  return value >= kNone ? 0 : value;
}

ControlGroups parse_control_groups(std::string_view text) {
  ControlGroups groups;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const auto first = line.find(':');
    const auto second = first == std::string_view::npos ? first : line.find(':', first + 1);
    if (second == std::string_view::npos || second + 1 >= line.size() || line[second + 1] != '/') continue;
    const std::string_view controllers = line.substr(first + 1, second - first - 1);
    if (controllers.empty()) groups.unified = folder_and_parents(line.substr(second + 1));
    if (controllers == "memory") groups.memory = folder_and_parents(line.substr(second + 1));
  }
  return groups;
}

Check judge_handles(std::uint64_t limit, std::uint64_t max_connections) {
  const std::uint64_t need = max_connections + kReservedHandles;
  std::string found = limit == std::numeric_limits<std::uint64_t>::max() ? "no limit of open files"
      : fmt::format("{} open files allowed", limit);
  if (limit >= need) return passed("file_handles", std::move(found));
  std::string advice = fmt::format("max_connections ({}) and files need {}: raise the limit (ulimit -n, LimitNOFILE) or lower "
                                   "max_connections",
                                   max_connections, need);
  if (limit <= kReservedHandles) return failed("file_handles", std::move(found), std::move(advice));
  return warned("file_handles", std::move(found), std::move(advice));
}

Check judge_clock(std::string name, std::string_view engine, std::chrono::milliseconds offset,
                  std::chrono::milliseconds uncertain) {
  const auto distance = std::chrono::milliseconds(std::abs(offset.count()));
  std::string found = fmt::format("the clock of {} is {} ms {} ours, give or take {} ms", engine, distance.count(),
                                  offset.count() < 0 ? "behind" : "ahead of", uncertain.count());
  if (distance <= kClockTolerance + uncertain) return passed(std::move(name), std::move(found));
  return warned(std::move(name), std::move(found),
                "keep both machines' clocks right (NTP): events are ordered and expire by time");
}

std::optional<core::WallTime> parse_http_date(std::string_view text) {
  constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  // Sun, 06 Nov 1994 08:49:37 GMT
  if (text.size() != 29 || text.substr(3, 2) != ", " || text.substr(25) != " GMT") return std::nullopt;
  if (text[7] != ' ' || text[11] != ' ' || text[16] != ' ' || text[19] != ':' || text[22] != ':') return std::nullopt;
  const auto* const month = std::ranges::find(kMonths, text.substr(8, 3));
  const auto day = digits(text.substr(5, 2));
  const auto year = digits(text.substr(12, 4));
  const auto hour = digits(text.substr(17, 2));
  const auto minute = digits(text.substr(20, 2));
  const auto second = digits(text.substr(23, 2));
  if (month == kMonths.end() || !day || !year || !hour || !minute || !second) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(month - kMonths.begin()) + 1),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  return core::WallTime(std::chrono::sys_days(date)) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
         std::chrono::seconds(*second);
}

Check judge_redis(const adapters::redis::RedisFacts& facts, const RedisUse& use) {
  const std::string policy = facts.eviction_policy.empty() ? "not told" : facts.eviction_policy;
  std::string found = fmt::format("Redis {}, {} of {} master{} and {} replica{}, eviction {}, {}", facts.version,
                                  facts.cluster ? "Cluster" : "standalone", facts.masters, facts.masters == 1 ? "" : "s",
                                      facts.replicas,
                                  facts.replicas == 1 ? "" : "s", policy,
                                  facts.max_memory_bytes == 0 ? std::string("no memory limit")
                                                              : fmt::format("{:.0f} MB at most",
                                                                  static_cast<double>(facts.max_memory_bytes) / kMegabyte));
  const bool evicts = !facts.eviction_policy.empty() && facts.eviction_policy != "noeviction";
  if (evicts && use.keeps_features && !use.allow_eviction) {
    return failed("redis", std::move(found),
                  "set maxmemory-policy noeviction: events could count twice or not at all, so features refuse this server");
  }
  if (evicts) return warned("redis", std::move(found),
                            "maxmemory-policy noeviction keeps what is known of shoppers and the catalogue");
  if (facts.eviction_policy.empty()) {
    return warned("redis", std::move(found),
                  "let this user ask INFO memory or CONFIG GET maxmemory-policy: keys must not be evicted");
  }
  if (use.keeps_features && facts.replicas == 0) {
    return warned("redis", std::move(found), "without a replica, features of the last moments go with the server");
  }
  return passed("redis", std::move(found));
}

bool is_loopback(std::string_view host) { return host == "localhost" || host == "::1" || host.starts_with("127."); }

Check judge_access(const ListenAccess& access) {
  const std::string where = "listens on " + access.host;
  if (access.has_keys) return passed("access", where + ", API keys are asked for");
  if (is_loopback(access.host)) return passed("access", where + ": this machine alone; no API keys");
  if (access.insecure) return warned("access", where + " without API keys, as `insecure` says",
                                     "create keys with `scalestyle keys` and leave `insecure` out");
  if (access.knows_keys) return failed("access", where + " without API keys",
                                       "name a keys_file; the server refuses to start without one");
  return warned("access", where + " without API keys",
                "whoever reaches this address may ask and write: let a proxy or a firewall decide who does");
}

Check judge_rerank_depth(const RerankRate& rate) {
  std::string found = fmt::format("{} articles within the budget in {}, {} wanted", rate.planned, rate.precision, rate.wanted);
  if (rate.planned >= rate.wanted) return passed("rerank_depth", std::move(found));
  std::string advice = fmt::format("--rerank-depth {} fits this machine", rate.planned);
  if (rate.recommended_precision != rate.precision && rate.recommended > rate.planned) {
    advice = fmt::format("--rerank-precision {} affords {}; or --rerank-depth {} in {}", rate.recommended_precision,
                         rate.recommended, rate.planned,
                         rate.precision);
  }
  return warned("rerank_depth", std::move(found), std::move(advice));
}

}  // namespace scalestyle::app
