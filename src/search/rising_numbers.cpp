#include "search/rising_numbers.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>

namespace scalestyle::search {

namespace {

constexpr unsigned kMaxParameter = 31;

core::Error damaged() { return core::fail(core::ErrorCode::kInvalidArgument, "the bytes are damaged").error(); }

void write_varint(std::uint32_t value, std::string& bytes) {
  for (; value >= 0x80; value >>= 7) bytes.push_back(static_cast<char>(0x80 | (value & 0x7F)));
  bytes.push_back(static_cast<char>(value));
}

class BitWriter {
 public:
  explicit BitWriter(std::string& bytes) : bytes_(bytes) {}
  void put(bool bit) {
    if (used_ == 0) bytes_.push_back('\0');
    if (bit) bytes_.back() = static_cast<char>(static_cast<unsigned char>(bytes_.back()) | (1U << used_));
    used_ = (used_ + 1) % 8;
  }

 private:
  std::string& bytes_;
  unsigned used_ = 0;  // bits of the last byte
};

class BitReader {
 public:
  explicit BitReader(std::string_view bytes) : bytes_(bytes) {}
  [[nodiscard]] bool at_end() const { return at_ == bytes_.size() * 8; }
  [[nodiscard]] bool take() {
    const unsigned byte = static_cast<unsigned char>(bytes_[at_ / 8]);
    const bool bit = ((byte >> (at_ % 8)) & 1U) != 0;
    ++at_;
    return bit;
  }
  // Nothing but zeros of the last byte is left.
  [[nodiscard]] bool is_done() {
    if (bytes_.size() * 8 - at_ >= 8) return false;
    while (!at_end()) {
      if (take()) return false;
    }
    return true;
  }

 private:
  std::string_view bytes_;
  std::size_t at_ = 0;
};

// How far the low bits of gaps of this mean reach.
unsigned parameter_for(std::span<const std::uint32_t> numbers) {
  if (numbers.empty()) return 0;
  const std::uint64_t mean = (std::uint64_t{numbers.back()} + 1) / numbers.size();
  return std::min<unsigned>(mean == 0 ? 0 : static_cast<unsigned>(std::bit_width(mean)) - 1, kMaxParameter);
}

core::Result<std::uint32_t> read_varint(std::string_view& bytes) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 35 && !bytes.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    value |= std::uint64_t{byte & 0x7FU} << shift;
    if ((byte & 0x80U) != 0) continue;
    if (value > std::numeric_limits<std::uint32_t>::max()) break;
    return static_cast<std::uint32_t>(value);
  }
  return std::unexpected(damaged());
}

// The next gap of at most `bound`.
core::Result<std::uint64_t> read_gap(BitReader& bits, unsigned parameter, std::uint64_t bound) {
  std::uint64_t gap = 0;
  for (;;) {
    if (bits.at_end()) return std::unexpected(damaged());
    if (!bits.take()) break;
    gap += std::uint64_t{1} << parameter;
    if (gap > bound) return std::unexpected(damaged());
  }
  for (unsigned bit = 0; bit < parameter; ++bit) {
    if (bits.at_end()) return std::unexpected(damaged());
    if (bits.take()) gap += std::uint64_t{1} << bit;
  }
  if (gap > bound) return std::unexpected(damaged());
  return gap;
}

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::array<std::int8_t, 256> make_values() {
  std::array<std::int8_t, 256> values{};
  values.fill(-1);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) values[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::int8_t>(i);
  return values;
}
constexpr auto kValues = make_values();

}  // namespace

void write_rising(std::span<const std::uint32_t> numbers, std::string& bytes) {
  const unsigned parameter = parameter_for(numbers);
  write_varint(static_cast<std::uint32_t>(numbers.size()), bytes);
  bytes.push_back(static_cast<char>(parameter));
  BitWriter bits(bytes);
  std::uint64_t next = 0;  // the least that the number may be
  for (const std::uint32_t number : numbers) {
    const std::uint64_t gap = number - next;
    for (std::uint64_t high = gap >> parameter; high > 0; --high) bits.put(true);
    bits.put(false);
    for (unsigned bit = 0; bit < parameter; ++bit) bits.put(((gap >> bit) & 1) != 0);
    next = std::uint64_t{number} + 1;
  }
}

core::Result<std::vector<std::uint32_t>> read_rising(std::string_view bytes, std::size_t max_count) {
  CORE_TRY(const std::uint32_t count, read_varint(bytes));
  if (count > max_count || bytes.empty()) return std::unexpected(damaged());
  const auto parameter = static_cast<unsigned>(static_cast<unsigned char>(bytes.front()));
  if (parameter > kMaxParameter) return std::unexpected(damaged());
  BitReader bits(bytes.substr(1));
  std::vector<std::uint32_t> numbers;
  numbers.reserve(count);
  constexpr std::uint64_t kGreatest = std::numeric_limits<std::uint32_t>::max();
  std::uint64_t next = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    if (next > kGreatest) return std::unexpected(damaged());
    CORE_TRY(const std::uint64_t gap, read_gap(bits, parameter, kGreatest - next));
    numbers.push_back(static_cast<std::uint32_t>(next + gap));
    next += gap + 1;
  }
  if (!bits.is_done()) return std::unexpected(damaged());
  return numbers;
}

std::string base64url_encode(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() * 4 + 2) / 3);
  std::uint32_t held = 0;
  unsigned held_bits = 0;
  for (const char c : bytes) {
    held = (held << 8) | static_cast<unsigned char>(c);
    for (held_bits += 8; held_bits >= 6; held_bits -= 6) text.push_back(kAlphabet[(held >> (held_bits - 6)) & 63]);
  }
  if (held_bits > 0) text.push_back(kAlphabet[(held << (6 - held_bits)) & 63]);
  return text;
}

core::Result<std::string> base64url_decode(std::string_view text) {
  std::string bytes;
  bytes.reserve(text.size() * 3 / 4);
  std::uint32_t held = 0;
  unsigned held_bits = 0;
  for (const char c : text) {
    const std::int8_t value = kValues[static_cast<unsigned char>(c)];
    if (value < 0) return std::unexpected(damaged());
    held = (held << 6) | static_cast<std::uint32_t>(value);
    held_bits += 6;
    if (held_bits < 8) continue;
    held_bits -= 8;
    bytes.push_back(static_cast<char>((held >> held_bits) & 0xFF));
  }
  const bool rest_is_zero = (held & ((1U << held_bits) - 1)) == 0;
  if (held_bits == 6 || !rest_is_zero) return std::unexpected(damaged());
  return bytes;
}

}  // namespace scalestyle::search
