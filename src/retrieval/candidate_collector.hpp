#pragma once
// Collects, for one query over one range of rows, every row that may still be among the best k.
//
// A row is known by an interval [estimate − bound, estimate + bound] that surely holds its score. The collector keeps a
// threshold that at least k collected rows are proven to reach; a row whose upper end is below it cannot matter. The
// threshold comes from a histogram of lower ends, so that raising it costs a few additions and never a sort; it is at
// most one bin width below the best one. It depends on the input alone; what is shared between collectors (see
// raise_to) saves work and cannot change the answer.
// Thread safety: none; one collector a thread.

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace scalestyle::retrieval {

struct ScanCandidate {
  std::uint32_t row = 0;
  float estimate = 0;
  float bound = 0;

  [[nodiscard]] float lower() const { return estimate - bound; }
  [[nodiscard]] float upper() const { return estimate + bound; }
};

class CandidateCollector {
 public:
  // Every interval's lower end should be within ± range (others are allowed and only sharpen the threshold less).
  void begin(std::size_t k, float range);

  // Precondition: candidate.upper() ≥ threshold().
  void add(const ScanCandidate& candidate) {
    if (candidates_.size() == candidates_.capacity()) make_room();
    candidates_.push_back(candidate);
    const std::size_t bin = bin_of(candidate.lower());
    if (bin < first_bin_) return;
    ++bins_[bin];
    if (++at_or_above_ - bins_[first_bin_] >= k_) raise();
  }

  [[nodiscard]] float threshold() const { return threshold_; }
  // Another collector of the same query, over other rows, has proven k rows to reach `threshold`.
  void raise_to(float threshold) {
    if (threshold > threshold_) threshold_ = threshold;
  }

  [[nodiscard]] std::span<const ScanCandidate> candidates() const { return candidates_; }
  [[nodiscard]] std::size_t added() const { return dropped_ + candidates_.size(); }

 private:
  static constexpr std::size_t kBins = 2048;

  [[nodiscard]] std::size_t bin_of(float lower) const {
    const float position = (lower + range_) * bins_per_unit_;
    if (!(position > 0.0F)) return 0;
    return position >= static_cast<float>(kBins - 1) ? kBins - 1 : static_cast<std::size_t>(position);
  }
  void raise();
  void make_room();

  std::size_t k_ = 0;
  float range_ = 0;
  float bins_per_unit_ = 0;
  float threshold_ = -std::numeric_limits<float>::infinity();
  std::size_t first_bin_ = 0;     // the highest bin that k collected rows reach
  std::size_t at_or_above_ = 0;   // rows in first_bin_ and above
  std::size_t dropped_ = 0;
  std::array<std::uint32_t, kBins> bins_{};
  std::vector<ScanCandidate> candidates_;
};

}  // namespace scalestyle::retrieval
