#include "evaluation/gradient_boosting.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <memory>
#include <numeric>
#include <utility>

#ifdef SCALESTYLE_HAS_XGBOOST
#include <xgboost/c_api.h>
#endif

namespace scalestyle::evaluation {
namespace {

std::unexpected<core::Error> invalid(std::string message, std::string field = {}) {
  return core::fail(core::ErrorCode::kInvalidArgument, std::move(message), std::move(field));
}

}  // namespace

core::Status BoostingOptions::validate() const {
  constexpr std::array<std::string_view, 3> kObjectives{"rank:ndcg", "rank:map", "rank:pairwise"};
  if (std::ranges::find(kObjectives, objective) == kObjectives.end()) {
    return invalid(fmt::format("objective \"{}\" is none of {}", objective, fmt::join(kObjectives, ", ")), "objective");
  }
  if (max_trees < 1 || max_trees > 500) return invalid(fmt::format("max_trees {} is not in 1 … 500", max_trees), "max_trees");
  if (max_depth < 1 || max_depth > 8) return invalid(fmt::format("max_depth {} is not in 1 … 8", max_depth), "max_depth");
  if (!(learning_rate >= 0.001 && learning_rate <= 1)) {
    return invalid(fmt::format("learning_rate {} is not in 0.001 … 1", learning_rate), "learning_rate");
  }
  if (!(min_child_weight >= 0 && min_child_weight <= 1e6)) {
    return invalid(fmt::format("min_child_weight {} is not in 0 … 1000000", min_child_weight), "min_child_weight");
  }
  if (patience < 1) return invalid("patience 0 is not at least 1", "patience");
  return {};
}

#ifndef SCALESTYLE_HAS_XGBOOST

bool can_learn_trees() { return false; }

core::Result<LearnedTrees> learn_trees(const RankingRows&, const RankingRows&, const BoostingOptions&) {
  return core::fail(core::ErrorCode::kUnsupported,
                    "this build has no xgboost, which training needs: install libxgboost-dev and build again (docs/DEPENDENCIES.md)");
}

#else

namespace {

constexpr double kAllowedDifference = 1e-5;

core::Status check_rows(const RankingRows& rows, std::string_view which) {
  const std::size_t count = rows.labels.size();
  const std::size_t in_lists = std::accumulate(rows.lists.begin(), rows.lists.end(), std::size_t{0});
  if (count == 0) return invalid(fmt::format("there is no list to {}", which));
  if (rows.features == 0 || rows.values.size() != count * rows.features || in_lists != count) {
    return invalid(fmt::format("the rows to {}: {} values and {} labels in lists of {} rows", which, rows.values.size(), count, in_lists));
  }
  return {};
}

core::Status called(int code, std::string_view what) {
  if (code == 0) return {};
  return core::fail(core::ErrorCode::kInternal, fmt::format("xgboost cannot {}: {}", what, XGBGetLastError()));
}

struct FreeMatrix {
  void operator()(void* matrix) const { XGDMatrixFree(matrix); }
};
struct FreeBooster {
  void operator()(void* booster) const { XGBoosterFree(booster); }
};
using Matrix = std::unique_ptr<void, FreeMatrix>;
using Booster = std::unique_ptr<void, FreeBooster>;

core::Result<Matrix> matrix_of(const RankingRows& rows) {
  DMatrixHandle handle = nullptr;
  CORE_CHECK(called(XGDMatrixCreateFromMat_omp(rows.values.data(), rows.labels.size(), rows.features,
                                               std::numeric_limits<float>::quiet_NaN(), &handle, 1),
                    "take the rows"));
  Matrix matrix(handle);
  CORE_CHECK(called(XGDMatrixSetFloatInfo(handle, "label", rows.labels.data(), rows.labels.size()), "take the labels"));
  CORE_CHECK(called(XGDMatrixSetUIntInfo(handle, "group", rows.lists.data(), rows.lists.size()), "take the lists"));
  return matrix;
}

// "(1,0,1)", one a feature.
std::string constraints_of(const std::vector<bool>& rising) {
  std::string text;
  for (const bool one : rising) text += fmt::format("{}{}", text.empty() ? "(" : ",", one ? 1 : 0);
  return text.empty() ? "()" : text + ")";
}

core::Result<Booster> booster_of(const Matrix& train, const Matrix& stop, const BoostingOptions& options) {
  const std::array<DMatrixHandle, 2> matrices{train.get(), stop.get()};
  BoosterHandle handle = nullptr;
  CORE_CHECK(called(XGBoosterCreate(matrices.data(), matrices.size(), &handle), "start"));
  Booster booster(handle);
  const std::array<std::pair<const char*, std::string>, 10> parameters{{{"objective", options.objective},
                                                                       {"tree_method", "hist"},
                                                                       {"eval_metric", "map@12"},
                                                                       {"max_depth", fmt::to_string(options.max_depth)},
                                                                       {"eta", fmt::to_string(options.learning_rate)},
                                                                       {"min_child_weight", fmt::to_string(options.min_child_weight)},
                                                                       {"monotone_constraints", constraints_of(options.rising)},
                                                                       {"seed", fmt::to_string(options.seed)},
                                                                       {"nthread", "1"},
                                                                       {"verbosity", "0"}}};
  for (const auto& [name, value] : parameters) {
    CORE_CHECK(called(XGBoosterSetParam(handle, name, value.c_str()), fmt::format("take {} = {}", name, value)));
  }
  return booster;
}

// The measure at the end of a line like "[7]\tstop-map@12:0.123".
core::Result<double> measure_of(std::string_view line) {
  const std::size_t colon = line.rfind(':');
  double value = 0;
  const char* const end = line.data() + line.size();
  if (colon == std::string_view::npos || std::from_chars(line.data() + colon + 1, end, value).ec != std::errc()) {
    return core::fail(core::ErrorCode::kInternal, fmt::format("xgboost's measure cannot be read: \"{}\"", line));
  }
  return value;
}

struct Best {
  std::size_t trees = 0;
  double map = -1;
};

core::Result<Best> grow(const Booster& booster, const Matrix& train, const Matrix& stop, const BoostingOptions& options) {
  Best best;
  std::array<DMatrixHandle, 1> judged{stop.get()};
  std::array<const char*, 1> names{"stop"};
  for (std::size_t tree = 0; tree < options.max_trees && tree < best.trees + options.patience; ++tree) {
    const int round = static_cast<int>(tree);
    CORE_CHECK(called(XGBoosterUpdateOneIter(booster.get(), round, train.get()), "learn a tree"));
    const char* line = nullptr;
    CORE_CHECK(called(XGBoosterEvalOneIter(booster.get(), round, judged.data(), names.data(), judged.size(), &line), "judge a tree"));
    CORE_TRY(const double map, measure_of(line));
    if (map > best.map) best = {tree + 1, map};
  }
  return best;
}

core::Result<std::vector<float>> scores_of(const Booster& booster, const Matrix& matrix, std::size_t trees) {
  const std::string config =
      fmt::format(R"({{"type":1,"training":false,"iteration_begin":0,"iteration_end":{},"strict_shape":false}})", trees);
  const bst_ulong* shape = nullptr;
  bst_ulong dimensions = 0;
  const float* scores = nullptr;
  CORE_CHECK(called(XGBoosterPredictFromDMatrix(booster.get(), matrix.get(), config.c_str(), &shape, &dimensions, &scores), "score rows"));
  std::size_t count = 1;
  for (bst_ulong i = 0; i < dimensions; ++i) count *= shape[i];
  return std::vector<float>(scores, scores + count);
}

core::Result<ConvertedModel> converted(const Booster& booster, std::size_t features, std::size_t trees) {
  bst_ulong size = 0;
  const char* bytes = nullptr;
  CORE_CHECK(called(XGBoosterSaveModelToBuffer(booster.get(), R"({"format":"json"})", &size, &bytes), "save its model"));
  return convert_xgboost_model({bytes, size}, features, trees);
}

}  // namespace

bool can_learn_trees() { return true; }

core::Result<LearnedTrees> learn_trees(const RankingRows& train, const RankingRows& stop, const BoostingOptions& options) {
  CORE_CHECK(options.validate());
  CORE_CHECK(check_rows(train, "learn from"));
  CORE_CHECK(check_rows(stop, "stop by"));
  if (train.features != stop.features) return invalid("the rows to learn from and to stop by differ in their features");
  if (!options.rising.empty() && options.rising.size() != train.features) return invalid("rising has another number of features", "rising");
  CORE_TRY(const Matrix learned, matrix_of(train));
  CORE_TRY(const Matrix judged, matrix_of(stop));
  CORE_TRY(const Booster booster, booster_of(learned, judged, options));
  CORE_TRY(const Best best, grow(booster, learned, judged, options));
  CORE_TRY(auto model, converted(booster, train.features, best.trees));
  CORE_TRY(const auto theirs, scores_of(booster, judged, best.trees));
  const std::vector<float> ours = model.trees.sums(stop.values);
  LearnedTrees result{.trees = std::move(model.trees), .stop_map = best.map, .gains = std::move(model.gains)};
  if (ours.size() != theirs.size()) return core::fail(core::ErrorCode::kInternal, "xgboost scored another number of rows");
  for (std::size_t i = 0; i < ours.size(); ++i) {
    result.largest_difference = std::max(result.largest_difference, static_cast<double>(std::abs(ours[i] - theirs[i])));
  }
  if (!(result.largest_difference <= kAllowedDifference)) {
    return core::fail(core::ErrorCode::kInternal,
                      fmt::format("our trees score a row {} away from xgboost: the model is not used", result.largest_difference));
  }
  const double sum = std::accumulate(result.gains.begin(), result.gains.end(), 0.0);
  for (double& gain : result.gains) gain = sum > 0 ? gain / sum : 0;
  return result;
}

#endif

}  // namespace scalestyle::evaluation
