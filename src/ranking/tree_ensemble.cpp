#include "ranking/tree_ensemble.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

namespace scalestyle::ranking {
namespace {

static_assert(std::endian::native == std::endian::little, "the bytes are little-endian and read as they are");

constexpr std::size_t kLanes = 8;  // rows that walk a tree together: their steps do not wait for each other
constexpr std::size_t kNodeBytes = 12;

std::unexpected<core::Error> invalid(std::string message) {
  return core::fail(core::ErrorCode::kInvalidArgument, std::move(message));
}

template <class T>
void append(std::string& bytes, T value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

// False where the bytes end before.
template <class T>
bool take(std::string_view& bytes, T& value) {
  if (bytes.size() < sizeof value) return false;
  std::memcpy(&value, bytes.data(), sizeof value);
  bytes.remove_prefix(sizeof value);
  return true;
}

// The depth of the tree's deepest leaf.
core::Result<std::size_t> check_tree(std::span<const TreeNode> nodes, std::size_t features, std::size_t number) {
  if (nodes.empty() || nodes.size() > kMaxTreeNodes) {
    return invalid(fmt::format("tree {} has {} nodes, not 1 … {}", number, nodes.size(), kMaxTreeNodes));
  }
  std::vector<std::uint32_t> depths(nodes.size(), 0);  // 0 behind the root: without a parent so far
  std::size_t deepest = 0;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const TreeNode& node = nodes[i];
    const auto at = [&] { return fmt::format("tree {}, node {}", number, i); };
    if (!std::isfinite(node.value)) return invalid(at() + ": the value is not finite");
    if (i > 0 && depths[i] == 0) return invalid(at() + ": nothing leads to it");
    if (node.left == 0) continue;
    if (node.left <= i || node.left + 1 >= nodes.size()) return invalid(at() + fmt::format(": child {} is no later node", node.left));
    if (node.feature >= features) return invalid(at() + fmt::format(": feature {} of {}", node.feature, features));
    for (const std::size_t child : {std::size_t{node.left}, std::size_t{node.left} + 1}) {
      if (depths[child] != 0) return invalid(at() + fmt::format(": node {} has another parent", child));
      depths[child] = depths[i] + 1;
      deepest = std::max<std::size_t>(deepest, depths[child]);
    }
  }
  if (deepest > kMaxTreeDepth) return invalid(fmt::format("tree {} is {} deep, not at most {}", number, deepest, kMaxTreeDepth));
  return deepest;
}

std::unexpected<core::Error> damaged(std::string message) { return core::fail(core::ErrorCode::kDataLoss, std::move(message)); }

}  // namespace

core::Result<TreeEnsemble> TreeEnsemble::make(const std::vector<std::vector<TreeNode>>& trees, std::size_t features, float base) {
  if (trees.size() > kMaxTrees) return invalid(fmt::format("{} trees are more than {}", trees.size(), kMaxTrees));
  if (features < 1 || features > kMaxTreeFeatures) return invalid(fmt::format("{} features are not 1 … {}", features, kMaxTreeFeatures));
  if (!std::isfinite(base)) return invalid("the base is not finite");
  TreeEnsemble made;
  made.features_ = features;
  made.base_ = base;
  for (std::size_t number = 0; number < trees.size(); ++number) {
    CORE_TRY(const std::size_t depth, check_tree(trees[number], features, number));
    const auto first = static_cast<std::uint32_t>(made.steps_.size());
    made.roots_.push_back({first, static_cast<std::uint32_t>(depth)});
    for (std::uint32_t i = 0; i < trees[number].size(); ++i) {
      const TreeNode& node = trees[number][i];
      const bool is_leaf = node.left == 0;
      made.steps_.push_back({.threshold = is_leaf ? 0 : node.value,
                             .left = first + (is_leaf ? i : node.left),
                             .feature = is_leaf ? std::uint16_t{0} : node.feature,
                             .always_left = is_leaf ? std::uint8_t{1} : std::uint8_t{0},
                             .missing_left = !is_leaf && node.missing_left ? std::uint8_t{1} : std::uint8_t{0}});
      made.leaves_.push_back(is_leaf ? node.value : 0);
    }
  }
  return made;
}

std::vector<TreeNode> TreeEnsemble::tree(std::size_t number) const {
  const std::uint32_t first = roots_[number].first;
  const std::size_t end = number + 1 < roots_.size() ? roots_[number + 1].first : steps_.size();
  std::vector<TreeNode> nodes;
  for (std::size_t i = first; i < end; ++i) {
    const Step& step = steps_[i];
    if (step.always_left != 0) {
      nodes.push_back({.value = leaves_[i]});
    } else {
      nodes.push_back({step.threshold, step.left - first, step.feature, step.missing_left != 0});
    }
  }
  return nodes;
}

// One tree for `Lanes` rows from `row` on.
template <std::size_t Lanes>
void TreeEnsemble::add_tree(const Root& root, const float* row, float* sums) const {
  const Step* const steps = steps_.data();
  std::array<std::uint32_t, Lanes> at;
  at.fill(root.first);
  for (std::uint32_t depth = 0; depth < root.depth; ++depth) {
#pragma GCC unroll 16
    for (std::size_t lane = 0; lane < Lanes; ++lane) {
      const Step& step = steps[at[lane]];
      const float value = row[lane * features_ + step.feature];
      const unsigned is_missing = std::isnan(value) ? 1U : 0U;
      const unsigned left = (value < step.threshold ? 1U : 0U) | (is_missing & step.missing_left) | step.always_left;
      at[lane] = step.left + (1U - left);
    }
  }
  for (std::size_t lane = 0; lane < Lanes; ++lane) sums[lane] += leaves_[at[lane]];
}

std::vector<float> TreeEnsemble::sums(std::span<const float> rows) const {
  if (features_ == 0) return {};
  assert(rows.size() % features_ == 0);
  const std::size_t count = rows.size() / features_;
  std::vector<float> sums(count, base_);
  for (const Root& root : roots_) {
    std::size_t row = 0;
    for (; row + kLanes <= count; row += kLanes) add_tree<kLanes>(root, rows.data() + row * features_, sums.data() + row);
    for (; row < count; ++row) add_tree<1>(root, rows.data() + row * features_, sums.data() + row);
  }
  return sums;
}

std::string TreeEnsemble::encode() const {
  std::string bytes;
  append(bytes, static_cast<std::uint32_t>(features_));
  append(bytes, static_cast<std::uint32_t>(roots_.size()));
  append(bytes, base_);
  for (std::size_t number = 0; number < roots_.size(); ++number) {
    const auto nodes = tree(number);
    append(bytes, static_cast<std::uint32_t>(nodes.size()));
    for (const TreeNode& node : nodes) {
      append(bytes, node.value);
      append(bytes, node.left);
      append(bytes, node.feature);
      append(bytes, static_cast<std::uint16_t>(node.missing_left ? 1 : 0));
    }
  }
  return bytes;
}

core::Result<TreeEnsemble> TreeEnsemble::parse(std::string_view bytes) {
  std::uint32_t features = 0;
  std::uint32_t count = 0;
  float base = 0;
  if (!take(bytes, features) || !take(bytes, count) || !take(bytes, base)) return damaged("the trees' header is cut off");
  if (count > kMaxTrees) return damaged(fmt::format("{} trees are more than {}", count, kMaxTrees));
  std::vector<std::vector<TreeNode>> trees(count);
  for (std::size_t number = 0; number < count; ++number) {
    std::uint32_t size = 0;
    if (!take(bytes, size) || size > kMaxTreeNodes || bytes.size() < size * kNodeBytes) {
      return damaged(fmt::format("tree {} of {} is cut off or too large", number, count));
    }
    trees[number].resize(size);
    for (TreeNode& node : trees[number]) {
      std::uint16_t missing_left = 0;
      const bool is_whole = take(bytes, node.value) && take(bytes, node.left) && take(bytes, node.feature) && take(bytes, missing_left);
      if (!is_whole || missing_left > 1) return damaged(fmt::format("tree {}: a node's last field is {}", number, missing_left));
      node.missing_left = missing_left == 1;
      if (node.left == 0 && (node.feature != 0 || node.missing_left)) return damaged(fmt::format("tree {}: a leaf that splits", number));
    }
  }
  if (!bytes.empty()) return damaged(fmt::format("{} bytes behind the last tree", bytes.size()));
  auto made = make(trees, features, base);
  if (!made) return damaged(made.error().message);
  return made;
}

std::vector<double> rank_candidates(const TreeEnsemble& trees, std::span<const float> rows) {
  std::vector<double> scores;
  for (const float sum : trees.sums(rows)) {
    const double score = 1 / (1 + std::exp(-static_cast<double>(sum)));
    scores.push_back(std::max(score, std::numeric_limits<double>::min()));
  }
  return scores;
}

}  // namespace scalestyle::ranking
