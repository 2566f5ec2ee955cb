// What the embedded feature store costs: one million users with ten events each (or as many as are given): apply, read, memory,
// checkpoint with its longest pauses, load. apply, read and load are CPU time of their thread, so that a busy machine does
// not count. Checks that the loaded store equals the written one.
//
//   features_bench [users] [folder] [--json]
//
// --json prints the figures once more, as the last line; users_bytes there is what users take of the accounted memory: all items are
// given an event, and what a store with these items and one user accounts for is taken off.

#include <fmt/format.h>
#include <malloc.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "adapters/embedded/memory_feature_store.hpp"
#include "core/task.hpp"

namespace {

using namespace scalestyle;
using adapters::embedded::MemoryFeatureStore;
using Clock = std::chrono::steady_clock;

constexpr events::EpochMs kStartMs = 1'772'366'400'000;
constexpr std::size_t kEventsPerUser = 10;
constexpr std::size_t kArticles = 105'542;
constexpr std::size_t kBatch = 1'000;

double cpu_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

double seconds_since(Clock::time_point begun) { return std::chrono::duration<double>(Clock::now() - begun).count(); }

// Stands at the end of the events, so that nothing has expired when it is read.
class StillClock final : public core::Clock {
 public:
  [[nodiscard]] core::SteadyTime steady_now() const override { return std::chrono::steady_clock::now(); }
  [[nodiscard]] core::WallTime wall_now() const override { return core::WallTime(std::chrono::milliseconds(kStartMs + 86'400'000)); }
};

// Some articles and product types are much more popular than others, as in a real catalogue.
events::LoggedEvent make_event(std::mt19937_64& random, std::size_t number, std::size_t total, std::size_t users) {
  std::uniform_real_distribution<double> uniform(0, 1);
  const double skewed = uniform(random);
  const auto article = static_cast<std::size_t>(skewed * skewed * skewed * static_cast<double>(kArticles));
  events::LoggedEvent logged;
  logged.position = {"bench", 0, static_cast<std::int64_t>(number) + 1};
  events::Event& event = logged.event;
  event.event_id = std::to_string(number);
  event.user_id = core::UserId(fmt::format("user{:08}", random() % users));
  event.item_id = fmt::format("{:010}", 100'000'000 + article * 7);
  const double type = uniform(random);
  event.category = fmt::format("Product type {}", static_cast<int>(type * type * type * 131));
  event.weight = 1;
  event.event_time_ms = event.received_time_ms = kStartMs + static_cast<events::EpochMs>(86'400'000.0 * static_cast<double>(number) / static_cast<double>(total));
  return logged;
}

struct Bench {
  StillClock clock;
  core::WorkerPool pool{{.threads = 1, .queue_capacity = 64}, clock};
  core::TimerQueue timers{clock};
  telemetry::Metrics metrics;
  std::filesystem::path path;
  events::FeatureOptions options;

  [[nodiscard]] std::unique_ptr<MemoryFeatureStore> open() {
    auto store = MemoryFeatureStore::open(path, options, {pool, timers, clock, metrics, {}});
    if (!store) {
      fmt::print(stderr, "{}\n", store.error().message);
      std::exit(1);
    }
    return std::move(*store);
  }
};

using Batch = std::shared_ptr<const std::vector<events::LoggedEvent>>;

Batch make_batch(std::mt19937_64& random, std::size_t begin, std::size_t total, std::size_t users) {
  auto batch = std::make_shared<std::vector<events::LoggedEvent>>();
  for (std::size_t i = begin; i < std::min(total, begin + kBatch); ++i) batch->push_back(make_event(random, i, total, users));
  return batch;
}

double apply_all(MemoryFeatureStore& store, std::size_t users, std::mt19937_64& random) {
  const std::size_t total = users * kEventsPerUser;
  double seconds = 0;
  for (std::size_t begin = 0; begin < total; begin += kBatch) {
    const Batch batch = make_batch(random, begin, total, users);
    const double begun = cpu_seconds();
    if (!core::sync_wait(store.apply(batch, core::Deadline::never()))) std::exit(1);
    seconds += cpu_seconds() - begun;
  }
  return seconds / static_cast<double>(total);
}

double read_some(MemoryFeatureStore& store, std::size_t users, std::mt19937_64& random) {
  constexpr std::size_t kReads = 200'000;
  std::size_t items = 0;
  const double begun = cpu_seconds();
  for (std::size_t i = 0; i < kReads; ++i) {
    const auto subject = events::Subject::user(core::UserId(fmt::format("user{:08}", random() % users)));
    items += core::sync_wait(store.read(subject, core::Deadline::never()))->features.recent_items.size();
  }
  const double seconds = cpu_seconds() - begun;
  if (items < kReads) fmt::print("only {} items in {} reads\n", items, kReads);
  return seconds / kReads;
}

// One user has an event with every item.
void fill_items(MemoryFeatureStore& store) {
  const auto applied = store.applied();
  std::int64_t offset = applied.empty() ? 0 : applied[0].offset;
  std::mt19937_64 random(1);
  auto batch = std::make_shared<std::vector<events::LoggedEvent>>();
  for (std::size_t article = 0; article < kArticles; ++article) {
    events::LoggedEvent& logged = batch->emplace_back(make_event(random, 1, 1, 1));
    logged.position.offset = ++offset;
    logged.event.item_id = fmt::format("{:010}", 100'000'000 + article * 7);
    if (batch->size() < kBatch && article + 1 < kArticles) continue;
    if (!core::sync_wait(store.apply(std::exchange(batch, std::make_shared<std::vector<events::LoggedEvent>>()), core::Deadline::never()))) std::exit(1);
  }
}

std::size_t accounted_of_users(MemoryFeatureStore& store, const std::filesystem::path& folder) {
  Bench other;
  other.path = folder / "items.db";
  other.options.max_memory_bytes = std::size_t{4} << 30;
  const auto items = other.open();
  fill_items(*items);
  fill_items(store);
  return store.usage().memory_bytes - items->usage().memory_bytes;
}

struct CheckpointCost {
  double seconds = 0;
  std::vector<double> apply_seconds;  // of single events applied meanwhile
};

// One event at a time while the checkpoint runs on a thread of its own.
CheckpointCost checkpoint(MemoryFeatureStore& store, std::size_t users, std::int64_t& offset, std::mt19937_64& random) {
  CheckpointCost cost;
  std::atomic<bool> done{false};
  std::thread writer([&] {
    const auto begun = Clock::now();
    if (!store.checkpoint_now()) std::exit(1);
    cost.seconds = seconds_since(begun);
    done = true;
  });
  while (!done) {
    auto batch = std::make_shared<std::vector<events::LoggedEvent>>();
    batch->push_back(make_event(random, 1, 1, users));
    batch->back().position.offset = ++offset;
    const auto begun = Clock::now();
    if (!core::sync_wait(store.apply(batch, core::Deadline::never()))) std::exit(1);
    cost.apply_seconds.push_back(seconds_since(begun));
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  writer.join();
  std::ranges::sort(cost.apply_seconds);
  return cost;
}

void print_checkpoint(const char* name, const CheckpointCost& cost) {
  const auto at = [&](double part) { return cost.apply_seconds[static_cast<std::size_t>(part * static_cast<double>(cost.apply_seconds.size() - 1))] * 1e6; };
  fmt::print("{}: {:.2f} s; {} single applies meanwhile: p50 {:.1f} µs, p99 {:.1f} µs, p99.9 {:.1f} µs, max {:.1f} µs\n", name, cost.seconds,
             cost.apply_seconds.size(), at(0.5), at(0.99), at(0.999), at(1));
}

}  // namespace

int main(int argc, char** argv) {
  const bool json = argc > 1 && std::string_view(argv[argc - 1]) == "--json";
  argc -= json ? 1 : 0;
  const std::size_t users = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 1'000'000;
  const std::filesystem::path folder = argc > 2 ? argv[2] : std::filesystem::temp_directory_path() / "scalestyle-features-bench";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  Bench bench;
  bench.path = folder / "features.db";
  bench.options.max_memory_bytes = std::size_t{4} << 30;
  std::mt19937_64 random(1);

  auto store = bench.open();
  ::malloc_trim(0);
  const std::size_t heap_before = ::mallinfo2().uordblks + ::mallinfo2().hblkhd;
  const double apply_seconds = apply_all(*store, users, random);
  const std::size_t heap = ::mallinfo2().uordblks + ::mallinfo2().hblkhd - heap_before;
  const auto usage = store->usage();
  const double read_seconds = read_some(*store, users, random);
  fmt::print("{} users × {} events, {} items with popularity\n", usage.subjects, kEventsPerUser, usage.items);
  fmt::print("apply: {:.0f} ns an event\nread: {:.0f} ns\n", apply_seconds * 1e9, read_seconds * 1e9);
  fmt::print("memory: {} bytes accounted, {} of heap (the list of changes included): {:.3f}; {:.0f} accounted bytes a subject, items and names included\n",
             usage.memory_bytes, heap, static_cast<double>(usage.memory_bytes) / static_cast<double>(heap),
             static_cast<double>(usage.memory_bytes) / static_cast<double>(usage.subjects));

  std::int64_t offset = store->applied()[0].offset;
  const CheckpointCost first = checkpoint(*store, users, offset, random);
  print_checkpoint("first checkpoint", first);
  auto batch = std::make_shared<std::vector<events::LoggedEvent>>();
  for (int i = 0; i < 20'000; ++i) {
    batch->push_back(make_event(random, 1, 1, users));
    batch->back().position.offset = ++offset;
  }
  if (!core::sync_wait(store->apply(batch, core::Deadline::never()))) return 1;
  print_checkpoint("checkpoint after 20,000 events", checkpoint(*store, users, offset, random));
  auto begun = Clock::now();
  const auto popular = core::sync_wait(store->popularity(0, kStartMs + 86'400'000, core::Deadline::never()));
  fmt::print("complete popularity of {} items: {:.1f} ms\n", popular->items.size(), seconds_since(begun) * 1e3);

  if (!store->checkpoint_now()) return 1;
  begun = Clock::now();
  if (!store->copy_to(folder / "features.next.db")) return 1;
  fmt::print("copy: {:.2f} s, {} bytes\n", seconds_since(begun), std::filesystem::file_size(folder / "features.next.db"));
  bench.path = folder / "features.next.db";
  begun = Clock::now();
  const double cpu_begun = cpu_seconds();
  const auto loaded = bench.open();
  const double load_seconds = seconds_since(begun);
  fmt::print("load: {:.2f} s, {:.2f} s of CPU\n", load_seconds, cpu_seconds() - cpu_begun);
  const auto difference = first_difference(*store, *loaded, 0);
  if (difference) fmt::print("the loaded store differs: {}\n", *difference);
  if (json) {
    fmt::print(R"({{"users":{},"apply_ns":{:.1f},"read_ns":{:.1f},"accounted_bytes":{},"users_bytes":{},"heap_bytes":{},"file_bytes":{},)"
               R"("checkpoint_s":{:.4f},"load_s":{:.4f}}})"
               "\n",
               usage.subjects, apply_seconds * 1e9, read_seconds * 1e9, usage.memory_bytes, accounted_of_users(*store, folder), heap,
               std::filesystem::file_size(bench.path), first.seconds, load_seconds);
  }
  std::filesystem::remove_all(folder);
  return difference ? 1 : 0;
}
