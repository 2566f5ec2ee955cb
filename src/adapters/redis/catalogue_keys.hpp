#pragma once
// Names of the keys that hold catalogues in Redis (docs/formats/redis-catalogue.md). Pure.

#include <cstddef>
#include <string>
#include <string_view>

#include "core/ids.hpp"

namespace scalestyle::adapters::redis {

// 1–64 letters, digits, '-', '_' or '.', not beginning with '.': as the data folder names generations.
[[nodiscard]] bool is_generation_name(std::string_view text);

struct CatalogueKeys {
  std::string prefix;  // of all of them: "scalestyle:"

  [[nodiscard]] std::string current() const { return prefix + "catalogue:current"; }
  [[nodiscard]] std::string generations() const { return prefix + "catalogue:generations"; }
  [[nodiscard]] std::string item_ids() const { return prefix + "catalogue:item_ids"; }
  [[nodiscard]] std::string manifest(const core::GenerationId& id) const { return of(id) + "manifest"; }
  [[nodiscard]] std::string articles(const core::GenerationId& id, std::size_t block) const {
    return of(id) + "articles:" + std::to_string(block);
  }
  [[nodiscard]] std::string neighbours(const core::GenerationId& id, std::size_t block) const {
    return of(id) + "neighbours:" + std::to_string(block);
  }
  [[nodiscard]] std::string generation_use() const { return prefix + "generation:use"; }

  // For other readers.
  [[nodiscard]] std::string item(std::string_view article_id) const { return prefix + "item:" + std::string(article_id); }
  [[nodiscard]] std::string global_popular() const { return prefix + "global:popular"; }
  [[nodiscard]] std::string popularity_seed(std::string_view period) const {  // "24h", "7d"
    return prefix + "popularity:seed:" + std::string(period);
  }

  // One slot: a script writes them together.
  [[nodiscard]] std::string change(std::string_view part) const { return prefix + "{catalogue:changes}:" + std::string(part); }

 private:
  [[nodiscard]] std::string of(const core::GenerationId& id) const { return prefix + "catalogue:g:" + id.value() + ":"; }
};

}  // namespace scalestyle::adapters::redis
