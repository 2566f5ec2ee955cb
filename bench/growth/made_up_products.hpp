#pragma once
// Made-up articles of any number, drawn from the word statistics of a catalogue.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "catalog/catalog.hpp"
#include "core/result.hpp"

namespace scalestyle::bench {

// Attributes and price are those of an article of the catalogue; its other variants take another's colour. A name is as long as some
// name, a description as some description; names are drawn word by word, descriptions in runs of one to eight neighbouring words, each
// word as often as the catalogue has it. Products beyond the catalogue's number bring new words at the rate at which its last
// tenth does, so that the vocabulary goes on growing. What a product is depends on its number alone.
class MadeUpProducts {
 public:
  // `catalog` must outlive the object. kInvalidArgument: fewer than 20 products, or names without words.
  [[nodiscard]] static core::Result<MadeUpProducts> learn(const catalog::Catalog& catalog);

  // A catalogue of so many articles. Errors: those of catalog::CatalogBuilder.
  [[nodiscard]] core::Result<catalog::Catalog> make(std::size_t articles) const;

  [[nodiscard]] double new_words_a_product() const { return new_words_; }

 private:
  struct Field {
    std::vector<std::uint32_t> words;  // of all texts, one behind the other
    std::vector<std::uint32_t> lengths;
  };

  explicit MadeUpProducts(const catalog::Catalog& catalog) : catalog_(&catalog) {}
  [[nodiscard]] std::string draw(const Field& field, std::uint32_t longest_run, class ProductRandom& random) const;
  [[nodiscard]] catalog::Article draw_product(std::uint64_t number, ProductRandom& random) const;

  const catalog::Catalog* catalog_;
  std::vector<std::string> vocabulary_;
  Field names_;
  Field descriptions_;
  double new_words_ = 0;
};

}  // namespace scalestyle::bench
