#pragma once
// The pairs of a golden cross-encoder's expected.json.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace scalestyle::support {

struct GoldenPair {
  std::string query;
  std::string passage;
  std::vector<std::int32_t> ids;
  std::vector<std::int32_t> types;  // empty where the model has one type
  float logit = 0;
  float sigmoid = 0;
};

struct GoldenPairs {
  std::size_t max_length = 0;
  std::vector<GoldenPair> pairs;
};

// Throws when the file cannot be read.
[[nodiscard]] GoldenPairs read_golden_pairs(const std::filesystem::path& expected_json);

}  // namespace scalestyle::support
