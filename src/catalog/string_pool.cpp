#include "catalog/string_pool.hpp"

#include <functional>

namespace scalestyle::catalog {

std::uint32_t StringPool::intern(std::string_view value) {
  if (slots_.size() < 2 * (size() + 1)) grow();
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t slot = std::hash<std::string_view>{}(value)&mask;; slot = (slot + 1) & mask) {
    if (slots_[slot] == 0) {
      const auto code = static_cast<std::uint32_t>(size());
      arena_ += value;
      offsets_.push_back(arena_.size());
      slots_[slot] = code + 1;
      return code;
    }
    if ((*this)[slots_[slot] - 1] == value) return slots_[slot] - 1;
  }
}

void StringPool::grow() {
  std::vector<std::uint32_t> slots(slots_.empty() ? 16 : 2 * slots_.size());
  const std::size_t mask = slots.size() - 1;
  for (std::uint32_t code = 0; code < size(); ++code) {
    std::size_t slot = std::hash<std::string_view>{}((*this)[code]) & mask;
    while (slots[slot] != 0) slot = (slot + 1) & mask;
    slots[slot] = code + 1;
  }
  slots_ = std::move(slots);
}

void StringPool::freeze() {
  slots_ = {};
  arena_.shrink_to_fit();
  offsets_.shrink_to_fit();
}

std::size_t StringPool::memory_bytes() const {
  return arena_.capacity() + offsets_.capacity() * sizeof(offsets_[0]) + slots_.capacity() * sizeof(slots_[0]);
}

}  // namespace scalestyle::catalog
