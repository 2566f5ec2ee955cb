#include "growth/made_up_vectors.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <random>
#include <span>
#include <string_view>
#include <vector>

#include "core/files.hpp"

namespace scalestyle::bench {
namespace {

constexpr std::size_t kBlockRows = 4096;
constexpr std::size_t kRowBytes = kMadeUpDimension * sizeof(float);

struct Header {  // docs/formats/vectors.md
  char magic[8] = {'S', 'S', 'V', 'E', 'C', 'F', '3', '2'};
  std::uint32_t version = 1;
  std::uint32_t dimension = kMadeUpDimension;
  std::uint64_t rows = 0;
  std::uint64_t payload_bytes = 0;
  std::uint32_t payload_crc32 = 0;
  std::uint32_t header_crc32 = 0;
  std::uint8_t reserved[24] = {};
};
static_assert(sizeof(Header) == 64);

std::uint32_t crc32_on(std::uint32_t crc, std::span<const std::byte> bytes) {
  return static_cast<std::uint32_t>(crc32_z(crc, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

std::uint32_t checksum_of(Header header) {
  header.header_crc32 = 0;
  return crc32_on(0, std::as_bytes(std::span(&header, 1)));
}

// Closes what it holds.
class File {
 public:
  explicit File(std::filesystem::path path) : path_(std::move(path)) {
    descriptor_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  }
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  [[nodiscard]] bool is_open() const { return descriptor_ >= 0; }
  [[nodiscard]] std::unexpected<core::Error> failure(std::string_view action) const {
    return std::unexpected(core::system_error(action, path_, errno));
  }
  [[nodiscard]] core::Status write(std::span<const std::byte> bytes, std::uint64_t at) const {
    while (!bytes.empty()) {
      const ::ssize_t written = ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<::off_t>(at));
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return failure("write");
      bytes = bytes.subspan(static_cast<std::size_t>(written));
      at += static_cast<std::uint64_t>(written);
    }
    return {};
  }
  // False: an empty or a shorter file.
  [[nodiscard]] bool read_header(Header& header) const {
    return ::pread(descriptor_, &header, sizeof header, 0) == static_cast<::ssize_t>(sizeof header);
  }
  [[nodiscard]] core::Status cut(std::uint64_t size) const {
    return ::ftruncate(descriptor_, static_cast<::off_t>(size)) == 0 ? core::Status() : failure("truncate");
  }

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
};

std::vector<float> make_centres() {
  std::mt19937 random(1);
  std::normal_distribution<float> normal(0.0F, 1.0F);
  std::array<float, kMadeUpDimension> common{};
  for (float& value : common) value = normal(random);
  std::vector<float> centres(kMadeUpCentres * kMadeUpDimension);
  for (std::size_t i = 0; i < centres.size(); ++i) centres[i] = common[i % kMadeUpDimension] + 0.55F * normal(random);
  return centres;
}

// SplitMix64 (Steele, Lea, Flood 2014): a few instructions a number, which billions of them need.
std::uint64_t next(std::uint64_t& state) {
  std::uint64_t z = state += 0x9e3779b97f4a7c15U;
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31U);
}

// Noise is even within ±√3 · 0.45: over hundreds of dimensions its sums are as a normal distribution's of deviation 0.45.
void fill_row(std::size_t row, const std::vector<float>& centres, std::span<float> values) {
  constexpr float kStep = 0.45F * 1.7320508F / 32768.0F;
  std::uint64_t state = row * 0x2545f4914f6cdd1dU;
  const float* centre = centres.data() + next(state) % kMadeUpCentres * kMadeUpDimension;
  double sum = 0;
  for (std::size_t j = 0; j < values.size(); j += 4) {
    std::uint64_t bits = next(state);
    for (std::size_t lane = 0; lane < 4; ++lane, bits >>= 16U) {
      values[j + lane] = centre[j + lane] + kStep * static_cast<float>(static_cast<std::int16_t>(bits & 0xffffU));
      sum += static_cast<double>(values[j + lane]) * static_cast<double>(values[j + lane]);
    }
  }
  const auto scale = static_cast<float>(1.0 / std::sqrt(sum));
  for (float& value : values) value *= scale;
}
static_assert(kMadeUpDimension % 4 == 0);

core::Status append_rows(const File& file, Header& header, std::size_t rows) {
  const std::vector<float> centres = make_centres();
  std::vector<float> block(kBlockRows * kMadeUpDimension);
  while (header.rows < rows) {
    const std::size_t count = std::min<std::size_t>(kBlockRows, rows - header.rows);
    for (std::size_t i = 0; i < count; ++i) {
      fill_row(header.rows + i, centres, std::span(block).subspan(i * kMadeUpDimension, kMadeUpDimension));
    }
    const auto bytes = std::as_bytes(std::span(block).first(count * kMadeUpDimension));
    CORE_CHECK(file.write(bytes, sizeof(Header) + header.payload_bytes));
    header.payload_crc32 = crc32_on(header.payload_crc32, bytes);
    header.rows += count;
    header.payload_bytes += bytes.size();
  }
  header.header_crc32 = checksum_of(header);
  return file.write(std::as_bytes(std::span(&header, 1)), 0);
}

}  // namespace

core::Status make_up_vectors(const std::filesystem::path& path, std::size_t rows) {
  if (rows < 1 || rows > kMostMadeUpRows) {
    return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("{} rows are not in 1 … {}", rows, kMostMadeUpRows));
  }
  const File file(path);
  if (!file.is_open()) return file.failure("open");
  Header header;
  if (file.read_header(header)) {
    const Header expected;
    const bool ours = std::memcmp(header.magic, expected.magic, sizeof header.magic) == 0 && header.version == expected.version &&
                      header.dimension == kMadeUpDimension && header.payload_bytes == header.rows * kRowBytes &&
                      header.header_crc32 == checksum_of(header);
    if (!ours) return core::fail(core::ErrorCode::kDataLoss, fmt::format("{} is no file of made-up vectors: remove it", path.string()));
  } else {
    header = {};
  }
  if (header.rows >= rows) return {};
  CORE_CHECK(file.cut(sizeof(Header) + header.payload_bytes));
  return append_rows(file, header, rows);
}

}  // namespace scalestyle::bench
