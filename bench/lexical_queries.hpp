#pragma once
// Queries made from a catalogue's own texts, for the benchmarks of word search.

#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "catalog/catalog.hpp"
#include "text/words.hpp"

namespace scalestyle::bench {

// One to six neighbouring words of the name, of an attribute or of the description of some article.
[[nodiscard]] inline std::vector<std::string> generate_queries(const catalog::Catalog& catalog, std::size_t count) {
  constexpr std::array kAttributes = {catalog::Attribute::kProductType, catalog::Attribute::kColour,
                                      catalog::Attribute::kDepartment, catalog::Attribute::kSection};
  std::mt19937 random(17);
  text::Words words;
  std::vector<std::string> queries;
  while (queries.size() < count) {
    const auto article = catalog.row({static_cast<std::uint32_t>(random() % catalog.size())});
    const std::size_t source = random() % 4;
    std::string source_text(source < 2 ? article.description() : article.name());
    if (source == 3) source_text += std::string(" ").append(article[kAttributes[random() % kAttributes.size()]]);
    text::split_words(source_text, 200, words);
    if (words.empty()) continue;
    const std::size_t length = std::min<std::size_t>(1 + random() % 6, words.size());
    const std::size_t first = random() % (words.size() - length + 1);
    std::string query(words[first]);
    for (std::size_t i = first + 1; i < first + length; ++i) query.append(words.continues(i) ? "-" : " ").append(words[i]);
    queries.push_back(std::move(query));
  }
  return queries;
}

}  // namespace scalestyle::bench
