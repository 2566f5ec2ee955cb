#include "nn/kernels/matrix.hpp"

#include <sys/mman.h>

#include <cassert>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>

namespace scalestyle::nn::kernels {
namespace {

constexpr std::size_t kHugePageBytes = 2U * 1024 * 1024;
constexpr std::size_t kPaddingRows = 15;

std::size_t round_up(std::size_t value, std::size_t multiple) { return (value + multiple - 1) / multiple * multiple; }

using Memory = std::shared_ptr<std::byte>;

// size_bytes is a multiple of kHugePageBytes.
Memory allocate_huge(std::size_t size_bytes) {
  void* memory = std::aligned_alloc(kHugePageBytes, size_bytes);
  if (memory == nullptr) throw std::bad_alloc();
#if defined(MADV_HUGEPAGE)
  // Advice only: without huge pages everything works, more slowly.
  static_cast<void>(madvise(memory, size_bytes, MADV_HUGEPAGE));
#endif
  std::memset(memory, 0, size_bytes);
  return {static_cast<std::byte*>(memory), [](std::byte* bytes) { std::free(bytes); }};
}

// Hands out pieces of a huge page in order; a piece is never reused, its page goes when all its pieces have gone.
class SharedPages {
 public:
  Memory take(std::size_t size_bytes) {
    const std::size_t needed = round_up(size_bytes, 64);
    const std::lock_guard lock(mutex_);
    if (page_ == nullptr || kHugePageBytes - used_ < needed) {
      page_ = allocate_huge(kHugePageBytes);
      used_ = 0;
    }
    const Memory piece(page_, page_.get() + used_);
    used_ += needed;
    return piece;
  }

 private:
  std::mutex mutex_;
  Memory page_;
  std::size_t used_ = 0;
};

}  // namespace

AlignedBuffer::AlignedBuffer(std::size_t size_bytes) : size_bytes_(size_bytes) {
  static SharedPages shared_pages;
  if (size_bytes < kHugePageBytes) {
    bytes_ = shared_pages.take(size_bytes == 0 ? 1 : size_bytes);
  } else {
    bytes_ = allocate_huge(round_up(size_bytes, kHugePageBytes));
  }
}

QuantizedRows::QuantizedRows(std::size_t max_rows, std::size_t max_columns)
    : max_rows_(max_rows),
      max_columns_(max_columns),
      values_((max_rows + kPaddingRows) * round_up(max_columns, 64)),
      scales_(max_rows * sizeof(float)),
      zero_points_(max_rows * sizeof(std::int32_t)) {}

void QuantizedRows::reshape(std::size_t rows, std::size_t columns) {
  assert(rows <= max_rows_ && columns <= max_columns_);
  rows_ = rows;
  columns_ = columns;
  stride_ = round_up(columns, 64);
}

Bf16Rows::Bf16Rows(std::size_t max_rows, std::size_t max_columns)
    : max_rows_(max_rows),
      max_columns_(max_columns),
      values_((max_rows + kPaddingRows) * round_up(max_columns, 32) * sizeof(std::uint16_t)) {}

void Bf16Rows::reshape(std::size_t rows, std::size_t columns) {
  assert(rows <= max_rows_ && columns <= max_columns_);
  rows_ = rows;
  columns_ = columns;
  stride_ = round_up(columns, 32);
}

}  // namespace scalestyle::nn::kernels
