#pragma once
// Distinct strings in one arena, each named by a dense code. Append-only, then immutable.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace scalestyle::catalog {

class StringPool {
 public:
  // The code of `value`, added when it is new. Codes count up from 0 in order of first use.
  std::uint32_t intern(std::string_view value);

  [[nodiscard]] std::string_view operator[](std::uint32_t code) const {
    return std::string_view(arena_).substr(offsets_[code], offsets_[code + 1] - offsets_[code]);
  }
  [[nodiscard]] std::size_t size() const { return offsets_.size() - 1; }

  // Gives back what only intern() needs; a later intern() would not find earlier strings, so there must be none.
  void freeze();

  [[nodiscard]] std::size_t memory_bytes() const;

 private:
  void grow();

  std::string arena_;
  std::vector<std::size_t> offsets_{0};
  std::vector<std::uint32_t> slots_;  // open addressing; code + 1, 0 is free; size is a power of two
};

}  // namespace scalestyle::catalog
