#pragma once
// Chooses the next token from logits: the likeliest, or one drawn from the likeliest by temperature and top-p.
// Source: Holtzman et al. (nucleus sampling), arXiv 1904.09751.
//
// Pure and deterministic: the choices are a function of the sampling, the logits and how many were drawn before, the same on
// every instruction set. Among equal logits the lowest id comes first. Thread safety: none; one object a text.

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace scalestyle::nn {

struct Sampling {
  float temperature = 0;  // 0: the likeliest; logits are divided by it before their softmax
  float top_p = 1;        // (0, 1]: one is drawn of the fewest tokens, likeliest first, that hold this share together
  std::uint64_t seed = 0;
};

[[nodiscard]] std::int32_t likeliest_token(std::span<const float> logits);

class TokenSampler {
 public:
  explicit TokenSampler(const Sampling& sampling) : sampling_(sampling), state_(sampling.seed) {}
  // logits: at least one, all finite.
  [[nodiscard]] std::int32_t choose(std::span<const float> logits);

 private:
  [[nodiscard]] std::int32_t choose_among_all();
  [[nodiscard]] std::int32_t choose_among_likeliest();
  [[nodiscard]] double draw();  // [0, 1)

  Sampling sampling_;
  std::uint64_t state_;
  std::vector<float> shares_;
  std::vector<std::pair<float, std::int32_t>> heap_;  // (share, id)
};

}  // namespace scalestyle::nn
