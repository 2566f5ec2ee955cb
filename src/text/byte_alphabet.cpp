#include "text/byte_alphabet.hpp"

#include "text/unicode.hpp"

namespace scalestyle::text {

namespace {

constexpr char32_t kFirstSubstitute = 0x100;

bool stands_for_itself(char32_t byte) {
  return (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || (byte >= 0xAE && byte <= 0xFF);
}

std::array<char32_t, 256> make_alphabet() {
  std::array<char32_t, 256> alphabet{};
  char32_t substitute = kFirstSubstitute;
  for (char32_t byte = 0; byte < 256; ++byte) alphabet[byte] = stands_for_itself(byte) ? byte : substitute++;
  return alphabet;
}

// By character; -1: it stands for no byte.
std::array<int, 0x144> make_inverse() {
  std::array<int, 0x144> inverse{};
  inverse.fill(-1);
  const std::array<char32_t, 256>& alphabet = byte_alphabet();
  for (int byte = 0; byte < 256; ++byte) inverse.at(alphabet[static_cast<std::size_t>(byte)]) = byte;
  return inverse;
}

}  // namespace

const std::array<char32_t, 256>& byte_alphabet() {
  static const std::array<char32_t, 256> alphabet = make_alphabet();
  return alphabet;
}

std::optional<std::string> spelled_bytes(std::string_view spelling) {
  static const std::array<int, 0x144> inverse = make_inverse();
  std::string bytes;
  bytes.reserve(spelling.size());
  for (std::size_t position = 0; position < spelling.size();) {
    const char32_t character = next_code_point(spelling, position);
    const int byte = character < inverse.size() ? inverse[character] : -1;
    if (byte < 0) return std::nullopt;
    bytes.push_back(static_cast<char>(static_cast<unsigned char>(byte)));
  }
  return bytes;
}

}  // namespace scalestyle::text
