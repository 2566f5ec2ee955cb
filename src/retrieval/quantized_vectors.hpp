#pragma once
// The two forms of a collection of document vectors: exact f32 rows, and an int8 form of them with proven error bounds.
//
// The int8 form of row v is v ≈ projection · mean + scale · codes. Text encoders give all texts a large common
// component; taking each row's share of the collection's mean out first leaves little to be quantised, and the share
// itself costs a scan one product. Each row carries an upper bound of its own error's Euclidean norm, so that a scan can
// prove that it missed nothing (Cauchy–Schwarz), see retrieval/vector_scan.hpp.
//
// Both forms are plain views of bytes, normally of a mapped file; bytes and layout: docs/formats/vectors.md. The views
// do not own the bytes. The int8 form is a pure function of the f32 values: same rows, same bytes.
// Thread safety: views are immutable.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace scalestyle::retrieval {

inline constexpr std::size_t kMaxVectorDimension = 8192;
inline constexpr std::size_t kCodeAlignmentBytes = 64;  // rows of codes are padded with zeros to a multiple of this

// [rows, dimension] f32, row-major, no padding.
struct ExactVectors {
  std::size_t rows = 0;
  std::size_t dimension = 0;
  std::span<const float> values;

  [[nodiscard]] std::span<const float> row(std::size_t index) const {
    return values.subspan(index * dimension, dimension);
  }
};

// Row i is projections[i] · mean + scales[i] · codes[i], off by a vector no longer than errors[i]; norms[i] bounds
// |scales[i] · codes[i]|. What is added to projections[i] · mean is orthogonal to mean, up to the rounding of f32.
struct QuantizedVectors {
  std::size_t rows = 0;
  std::size_t dimension = 0;
  std::size_t stride = 0;               // dimension rounded up to kCodeAlignmentBytes; the padding codes are 0
  std::span<const std::int8_t> codes;   // [rows, stride], each in −127 … 127
  std::span<const float> scales;        // [rows], ≥ 0
  std::span<const float> errors;        // [rows], ≥ 0
  std::span<const float> norms;         // [rows], ≥ 0
  std::span<const float> projections;   // [rows]
  std::span<const float> mean;          // [dimension]
  float largest_error = 0;              // of errors
  float largest_norm = 0;               // of norms
  float largest_projection = 0;         // in magnitude
  double mean_norm = 0;                 // |mean|

  [[nodiscard]] const std::int8_t* row(std::size_t index) const { return codes.data() + index * stride; }
};

// kHeader reads the header and, for the int8 form, the per-row figures; kFull also reads all bytes (checksum, finite
// values, padding), which touches every page of a mapped file.
enum class VectorCheck : std::uint8_t { kHeader, kFull };

// Open the bytes of vectors.f32 / vectors.i8. `name` (the file's path) appears in errors. `bytes` must outlive the view
// and start at a multiple of 4. Errors: kDataLoss (wrong magic, truncated, trailing bytes, counts that do not fit,
// checksum, figures that are not finite or negative), kUnsupported (a newer version), kInvalidArgument (alignment).
[[nodiscard]] core::Result<ExactVectors> open_exact_vectors(std::span<const std::byte> bytes, std::string_view name,
                                                            VectorCheck check);
[[nodiscard]] core::Result<QuantizedVectors> open_quantized_vectors(std::span<const std::byte> bytes,
                                                                    std::string_view name, VectorCheck check);

// The whole file in memory. Errors: kInvalidArgument naming the row that has a value that is not finite or is larger
// than 1e6 in magnitude, or a size that is not rows × dimension.
[[nodiscard]] core::Result<std::vector<std::byte>> encode_exact_vectors(const ExactVectors& vectors);
[[nodiscard]] core::Result<std::vector<std::byte>> encode_quantized_vectors(const ExactVectors& vectors);

// The same, written to `path` atomically (core/files.hpp). Errors as above, and those of the file system with the path.
[[nodiscard]] core::Status write_exact_vectors(const std::filesystem::path& path, const ExactVectors& vectors);
[[nodiscard]] core::Status write_quantized_vectors(const std::filesystem::path& path, const ExactVectors& vectors);

}  // namespace scalestyle::retrieval
