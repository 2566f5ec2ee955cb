#include "fuzz/mutator.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace scalestyle::fuzz {

namespace {

constexpr std::size_t kMostChanges = 16;
constexpr std::size_t kLongestPiece = 64;
constexpr std::size_t kMostCopies = 2'000;
constexpr std::array<std::uint64_t,
    14> kNumbers = {0,      1,      2,          0x7F,       0x80,        0xFF,                0x7FFF,
                                                    0xFFFF, 1'024,  0x7FFFFFFF, 0xFFFFFFFF, 0x100000000, 0x7FFFFFFFFFFFFFFF,
                                                        0xFFFFFFFFFFFFFFFF};

}  // namespace

Mutator::Mutator(std::uint32_t seed, const std::vector<std::string>& seeds, const std::vector<std::string>& words,
                 std::size_t max_bytes)
    : random_(seed), seeds_(seeds), words_(words), max_bytes_(max_bytes) {}

std::string Mutator::next() {
  std::string input = any(seeds_);
  for (std::size_t changes = 1 + below(1 + below(kMostChanges)); changes > 0; --changes) change(input);
  if (input.size() > max_bytes_) input.resize(max_bytes_);
  return input;
}

void Mutator::change(std::string& input) {
  const std::size_t at = below(input.size() + 1);
  const std::size_t length = std::min(1 + below(kLongestPiece), input.size() - at);
  switch (below(10)) {
    case 0: input.resize(at); break;
    case 1: input.erase(at, length); break;
    case 2: input.insert(at, words_.empty() ? std::string(1, static_cast<char>(random_())) : any(words_)); break;
    case 3: {
      const std::string& other = any(seeds_);
      const std::size_t from = below(other.size());
      input.replace(at, length, other.substr(from, 1 + below(kLongestPiece)));
      break;
    }
    case 4: {  // one piece many times: depth and width
      const std::string piece = length == 0 ? std::string("[") : input.substr(at, std::min<std::size_t>(length, 8));
      std::string many;
      for (std::size_t copies = below(below(10) == 0 ? kMostCopies : 8) + 1; copies > 0; --copies) many += piece;
      input.insert(at, many);
      break;
    }
    case 5: change_number(input, at); break;
    case 6: input.replace(at, length, std::string(length, below(2) == 0 ? '\0' : '\xff')); break;
    default: change_bytes(input, at, length);
  }
  if (input.size() > 2 * max_bytes_) input.resize(2 * max_bytes_);
}

void Mutator::change_bytes(std::string& input, std::size_t at, std::size_t length) {
  if (at == input.size()) return;
  const std::size_t count = below(3) == 0 ? length : 1;
  for (std::size_t i = at; i < at + count; ++i) {
    const bool one_bit = below(2) == 0;
    input[i] = static_cast<char>(one_bit ? static_cast<std::uint8_t>(input[i]) ^ 1U << below(8) : random_());
  }
}

// A number in binary, either way round, or in digits.
void Mutator::change_number(std::string& input, std::size_t at) {
  std::uint64_t number = kNumbers[below(kNumbers.size())] + below(3) - 1;
  const auto digit = std::find_if(input.begin() + static_cast<std::ptrdiff_t>(at), input.end(),
                                  [](char c) { return c >= '0' && c <= '9'; });
  if (below(2) == 0 && digit != input.end()) {
    const auto end = std::find_if(digit, input.end(), [](char c) { return c < '0' || c > '9'; });
    const std::string text = std::to_string(number);
    input.replace(digit, end, below(4) == 0 ? "-" + text : text);
    return;
  }
  std::string bytes;
  for (std::size_t count = std::size_t{1} << below(4); count > 0; --count, number >>= 8U) bytes += static_cast<char>(number);
  if (below(2) == 0) std::ranges::reverse(bytes);
  input.replace(at, std::min(bytes.size(), input.size() - at), bytes);
}

}  // namespace scalestyle::fuzz
