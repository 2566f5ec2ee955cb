#include "retrieval/candidate_collector.hpp"

#include <algorithm>

namespace scalestyle::retrieval {

void CandidateCollector::begin(std::size_t k, float range) {
  k_ = k;
  range_ = range;
  bins_per_unit_ = range > 0.0F ? static_cast<float>(kBins) / (2.0F * range) : 0.0F;
  threshold_ = -std::numeric_limits<float>::infinity();
  first_bin_ = 0;
  at_or_above_ = 0;
  dropped_ = 0;
  bins_.fill(0);
  candidates_.clear();
  constexpr std::size_t kLeast = 4096;
  constexpr std::size_t kMost = 65536;
  candidates_.reserve(std::clamp(8 * k, kLeast, kMost));
}

void CandidateCollector::raise() {
  while (at_or_above_ - bins_[first_bin_] >= k_) {
    at_or_above_ -= bins_[first_bin_];
    ++first_bin_;
  }
  // A hundredth of a bin lower than the edge: the rounding of bin_of may have lifted a row into its bin.
  const float edge = (static_cast<float>(first_bin_) - 0.01F) / bins_per_unit_ - range_;
  raise_to(edge);
}

// Forgets what the threshold has overtaken since; grows only when that frees too little to go on for a while.
void CandidateCollector::make_room() {
  const std::size_t before = candidates_.size();
  std::erase_if(candidates_, [this](const ScanCandidate& candidate) { return candidate.upper() < threshold_; });
  dropped_ += before - candidates_.size();
  if (candidates_.size() > before / 2) candidates_.reserve(2 * before);
}

}  // namespace scalestyle::retrieval
