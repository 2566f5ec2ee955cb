// Durable acknowledgement of single clicks: open loop at a constant rate, beside the disk's own fdatasync in the same run.
//   event_log_bench [--json] [folder] [seconds] [clicks per second] [events kept beforehand]
// Prints percentiles of the acknowledgement and of an overwriting fdatasync of 4 KiB before and after, and whether the
// figure to reach holds: acknowledgement p99 ≤ 2 × fdatasync p99 + 1 ms. Exit code 1 when an event was not kept.

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "adapters/embedded/event_log.hpp"
#include "adapters/embedded/event_log_maintenance.hpp"
#include "core/task.hpp"

namespace {

using namespace scalestyle;
using adapters::embedded::SqliteEventLog;
using Clock = std::chrono::steady_clock;

double milliseconds(Clock::duration duration) { return std::chrono::duration<double, std::milli>(duration).count(); }

double print_percentiles(const char* name, std::vector<double> values, bool json) {
  std::sort(values.begin(), values.end());
  const auto at = [&](double share) { return values[std::min(values.size() - 1, static_cast<std::size_t>(share * static_cast<double>(values.size())))]; };
  fmt::print(fmt::runtime(json ? R"({{"name":"{}","count":{},"p50_ms":{:.4f},"p90_ms":{:.4f},"p99_ms":{:.4f},"p999_ms":{:.4f},"max_ms":{:.4f}}})"
                                 "\n"
                               : "{:<28} n {:>7}  p50 {:7.3f}  p90 {:7.3f}  p99 {:7.3f}  p99.9 {:7.3f}  max {:7.3f} ms\n"),
             name, values.size(), at(0.5), at(0.9), at(0.99), at(0.999), values.back());
  return at(0.99);
}

std::vector<double> measure_fdatasync(const std::filesystem::path& folder) {
  const auto path = folder / "fdatasync.bin";
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  std::vector<double> times;
  const std::vector<char> block(std::size_t{1} << 20, 'x');
  for (int i = 0; i < 8; ++i) {
    if (::write(file, block.data(), block.size()) < 0) std::abort();
  }
  ::fsync(file);
  for (int i = 0; i < 2'000; ++i) {
    const auto begun = Clock::now();
    if (::pwrite(file, block.data(), 4'096, 4'096 * (i % 2'000)) < 0 || ::fdatasync(file) != 0) std::abort();
    times.push_back(milliseconds(Clock::now() - begun));
  }
  ::close(file);
  std::filesystem::remove(path);
  return times;
}

events::Event click(std::mt19937_64& random, const core::Clock& clock) {
  events::Event event;
  event.event_id = fmt::format("{:016x}{:016x}", random(), random());
  event.user_id = core::UserId(fmt::format("user-{}", random() % 200'000));
  event.session_id = core::SessionId(fmt::format("session-{:016x}", random()));
  event.received_time_ms = std::chrono::duration_cast<std::chrono::milliseconds>(clock.wall_now().time_since_epoch()).count();
  event.event_time_ms = event.received_time_ms;
  event.item_id = fmt::format("{:010}", 100'000'000 + random() % 105'542);
  event.category = "Trousers";
  event.weight = 1;
  event.source = events::EventSource::kSearch;
  event.query = "summer dress with flowers";
  event.position = 3;
  event.request_id = fmt::format("{:016x}", random());
  return event;
}

struct Acks {
  std::vector<double> times;
  std::atomic<std::size_t> open{0};
  std::atomic<std::size_t> failed{0};
};

void send(SqliteEventLog& log, events::Event event, Clock::time_point begun, Acks& acks, std::size_t index) {
  acks.open.fetch_add(1);
  core::start(log.append({std::move(event)}, core::Deadline::never()), [&acks, begun, index](const ports::AppendResult& result) {
    acks.times[index] = milliseconds(Clock::now() - begun);
    if (!result) acks.failed.fetch_add(1);
    acks.open.fetch_sub(1);
  }).detach();
}

void fill(SqliteEventLog& log, const core::Clock& clock, std::size_t count, std::mt19937_64& random) {
  for (std::size_t done = 0; done < count; done += 500) {
    std::vector<events::Event> batch;
    for (int i = 0; i < 500; ++i) batch.push_back(click(random, clock));
    if (!core::sync_wait(log.append(std::move(batch), core::Deadline::never()))) std::abort();
    if (done % 5'000 == 0 && !checkpoint_wal(log)) std::abort();
  }
}

}  // namespace

int main(int count, char** arguments) {
  const bool json = count > 1 && std::string_view(arguments[1]) == "--json";
  if (json) {
    --count;
    ++arguments;
  }
  const std::filesystem::path base = count > 1 ? arguments[1] : ".";
  const int seconds = count > 2 ? std::atoi(arguments[2]) : 10;
  const double rate = count > 3 ? std::atof(arguments[3]) : 2'000;
  const auto kept = static_cast<std::size_t>(count > 4 ? std::atoll(arguments[4]) : 300'000);
  const auto folder = base / fmt::format("event_log_bench.{}", ::getpid());
  std::filesystem::create_directories(folder);
  core::SystemClock clock;
  core::WorkerPool pool({1, 64}, clock);
  core::TimerQueue timers(clock);
  telemetry::Metrics metrics;
  auto opened = SqliteEventLog::open({.folder = folder}, {clock, timers, pool, metrics});
  if (!opened) {
    fmt::print(stderr, "{}\n", opened.error().message);
    return 2;
  }
  SqliteEventLog& log = **opened;
  std::thread writer([&] { log.run(); });
  std::mt19937_64 random(7);
  fill(log, clock, kept, random);

  const double sync_before = print_percentiles("fdatasync before", measure_fdatasync(folder), json);
  std::atomic<bool> done{false};
  std::vector<double> turns;
  std::thread maintenance([&] {
    while (!done) {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      const auto report = checkpoint_wal(log);
      if (report && report->ran) turns.push_back(milliseconds(report->turn_held));
    }
  });
  Acks acks;
  const auto total = static_cast<std::size_t>(rate * seconds);
  acks.times.resize(total);
  std::exponential_distribution<double> gap(rate);
  auto next = Clock::now();
  for (std::size_t i = 0; i < total; ++i) {
    next += std::chrono::nanoseconds(static_cast<std::int64_t>(gap(random) * 1e9));
    auto event = click(random, clock);
    std::this_thread::sleep_until(next);
    send(log, std::move(event), next, acks, i);
  }
  while (acks.open.load() > 0) std::this_thread::yield();
  done = true;
  maintenance.join();
  const double ack = print_percentiles("acknowledgement", acks.times, json);
  if (!turns.empty()) print_percentiles("held up by a checkpoint", turns, json);
  const double sync_after = print_percentiles("fdatasync after", measure_fdatasync(folder), json);
  const auto figures_now = figures(log);
  if (figures_now) fmt::print("log {} MB, write-ahead log {} MB\n", figures_now->used_bytes >> 20, figures_now->wal_bytes >> 20);
  log.stop();
  writer.join();
  opened->reset();
  std::filesystem::remove_all(folder);
  const double reach = 2 * std::max(sync_before, sync_after) + 1;
  fmt::print("p99 {:.3f} ms, to reach {:.3f} ms: {}; {} of {} failed\n", ack, reach, ack <= reach ? "reached" : "missed", acks.failed.load(), total);
  return acks.failed.load() == 0 ? 0 : 1;
}
