#pragma once
// Little-endian numbers, varints (7 bits a byte, lowest first) and texts (their length as a varint, then their bytes) in byte
// strings, for the records of feature stores.
// Reading is checked: after any step past the end, or a varint of more than 64 bits, ok() is false and values are 0.

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace scalestyle::events {

static_assert(std::endian::native == std::endian::little);

inline void put_varint(std::string& bytes, std::uint64_t value) {
  while (value >= 0x80) {
    bytes.push_back(static_cast<char>(static_cast<unsigned char>(value | 0x80)));
    value >>= 7;
  }
  bytes.push_back(static_cast<char>(static_cast<unsigned char>(value)));
}

inline void put_double(std::string& bytes, double value) {
  char raw[sizeof value];
  std::memcpy(raw, &value, sizeof value);
  bytes.append(raw, sizeof raw);
}

inline void put_fixed64(std::string& bytes, std::uint64_t value) {
  char raw[sizeof value];
  std::memcpy(raw, &value, sizeof value);
  bytes.append(raw, sizeof raw);
}

inline void put_text(std::string& bytes, std::string_view text) {
  put_varint(bytes, text.size());
  bytes.append(text);
}

class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool at_end() const { return ok_ && at_ == bytes_.size(); }
  [[nodiscard]] std::size_t remaining() const { return bytes_.size() - at_; }

  std::uint8_t byte() {
    if (at_ >= bytes_.size()) return static_cast<std::uint8_t>(failed());
    return static_cast<std::uint8_t>(bytes_[at_++]);
  }
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (at_ >= bytes_.size()) return failed();
      const auto part = static_cast<std::uint8_t>(bytes_[at_++]);
      if (shift == 63 && part > 1) return failed();
      value |= std::uint64_t{part & 0x7fu} << shift;
      if (part < 0x80) return value;
    }
    return failed();
  }
  std::uint64_t fixed64() {
    std::uint64_t value = 0;
    if (bytes_.size() - at_ < sizeof value) return failed();
    std::memcpy(&value, bytes_.data() + at_, sizeof value);
    at_ += sizeof value;
    return value;
  }
  // The next `size` bytes; they live as long as what is read.
  std::string_view take(std::uint64_t size) {
    if (size > remaining()) {
      failed();
      return {};
    }
    at_ += size;
    return bytes_.substr(at_ - size, size);
  }
  // Its length, then its bytes.
  std::string_view text() { return take(varint()); }
  double number() {
    double value = 0;
    if (bytes_.size() - at_ < sizeof value) {
      failed();
      return 0;
    }
    std::memcpy(&value, bytes_.data() + at_, sizeof value);
    at_ += sizeof value;
    return value;
  }

 private:
  std::uint64_t failed() {
    ok_ = false;
    at_ = bytes_.size();
    return 0;
  }
  std::string_view bytes_;
  std::size_t at_ = 0;
  bool ok_ = true;
};

}  // namespace scalestyle::events
