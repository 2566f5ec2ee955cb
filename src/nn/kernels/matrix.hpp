#pragma once
// Shapes the kernels share: views of row-major matrices, and owning buffers in huge pages.
// A view owns nothing; `stride` is the distance between rows in elements.

#include <cstddef>
#include <cstdint>
#include <memory>

namespace scalestyle::nn::kernels {

struct ConstMatrix {
  const float* data = nullptr;
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::size_t stride = 0;

  [[nodiscard]] const float* row(std::size_t index) const { return data + index * stride; }
  [[nodiscard]] ConstMatrix row_block(std::size_t first, std::size_t count) const {
    return {data + first * stride, count, columns, stride};
  }
};

struct Matrix {
  float* data = nullptr;
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::size_t stride = 0;

  [[nodiscard]] float* row(std::size_t index) const { return data + index * stride; }
  [[nodiscard]] Matrix row_block(std::size_t first, std::size_t count) const {
    return {data + first * stride, count, columns, stride};
  }
  operator ConstMatrix() const { return {data, rows, columns, stride}; }  // NOLINT: a read-only view of the same rows
};

// Zero-filled memory, 64-byte aligned, in huge pages: a weight panel crosses a small page every 16 groups of k, and
// the hardware stops reading ahead at each (products were up to a tenth slower). Buffers below 2 MiB
// share huge pages with others made about the same time, and hold them until the last is gone.
// Thread safety: buffers may be made and destroyed on any thread.
// Throws std::bad_alloc, so allocate at start or in a factory, never while computing.
class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  explicit AlignedBuffer(std::size_t size_bytes);
  AlignedBuffer(AlignedBuffer&&) noexcept = default;
  AlignedBuffer& operator=(AlignedBuffer&&) noexcept = default;
  AlignedBuffer(const AlignedBuffer&) = delete;
  AlignedBuffer& operator=(const AlignedBuffer&) = delete;
  ~AlignedBuffer() = default;

  [[nodiscard]] std::byte* data() const { return bytes_.get(); }
  [[nodiscard]] std::size_t size_bytes() const { return size_bytes_; }
  template <class T>
  [[nodiscard]] T* as() const { return static_cast<T*>(static_cast<void*>(bytes_.get())); }

 private:
  std::shared_ptr<std::byte> bytes_;  // keeps the memory it lies in
  std::size_t size_bytes_ = 0;
};

// Rows quantised to unsigned bytes, one scale and zero point a row: value = scale * (byte - zero_point).
// Rows are padded to `stride` bytes (a multiple of 64); the padding may hold anything.
// 15 rows past the end must be readable: tile kernels load whole groups of 16. QuantizedRows guarantees it.
struct QuantizedView {
  const std::uint8_t* values = nullptr;
  const float* scales = nullptr;
  const std::int32_t* zero_points = nullptr;
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::size_t stride = 0;

  [[nodiscard]] QuantizedView row_block(std::size_t first, std::size_t count) const {
    return {values + first * stride, scales + first, zero_points + first, count, columns, stride};
  }
};

// Owner of quantised rows; allocates once, then takes any shape up to its capacity.
class QuantizedRows {
 public:
  QuantizedRows(std::size_t max_rows, std::size_t max_columns);

  // Contents become unspecified. Asserts rows and columns against the capacity.
  void reshape(std::size_t rows, std::size_t columns);

  [[nodiscard]] std::size_t rows() const { return rows_; }
  [[nodiscard]] std::size_t columns() const { return columns_; }
  [[nodiscard]] std::size_t stride() const { return stride_; }
  [[nodiscard]] std::uint8_t* values() { return values_.as<std::uint8_t>(); }
  [[nodiscard]] float* scales() { return scales_.as<float>(); }
  [[nodiscard]] std::int32_t* zero_points() { return zero_points_.as<std::int32_t>(); }
  [[nodiscard]] QuantizedView view() const {
    return {values_.as<std::uint8_t>(), scales_.as<float>(), zero_points_.as<std::int32_t>(), rows_, columns_, stride_};
  }

 private:
  std::size_t max_rows_ = 0;
  std::size_t max_columns_ = 0;
  std::size_t rows_ = 0;
  std::size_t columns_ = 0;
  std::size_t stride_ = 0;
  AlignedBuffer values_;
  AlignedBuffer scales_;
  AlignedBuffer zero_points_;
};

// Rows rounded to bf16 (the upper half of an f32), padded with zeros to `stride` elements (a multiple of 32).
// As above, 15 rows past the end must be readable.
struct Bf16View {
  const std::uint16_t* values = nullptr;
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::size_t stride = 0;

  [[nodiscard]] Bf16View row_block(std::size_t first, std::size_t count) const {
    return {values + first * stride, count, columns, stride};
  }
};

class Bf16Rows {
 public:
  Bf16Rows(std::size_t max_rows, std::size_t max_columns);

  void reshape(std::size_t rows, std::size_t columns);  // as QuantizedRows::reshape

  [[nodiscard]] std::size_t rows() const { return rows_; }
  [[nodiscard]] std::size_t columns() const { return columns_; }
  [[nodiscard]] std::size_t stride() const { return stride_; }
  [[nodiscard]] std::uint16_t* values() { return values_.as<std::uint16_t>(); }
  [[nodiscard]] Bf16View view() const { return {values_.as<std::uint16_t>(), rows_, columns_, stride_}; }

 private:
  std::size_t max_rows_ = 0;
  std::size_t max_columns_ = 0;
  std::size_t rows_ = 0;
  std::size_t columns_ = 0;
  std::size_t stride_ = 0;
  AlignedBuffer values_;
};

}  // namespace scalestyle::nn::kernels
