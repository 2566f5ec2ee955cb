#include "golden_texts.hpp"

#include <boost/json.hpp>
#include <fstream>
#include <utility>

namespace scalestyle::nn {

std::vector<GoldenEmbedding> read_golden_embeddings(const std::filesystem::path& path) {
  std::ifstream stream(path);
  std::vector<GoldenEmbedding> texts;
  for (std::string line; std::getline(stream, line);) {
    const boost::json::value value = boost::json::parse(line);
    GoldenEmbedding golden;
    for (const auto& id : value.at("ids").as_array()) golden.ids.push_back(id.to_number<std::int32_t>());
    for (const auto& number : value.at("embedding").as_array()) golden.embedding.push_back(number.to_number<float>());
    texts.push_back(std::move(golden));
  }
  return texts;
}

}  // namespace scalestyle::nn
