#pragma once
// What a victim process was answered, in memory that outlives it: for each entry of the plan whether it was sent, and
// where the log put it; and how often each crash point was passed.

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace scalestyle::crash {

// Thread safety: all of it, between processes too. Lock-free: a killed process leaves nothing held.
class Ledger {
 public:
  explicit Ledger(std::size_t entries)
      : size_(sizeof(Shared) + entries * sizeof(std::atomic<std::int64_t>)), entries_(entries) {
    void* memory = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    shared_ = new (memory) Shared;
    states_ = reinterpret_cast<std::atomic<std::int64_t>*>(static_cast<char*>(memory) + sizeof(Shared));
  }
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;
  ~Ledger() { ::munmap(shared_, size_); }

  // A ledger of its own that says the same of the entries and the clock.
  [[nodiscard]] std::unique_ptr<Ledger> copy() const {
    auto other = std::make_unique<Ledger>(entries_);
    for (std::size_t i = 0; i < entries_; ++i) other->states_[i].store(states_[i].load());
    other->advance(now_ms());
    return other;
  }

  void sent(std::size_t entry) {
    std::int64_t expected = kUnsent;
    states_[entry].compare_exchange_strong(expected, kSent);
  }
  void acknowledged(std::size_t entry, std::int64_t offset) { states_[entry].store(offset + kFirstOffset); }
  [[nodiscard]] bool was_sent(std::size_t entry) const { return states_[entry].load() != kUnsent; }
  [[nodiscard]] std::optional<std::int64_t> offset(std::size_t entry) const {
    const auto state = states_[entry].load();
    return state >= kFirstOffset ? std::optional(state - kFirstOffset) : std::nullopt;
  }
  [[nodiscard]] std::size_t entries() const { return entries_; }

  // The clock of the victims: the newest time of a batch that was sent.
  void advance(std::int64_t now_ms) {
    auto current = shared_->now_ms.load();
    while (current < now_ms && !shared_->now_ms.compare_exchange_weak(current, now_ms)) {}
  }
  [[nodiscard]] std::int64_t now_ms() const { return shared_->now_ms.load(); }

  // Counts a pass of the point; gives its number, from 1, in this process and those before it since clear_passes().
  std::uint64_t pass(std::string_view point) {
    for (auto& known : shared_->points) {
      std::uint32_t expected = 0;
      const auto wanted = tag_of(point);
      if (known.tag.compare_exchange_strong(expected, wanted)) {  // the first to come here names it
        std::memcpy(known.name.data(), point.data(), std::min(point.size(), known.name.size() - 1));
        expected = wanted;
      }
      if (expected == wanted) return known.count.fetch_add(1) + 1;
    }
    return 0;
  }
  void clear_passes() {
    for (auto& known : shared_->points) known.count.store(0);
  }
  [[nodiscard]] std::vector<std::pair<std::string, std::uint64_t>> passes() const {
    std::vector<std::pair<std::string, std::uint64_t>> list;
    for (const auto& known : shared_->points) {
      if (known.name[0] != '\0') list.emplace_back(known.name.data(), known.count.load());
    }
    return list;
  }

  // The victim's last words; the first ones win.
  void complain(std::string_view problem) {
    bool expected = false;
    if (!shared_->has_problem.compare_exchange_strong(expected, true)) return;
    std::memcpy(shared_->problem.data(), problem.data(), std::min(problem.size(), shared_->problem.size() - 1));
  }
  [[nodiscard]] std::string problem() const { return shared_->problem.data(); }

 private:
  static constexpr std::int64_t kUnsent = 0;
  static constexpr std::int64_t kSent = 1;
  static constexpr std::int64_t kFirstOffset = 2;

  struct Point {
    std::atomic<std::uint32_t> tag{0};
    std::array<char, 60> name{};
    std::atomic<std::uint64_t> count{0};
  };
  struct Shared {
    std::atomic<std::int64_t> now_ms{0};
    std::array<Point, 64> points{};
    std::atomic<bool> has_problem{false};
    std::array<char, 1024> problem{};
  };

  static std::uint32_t tag_of(std::string_view name) {  // FNV-1a; never 0
    std::uint32_t hash = 2166136261U;
    for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
    return hash | 1U;
  }

  std::size_t size_;
  std::size_t entries_;
  Shared* shared_ = nullptr;
  std::atomic<std::int64_t>* states_ = nullptr;
};

}  // namespace scalestyle::crash
