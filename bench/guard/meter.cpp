#include "meter.hpp"

#include <fmt/format.h>
#include <valgrind/callgrind.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <utility>

namespace {

std::atomic<std::size_t> allocations{0};

void* allocate(std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}

void* allocate_aligned(std::size_t size, std::size_t alignment) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* memory = std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment)) return memory;
  throw std::bad_alloc();
}

}  // namespace

// The other forms, arrays and those that do not throw, come down to these.
void* operator new(std::size_t size) { return allocate(size); }
void* operator new(std::size_t size, std::align_val_t alignment) { return allocate_aligned(size, static_cast<std::size_t>(alignment)); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

namespace scalestyle::guard {

void Meter::measure(std::string_view name, std::size_t repeats, const std::function<void()>& work) {
  if (!wants(name)) return;
  Measured unit{.name = std::string(name), .repeats = repeats};
  work();
  work();
  const std::size_t before = allocations.load();
  CALLGRIND_START_INSTRUMENTATION;
  CALLGRIND_ZERO_STATS;
  for (std::size_t i = 0; i < repeats; ++i) work();
  CALLGRIND_DUMP_STATS_AT(unit.name.c_str());
  CALLGRIND_STOP_INSTRUMENTATION;
  unit.allocations = allocations.load() - before;
  measured_.push_back(std::move(unit));
}

void require(bool holds, std::string_view what) {
  if (holds) return;
  fmt::print(stderr, "guard_bench: {}\n", what);
  std::exit(1);
}

}  // namespace scalestyle::guard
