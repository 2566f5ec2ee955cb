#include "nn/token_sampler.hpp"

#include <algorithm>

#include "nn/kernels/elementwise.hpp"

namespace scalestyle::nn {

std::int32_t likeliest_token(std::span<const float> logits) {
  return static_cast<std::int32_t>(std::ranges::max_element(logits) - logits.begin());
}

// SplitMix64: Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014).
double TokenSampler::draw() {
  std::uint64_t bits = state_ += 0x9E3779B97F4A7C15U;
  bits = (bits ^ (bits >> 30U)) * 0xBF58476D1CE4E5B9U;
  bits = (bits ^ (bits >> 27U)) * 0x94D049BB133111EBU;
  bits ^= bits >> 31U;
  return static_cast<double>(bits >> 11U) * 0x1p-53;
}

std::int32_t TokenSampler::choose(std::span<const float> logits) {
  const std::int32_t likeliest = likeliest_token(logits);
  if (!(sampling_.temperature > 0)) return likeliest;
  const float largest = logits[static_cast<std::size_t>(likeliest)];
  shares_.resize(logits.size());
  for (std::size_t id = 0; id < logits.size(); ++id) shares_[id] = (logits[id] - largest) / sampling_.temperature;
  kernels::softmax_rows({shares_.data(), 1, shares_.size(), shares_.size()});
  return sampling_.top_p < 1 ? choose_among_likeliest() : choose_among_all();
}

std::int32_t TokenSampler::choose_among_all() {
  double sum = 0;
  for (const float share : shares_) sum += static_cast<double>(share);
  double left = draw() * sum;
  for (std::size_t id = 0; id < shares_.size(); ++id) {
    left -= static_cast<double>(shares_[id]);
    if (left < 0) return static_cast<std::int32_t>(id);
  }
  return likeliest_token(shares_);  // rounding has left nothing
}

std::int32_t TokenSampler::choose_among_likeliest() {
  heap_.clear();
  for (std::size_t id = 0; id < shares_.size(); ++id) heap_.emplace_back(shares_[id], static_cast<std::int32_t>(id));
  const auto less_likely = [](const auto& a, const auto& b) {
    return a.first < b.first || (a.first == b.first && a.second > b.second);
  };
  // Only the tokens that make up the share leave the heap, as a rule a few of very many.
  std::ranges::make_heap(heap_, less_likely);
  double held = 0;
  auto end = heap_.end();
  while (end != heap_.begin() && held < static_cast<double>(sampling_.top_p)) {
    std::pop_heap(heap_.begin(), end, less_likely);
    --end;
    held += static_cast<double>(end->first);
  }
  // Now the likeliest stands last.
  double left = draw() * held;
  for (auto at = heap_.end(); at != end;) {
    --at;
    left -= static_cast<double>(at->first);
    if (left < 0) return at->second;
  }
  return heap_.back().second;  // rounding has left nothing
}

}  // namespace scalestyle::nn
