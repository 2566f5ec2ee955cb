#pragma once
// Gradient-boosted trees that order lists (LambdaRank: Burges 2010), learned by xgboost (Chen & Guestrin 2016) and given as
// our own
// trees. On one thread, so that the same rows and seed give the same trees.
//
// A build without xgboost has learn_trees() too, which then says so. Safe from any thread.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "ranking/tree_ensemble.hpp"

namespace scalestyle::evaluation {

// Lists of candidates, one after the other.
struct RankingRows {
  std::size_t features = 0;
  std::vector<float> values{};          // `features` a row; NaN is missing
  std::vector<float> labels{};          // one a row: 1 what was right, else 0
  std::vector<std::uint32_t> lists{};   // rows of each list, ≥ 1; they sum up to the rows
};

struct BoostingOptions {
  std::string objective = "rank:ndcg";  // or "rank:map", "rank:pairwise"
  std::size_t max_trees = 300;          // 1 … 500
  std::size_t max_depth = 3;            // 1 … 8
  double learning_rate = 0.05;          // 0.001 … 1
  double min_child_weight = 5;          // ≥ 0
  std::size_t patience = 30;            // trees without a better MAP@12 on the lists that stop it, then it ends; ≥ 1
  std::uint64_t seed = 1;
  std::vector<bool> rising{};           // features whose larger values must not lower a score; empty: none, else one a feature

  [[nodiscard]] core::Status validate() const;  // kInvalidArgument with the setting as field
};

struct LearnedTrees {
  ranking::TreeEnsemble trees{};       // up to the best one
  double stop_map = 0;                 // MAP@12 of the lists that stopped it, as xgboost counts it
  std::vector<double> gains{};         // one a feature: what its splits gained, as shares of all; 0s where no tree splits
  double largest_difference = 0;       // between xgboost's own scores of the rows that stopped it and ours
};

[[nodiscard]] bool can_learn_trees();  // whether this build has xgboost

// Learns from `train`, stops by `stop`. Errors: kUnsupported without xgboost; kInvalidArgument for options and rows; kInternal
// with
// xgboost's message, or where our trees score a row of `stop` otherwise than xgboost by more than 1e-5.
[[nodiscard]] core::Result<LearnedTrees> learn_trees(const RankingRows& train, const RankingRows& stop, const BoostingOptions& options);

// Trees of the model that xgboost saves as JSON, the first `count` of them, and what each feature's splits gained (not yet as
// shares).
// kDataLoss where the text is no such model. Needs no xgboost.
struct ConvertedModel {
  ranking::TreeEnsemble trees{};
  std::vector<double> gains{};
};
[[nodiscard]] core::Result<ConvertedModel> convert_xgboost_model(std::string_view json, std::size_t features, std::size_t count);

}  // namespace scalestyle::evaluation
