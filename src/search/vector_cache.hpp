#pragma once
// VectorCache: vectors by what they were made from, bounded by bytes; what was not used for longest goes first.
//
// Thread safety: every method may be called from any thread.

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace scalestyle::search {

class VectorCache {
 public:
  using Vector = std::shared_ptr<const std::vector<float>>;

  struct Statistics {
    std::uint64_t hits = 0;
    std::uint64_t misses = 0;
    std::uint64_t evictions = 0;
    std::size_t entries = 0;
    std::size_t bytes = 0;
    std::size_t max_bytes = 0;
  };

  // 0 bytes keep nothing.
  explicit VectorCache(std::size_t max_bytes) : max_bytes_(max_bytes) {}
  VectorCache(const VectorCache&) = delete;
  VectorCache& operator=(const VectorCache&) = delete;

  // Null when it is not there. Counts a hit or a miss.
  [[nodiscard]] Vector find(std::string_view key);
  // The same without counting.
  [[nodiscard]] Vector peek(std::string_view key) const;

  // `vector` is not null. A vector that is larger than the whole cache is not kept.
  void put(std::string_view key, Vector vector);

  [[nodiscard]] Statistics statistics() const;

 private:
  struct Entry {
    std::string key;
    Vector vector;
    std::size_t bytes = 0;
  };
  using Entries = std::list<Entry>;

  const std::size_t max_bytes_;
  mutable std::mutex mutex_;
  Entries entries_;  // most recently used first; guarded by mutex_, as all below
  std::unordered_map<std::string_view, Entries::iterator> places_;  // keys are those of the entries
  std::size_t bytes_ = 0;
  std::uint64_t hits_ = 0;
  std::uint64_t misses_ = 0;
  std::uint64_t evictions_ = 0;
};

}  // namespace scalestyle::search
