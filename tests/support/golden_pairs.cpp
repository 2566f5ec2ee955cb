#include "support/golden_pairs.hpp"

#include <boost/json.hpp>
#include <fstream>
#include <sstream>
#include <utility>

namespace scalestyle::support {

namespace {

std::vector<std::int32_t> numbers(const boost::json::object& object, std::string_view key) {
  std::vector<std::int32_t> values;
  const boost::json::value* const array = object.if_contains(key);
  if (array == nullptr) return values;
  for (const auto& value : array->as_array()) values.push_back(value.to_number<std::int32_t>());
  return values;
}

}  // namespace

GoldenPairs read_golden_pairs(const std::filesystem::path& expected_json) {
  std::ifstream stream(expected_json);
  std::stringstream bytes;
  bytes << stream.rdbuf();
  const boost::json::value expected = boost::json::parse(bytes.str());
  GoldenPairs golden;
  golden.max_length = expected.at("max_length").to_number<std::size_t>();
  for (const auto& value : expected.at("pairs").as_array()) {
    const boost::json::object& object = value.as_object();
    golden.pairs.push_back({.query = std::string(object.at("query").as_string()),
                            .passage = std::string(object.at("passage").as_string()),
                            .ids = numbers(object, "ids"),
                            .types = numbers(object, "type_ids"),
                            .logit = object.at("logit").to_number<float>(),
                            .sigmoid = object.at("sigmoid").to_number<float>()});
  }
  return golden;
}

}  // namespace scalestyle::support
