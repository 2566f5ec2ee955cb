// convert_xgboost_model: xgboost's JSON model as our own trees.

#include <fmt/format.h>

#include <boost/json.hpp>
#include <charconv>
#include <cstdint>
#include <exception>
#include <utility>
#include <vector>

#include "evaluation/gradient_boosting.hpp"

namespace scalestyle::evaluation {
namespace {

namespace json = boost::json;

// The columns of one tree; a child of -1 makes a leaf, whose value stands where others have their threshold.
struct Columns {
  const json::array& left;
  const json::array& right;
  const json::array& features;
  const json::array& conditions;
  const json::array& missing_left;
  const json::array& gains;
};

std::unexpected<core::Error> damaged(std::string_view what) {
  return core::fail(core::ErrorCode::kDataLoss, fmt::format("xgboost's model is not of the form known: {}", what));
}

float number(const json::value& value) { return static_cast<float>(value.to_number<double>()); }

// Nodes in the order of their depth, so that children lie side by side behind their parent.
std::vector<ranking::TreeNode> nodes_of(const Columns& columns, std::vector<double>& gains) {
  std::vector<ranking::TreeNode> nodes(1);
  std::vector<std::size_t> sources{0};  // xgboost's number of each node
  for (std::size_t i = 0; i < nodes.size() && nodes.size() <= ranking::kMaxTreeNodes; ++i) {
    const std::size_t source = sources[i];
    const auto left = columns.left.at(source).to_number<std::int64_t>();
    nodes[i].value = number(columns.conditions.at(source));
    if (left < 0) continue;
    nodes[i].left = static_cast<std::uint32_t>(nodes.size());
    nodes[i].feature = columns.features.at(source).to_number<std::uint16_t>();
    nodes[i].missing_left = columns.missing_left.at(source).to_number<int>() != 0;
    gains.at(nodes[i].feature) += columns.gains.at(source).to_number<double>();
    sources.push_back(static_cast<std::size_t>(left));
    sources.push_back(columns.right.at(source).to_number<std::size_t>());
    nodes.resize(nodes.size() + 2);
  }
  return nodes;
}

core::Result<ConvertedModel> convert(const json::value& model, std::size_t features, std::size_t count) {
  const json::object& learner = model.at("learner").as_object();
  const json::string& base_text = learner.at("learner_model_param").at("base_score").as_string();
  float base = 0;
  const auto parsed = std::from_chars(base_text.data(), base_text.data() + base_text.size(), base);
  if (parsed.ec != std::errc() || parsed.ptr != base_text.data() + base_text.size()) return damaged("base_score");
  const json::array& trees = learner.at("gradient_booster").at("model").at("trees").as_array();
  if (trees.size() < count) return damaged(fmt::format("{} trees, wanted {}", trees.size(), count));
  ConvertedModel converted;
  converted.gains.resize(features);
  std::vector<std::vector<ranking::TreeNode>> made;
  for (std::size_t i = 0; i < count; ++i) {
    const json::object& tree = trees[i].as_object();
    const auto column = [&tree](std::string_view name) -> const json::array& { return tree.at(name).as_array(); };
    made.push_back(nodes_of({column("left_children"), column("right_children"), column("split_indices"), column("split_conditions"),
                             column("default_left"), column("loss_changes")},
                            converted.gains));
  }
  CORE_TRY(converted.trees, ranking::TreeEnsemble::make(made, features, base));
  return converted;
}

}  // namespace

core::Result<ConvertedModel> convert_xgboost_model(std::string_view text, std::size_t features, std::size_t count) {
  try {
    auto converted = convert(json::parse(text), features, count);
    if (!converted && converted.error().code == core::ErrorCode::kInvalidArgument) return damaged(converted.error().message);
    return converted;
  } catch (const std::exception& error) {
    return damaged(error.what());
  }
}

}  // namespace scalestyle::evaluation
