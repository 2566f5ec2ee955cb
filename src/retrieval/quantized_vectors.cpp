#include "retrieval/quantized_vectors.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "core/files.hpp"

namespace scalestyle::retrieval {
namespace {

static_assert(std::endian::native == std::endian::little, "the files are little-endian and mapped as they are");

constexpr std::uint32_t kFormatVersion = 1;
constexpr std::size_t kSectionAlignment = 64;
constexpr float kMaxMagnitude = 1e6F;
constexpr float kMaxFigure = 1e12F;
constexpr std::string_view kExactMagic = "SSVECF32";
constexpr std::string_view kQuantizedMagic = "SSVECI08";

// The 64 bytes at the start of both files; docs/formats/vectors.md.
struct Header {
  char magic[8];
  std::uint32_t version;
  std::uint32_t dimension;
  std::uint64_t rows;
  std::uint64_t payload_bytes;
  std::uint32_t payload_crc32;
  std::uint32_t header_crc32;  // of the header with this field 0
  std::uint8_t reserved[24];   // 0
};
static_assert(sizeof(Header) == kSectionAlignment);

constexpr std::size_t round_up(std::size_t value, std::size_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

std::uint32_t crc32_of(std::span<const std::byte> bytes) {
  const uLong start = crc32_z(0, nullptr, 0);
  return static_cast<std::uint32_t>(crc32_z(start, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

std::uint32_t header_checksum(Header header) {
  header.header_crc32 = 0;
  return crc32_of(std::as_bytes(std::span(&header, 1)));
}

// Where the parts of vectors.i8 lie, from the start of the payload.
struct QuantizedLayout {
  std::size_t stride, codes, scales, errors, norms, projections, mean, payload_bytes;
};

QuantizedLayout layout_of(std::size_t rows, std::size_t dimension) {
  QuantizedLayout layout{};
  const std::size_t column_bytes = round_up(rows * sizeof(float), kSectionAlignment);
  layout.stride = round_up(dimension, kCodeAlignmentBytes);
  layout.codes = 0;
  layout.scales = rows * layout.stride;
  layout.errors = layout.scales + column_bytes;
  layout.norms = layout.errors + column_bytes;
  layout.projections = layout.norms + column_bytes;
  layout.mean = layout.projections + column_bytes;
  layout.payload_bytes = layout.mean + round_up(dimension * sizeof(float), kSectionAlignment);
  return layout;
}

std::unexpected<core::Error> damaged(std::string_view name, std::string_view what) {
  return core::fail(core::ErrorCode::kDataLoss, fmt::format("{}: {}; the file is damaged, ingest again", name, what));
}

// Header, then the payload as a span of exactly payload_bytes.
struct Opened {
  Header header;
  std::span<const std::byte> payload;
};

core::Result<Opened> open_file(std::span<const std::byte> bytes, std::string_view name, std::string_view magic) {
  if (reinterpret_cast<std::uintptr_t>(bytes.data()) % alignof(float) != 0) {
    return core::fail(core::ErrorCode::kInvalidArgument,
                      fmt::format("{}: the bytes do not start at a multiple of {}", name, alignof(float)));
  }
  Opened opened{};
  if (bytes.size() < sizeof(Header)) {
    return damaged(name, fmt::format("{} bytes, but the header alone has {}", bytes.size(), sizeof(Header)));
  }
  std::memcpy(&opened.header, bytes.data(), sizeof(Header));
  const Header& header = opened.header;
  if (std::string_view(header.magic, sizeof header.magic) != magic) {
    return damaged(name, fmt::format("does not begin with {}", magic));
  }
  if (header.version != kFormatVersion) {
    return core::fail(core::ErrorCode::kUnsupported, fmt::format("{}: format version {}, this program reads version {}",
                                                                 name, header.version, kFormatVersion));
  }
  if (header_checksum(header) != header.header_crc32) return damaged(name, "the header's checksum is wrong");
  if (header.dimension == 0 || header.dimension > kMaxVectorDimension) {
    return damaged(name, fmt::format("dimension {} is not in 1 … {}", header.dimension, kMaxVectorDimension));
  }
  if (header.rows > std::numeric_limits<std::uint32_t>::max()) {
    return damaged(name, fmt::format("{} rows are more than 2^32 − 1", header.rows));
  }
  opened.payload = bytes.subspan(sizeof(Header));
  if (header.payload_bytes != opened.payload.size()) {
    return damaged(name, fmt::format("{} bytes after the header, {} expected", opened.payload.size(),
                                     header.payload_bytes));
  }
  return opened;
}

core::Status check_payload(const Opened& opened, std::string_view name, std::size_t expected_bytes, VectorCheck check) {
  if (opened.payload.size() != expected_bytes) {
    return damaged(name, fmt::format("{} rows of dimension {} take {} bytes, the file has {}", opened.header.rows,
                                     opened.header.dimension, expected_bytes, opened.payload.size()));
  }
  if (check == VectorCheck::kFull && crc32_of(opened.payload) != opened.header.payload_crc32) {
    return damaged(name, "the checksum of the data is wrong");
  }
  return {};
}

std::span<const float> floats_at(std::span<const std::byte> payload, std::size_t offset, std::size_t count) {
  return {reinterpret_cast<const float*>(payload.data() + offset), count};
}

core::Status check_figures(std::span<const float> values, std::string_view name, std::string_view what) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!(values[i] >= 0.0F && values[i] <= kMaxFigure)) {
      return damaged(name, fmt::format("{} of row {} is {}", what, i, values[i]));
    }
  }
  return {};
}

bool is_storable(float value) { return std::abs(value) <= kMaxMagnitude; }  // false for NaN

core::Status check_storable(const ExactVectors& vectors) {
  if (vectors.dimension == 0 || vectors.dimension > kMaxVectorDimension) {
    return core::fail(core::ErrorCode::kInvalidArgument,
                      fmt::format("vector dimension {} is not in 1 … {}", vectors.dimension, kMaxVectorDimension));
  }
  if (vectors.rows > std::numeric_limits<std::uint32_t>::max() ||
      vectors.values.size() != vectors.rows * vectors.dimension) {
    return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("{} values are not {} rows of dimension {}",
                                                                     vectors.values.size(), vectors.rows,
                                                                     vectors.dimension));
  }
  const auto bad = std::ranges::find_if_not(vectors.values, is_storable);
  if (bad == vectors.values.end()) return {};
  const auto index = static_cast<std::size_t>(bad - vectors.values.begin());
  return core::fail(core::ErrorCode::kInvalidArgument,
                    fmt::format("vector of row {} has the value {} at position {}", index / vectors.dimension, *bad,
                                index % vectors.dimension));
}

void write_header(std::span<std::byte> file, std::string_view magic, const ExactVectors& vectors) {
  Header header{};
  std::memcpy(header.magic, magic.data(), sizeof header.magic);
  header.version = kFormatVersion;
  header.dimension = static_cast<std::uint32_t>(vectors.dimension);
  header.rows = vectors.rows;
  header.payload_bytes = file.size() - sizeof(Header);
  header.payload_crc32 = crc32_of(file.subspan(sizeof(Header)));
  header.header_crc32 = header_checksum(header);
  std::memcpy(file.data(), &header, sizeof header);
}

std::vector<float> mean_of(const ExactVectors& vectors) {
  std::vector<double> sums(vectors.dimension, 0.0);
  for (std::size_t row = 0; row < vectors.rows; ++row) {
    const auto values = vectors.row(row);
    for (std::size_t j = 0; j < values.size(); ++j) sums[j] += static_cast<double>(values[j]);
  }
  std::vector<float> mean(vectors.dimension, 0.0F);
  for (std::size_t j = 0; j < mean.size() && vectors.rows > 0; ++j) {
    mean[j] = static_cast<float>(sums[j] / static_cast<double>(vectors.rows));
  }
  return mean;
}

// The least float that is surely not below a norm computed in double with rounding errors of its own.
float rounded_up(double norm) {
  const auto nearest = static_cast<float>(norm * (1.0 + 1e-9));
  return norm == 0.0 ? 0.0F : std::nextafter(nearest, std::numeric_limits<float>::infinity());
}

struct RowFigures {
  float scale, error, norm, projection;
};

double product_of(std::span<const float> a, std::span<const float> b) {
  double sum = 0.0;
  for (std::size_t j = 0; j < a.size(); ++j) sum += static_cast<double>(a[j]) * static_cast<double>(b[j]);
  return sum;
}

// `codes` has room for one row and is zero. Everything is elementwise or summed in order: equal on every processor.
RowFigures quantize_row(std::span<const float> values, std::span<const float> mean, double mean_square,
                        std::span<std::int8_t> codes) {
  const auto projection = static_cast<float>(mean_square > 0.0 ? product_of(values, mean) / mean_square : 0.0);
  const auto residual = [&](std::size_t j) {
    return static_cast<double>(values[j]) - static_cast<double>(projection) * static_cast<double>(mean[j]);
  };
  double largest = 0.0;
  for (std::size_t j = 0; j < values.size(); ++j) largest = std::max(largest, std::abs(residual(j)));
  const auto scale = static_cast<float>(largest / 127.0);
  double error = 0.0;
  double norm = 0.0;
  for (std::size_t j = 0; j < values.size(); ++j) {
    const double code =
        scale > 0.0F ? std::clamp(std::nearbyint(residual(j) / static_cast<double>(scale)), -127.0, 127.0) : 0.0;
    codes[j] = static_cast<std::int8_t>(code);
    const double kept = code * static_cast<double>(scale);
    error += (residual(j) - kept) * (residual(j) - kept);
    norm += kept * kept;
  }
  return {scale, rounded_up(std::sqrt(error)), rounded_up(std::sqrt(norm)), projection};
}

core::Status write_file(const std::filesystem::path& path, const core::Result<std::vector<std::byte>>& file) {
  if (!file) return std::unexpected(file.error());
  return core::write_file_atomically(path, {reinterpret_cast<const char*>(file->data()), file->size()});
}

}  // namespace

core::Result<ExactVectors> open_exact_vectors(std::span<const std::byte> bytes, std::string_view name,
                                              VectorCheck check) {
  CORE_TRY(const Opened opened, open_file(bytes, name, kExactMagic));
  ExactVectors vectors;
  vectors.rows = opened.header.rows;
  vectors.dimension = opened.header.dimension;
  CORE_CHECK(check_payload(opened, name, vectors.rows * vectors.dimension * sizeof(float), check));
  vectors.values = floats_at(opened.payload, 0, vectors.rows * vectors.dimension);
  if (check == VectorCheck::kFull) {
    if (auto storable = check_storable(vectors); !storable) return damaged(name, storable.error().message);
  }
  return vectors;
}

core::Result<QuantizedVectors> open_quantized_vectors(std::span<const std::byte> bytes, std::string_view name,
                                                      VectorCheck check) {
  CORE_TRY(const Opened opened, open_file(bytes, name, kQuantizedMagic));
  QuantizedVectors vectors;
  vectors.rows = opened.header.rows;
  vectors.dimension = opened.header.dimension;
  const QuantizedLayout layout = layout_of(vectors.rows, vectors.dimension);
  CORE_CHECK(check_payload(opened, name, layout.payload_bytes, check));
  vectors.stride = layout.stride;
  vectors.codes = {reinterpret_cast<const std::int8_t*>(opened.payload.data()), vectors.rows * layout.stride};
  vectors.scales = floats_at(opened.payload, layout.scales, vectors.rows);
  vectors.errors = floats_at(opened.payload, layout.errors, vectors.rows);
  vectors.norms = floats_at(opened.payload, layout.norms, vectors.rows);
  vectors.projections = floats_at(opened.payload, layout.projections, vectors.rows);
  vectors.mean = floats_at(opened.payload, layout.mean, vectors.dimension);
  // Bounds that are not numbers would silently lose rows, so these are read even when the codes are not.
  CORE_CHECK(check_figures(vectors.scales, name, "the scale"));
  CORE_CHECK(check_figures(vectors.errors, name, "the error bound"));
  CORE_CHECK(check_figures(vectors.norms, name, "the norm bound"));
  if (!std::ranges::all_of(vectors.mean, is_storable)) return damaged(name, "the mean vector has a value out of range");
  for (std::size_t row = 0; row < vectors.rows; ++row) {
    const float projection = std::abs(vectors.projections[row]);
    if (!(projection <= kMaxFigure)) return damaged(name, fmt::format("the projection of row {} is out of range", row));
    vectors.largest_error = std::max(vectors.largest_error, vectors.errors[row]);
    vectors.largest_norm = std::max(vectors.largest_norm, vectors.norms[row]);
    vectors.largest_projection = std::max(vectors.largest_projection, projection);
  }
  vectors.mean_norm = std::sqrt(product_of(vectors.mean, vectors.mean));
  if (check == VectorCheck::kFull) {
    for (std::size_t row = 0; row < vectors.rows; ++row) {
      const std::span<const std::int8_t> codes(vectors.row(row), vectors.stride);
      const bool padded = std::ranges::all_of(codes.subspan(vectors.dimension), [](std::int8_t c) { return c == 0; });
      if (!padded || std::ranges::find(codes, std::int8_t{-128}) != codes.end()) {
        return damaged(name, fmt::format("row {} has a code that the format does not allow", row));
      }
    }
  }
  return vectors;
}

core::Result<std::vector<std::byte>> encode_exact_vectors(const ExactVectors& vectors) {
  CORE_CHECK(check_storable(vectors));
  std::vector<std::byte> file(sizeof(Header) + vectors.values.size_bytes());
  std::ranges::copy(std::as_bytes(vectors.values), file.begin() + sizeof(Header));
  write_header(file, kExactMagic, vectors);
  return file;
}

core::Result<std::vector<std::byte>> encode_quantized_vectors(const ExactVectors& vectors) {
  CORE_CHECK(check_storable(vectors));
  const QuantizedLayout layout = layout_of(vectors.rows, vectors.dimension);
  std::vector<std::byte> file(sizeof(Header) + layout.payload_bytes);
  std::byte* payload = file.data() + sizeof(Header);
  const auto column = [payload](std::size_t offset) { return reinterpret_cast<float*>(payload + offset); };
  const std::vector<float> mean = mean_of(vectors);
  const double mean_square = product_of(mean, mean);
  std::ranges::copy(mean, column(layout.mean));
  for (std::size_t row = 0; row < vectors.rows; ++row) {
    const std::span codes(reinterpret_cast<std::int8_t*>(payload + row * layout.stride), vectors.dimension);
    const RowFigures figures = quantize_row(vectors.row(row), mean, mean_square, codes);
    column(layout.scales)[row] = figures.scale;
    column(layout.errors)[row] = figures.error;
    column(layout.norms)[row] = figures.norm;
    column(layout.projections)[row] = figures.projection;
  }
  write_header(file, kQuantizedMagic, vectors);
  return file;
}

core::Status write_exact_vectors(const std::filesystem::path& path, const ExactVectors& vectors) {
  return write_file(path, encode_exact_vectors(vectors));
}

core::Status write_quantized_vectors(const std::filesystem::path& path, const ExactVectors& vectors) {
  return write_file(path, encode_quantized_vectors(vectors));
}

}  // namespace scalestyle::retrieval
