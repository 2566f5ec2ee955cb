#pragma once
// SipHash-1-3 of text with a key drawn at random for each table: clients choose user ids, and must not be able to choose
// ones that fall together. Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF" (2012).
//
// Thread safety: const methods from any thread.

#include <bit>
#include <cstdint>
#include <cstring>
#include <random>
#include <string_view>

namespace scalestyle::adapters::embedded {

class SeededHash {
 public:
  SeededHash() {
    std::random_device random;
    for (auto& half : key_) half = std::uint64_t{random()} << 32 | random();
  }
  SeededHash(std::uint64_t first, std::uint64_t second) : key_{first, second} {}

  [[nodiscard]] std::uint64_t operator()(std::string_view text) const {
    State state{key_[0] ^ 0x736f6d6570736575, key_[1] ^ 0x646f72616e646f6d, key_[0] ^ 0x6c7967656e657261,
                key_[1] ^ 0x7465646279746573};
    const std::size_t whole = text.size() / 8 * 8;
    for (std::size_t at = 0; at < whole; at += 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, text.data() + at, 8);
      state.absorb(word);
    }
    std::uint64_t last = 0;
    if (whole < text.size()) std::memcpy(&last, text.data() + whole, text.size() - whole);
    state.absorb(last | std::uint64_t{text.size()} << 56);
    state.v2 ^= 0xff;
    for (int round = 0; round < 3; ++round) state.round();
    return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
  }

 private:
  struct State {
    std::uint64_t v0, v1, v2, v3;
    void round() {
      v0 += v1; v1 = std::rotl(v1, 13) ^ v0; v0 = std::rotl(v0, 32);
      v2 += v3; v3 = std::rotl(v3, 16) ^ v2;
      v0 += v3; v3 = std::rotl(v3, 21) ^ v0;
      v2 += v1; v1 = std::rotl(v1, 17) ^ v2; v2 = std::rotl(v2, 32);
    }
    void absorb(std::uint64_t word) {
      v3 ^= word;
      round();
      v0 ^= word;
    }
  };
  std::uint64_t key_[2]{};
};

}  // namespace scalestyle::adapters::embedded
