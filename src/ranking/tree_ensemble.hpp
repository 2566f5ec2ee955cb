#pragma once
// TreeEnsemble: the sum of regression trees, evaluated for many rows of features at once. Trees are learned elsewhere.
//
// A row goes left where its value is below the threshold, and where the value is missing (NaN) as the node says. Sums are made in
// the order of trees, in float: the score of a row depends on that row alone. Immutable; safe from any thread.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace scalestyle::ranking {

// One node. Children of a node lie side by side, after it: right is left + 1.
struct TreeNode {
  float value = 0;            // threshold of a split; what a leaf adds
  std::uint32_t left = 0;     // in the tree; 0: a leaf
  std::uint16_t feature = 0;  // of a split
  bool missing_left = false;  // of a split
  friend bool operator==(const TreeNode&, const TreeNode&) = default;
};

inline constexpr std::size_t kMaxTrees = 2'000;
inline constexpr std::size_t kMaxTreeNodes = 4'096;
inline constexpr std::size_t kMaxTreeDepth = 16;
inline constexpr std::size_t kMaxTreeFeatures = 1'000;

class TreeEnsemble {
 public:
  TreeEnsemble() = default;
  // The first node of each tree is its root. kInvalidArgument naming the tree (and node) where a child does not lie behind its
  // parent, has no parent or two, where a feature is not below `features`, a value is not finite, or a limit above is passed.
  [[nodiscard]] static core::Result<TreeEnsemble> make(const std::vector<std::vector<TreeNode>>& trees, std::size_t features,
                                                       float base);

  [[nodiscard]] std::size_t features() const { return features_; }
  [[nodiscard]] std::size_t trees() const { return roots_.size(); }
  [[nodiscard]] float base() const { return base_; }
  [[nodiscard]] std::vector<TreeNode> tree(std::size_t number) const;  // number below trees()

  // `rows`: features() values a row. base + Σ trees, one a row.
  [[nodiscard]] std::vector<float> sums(std::span<const float> rows) const;

  // Bytes of docs/formats/ranker.md, and back. parse() takes what encode() made and nothing else: kDataLoss saying where it
  // differs.
  [[nodiscard]] std::string encode() const;
  [[nodiscard]] static core::Result<TreeEnsemble> parse(std::string_view bytes);

 private:
  // As TreeNode, laid out for a walk without branches: a leaf leads to itself.
  struct Step {
    float threshold = 0;
    std::uint32_t left = 0;  // in steps_
    std::uint16_t feature = 0;
    std::uint8_t always_left = 0;
    std::uint8_t missing_left = 0;
  };
  struct Root {
    std::uint32_t first = 0;  // in steps_
    std::uint32_t depth = 0;  // steps to the deepest leaf
  };

  template <std::size_t Lanes>
  void add_tree(const Root& root, const float* row, float* sums) const;

  std::vector<Step> steps_;
  std::vector<float> leaves_;  // one a step
  std::vector<Root> roots_;
  std::size_t features_ = 0;
  float base_ = 0;
};

// The sums as scores in (0, 1] that rise with them: 1 / (1 + e^−sum).
[[nodiscard]] std::vector<double> rank_candidates(const TreeEnsemble& trees, std::span<const float> rows);

}  // namespace scalestyle::ranking
