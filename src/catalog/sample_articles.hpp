#pragma once
// The invented articles, before they are written to files.

#include <cstdint>
#include <vector>

#include "catalog/article.hpp"
#include "catalog/sample.hpp"
#include "catalog/sample_picture.hpp"

namespace scalestyle::catalog {

struct SampleArticle {
  Article article;
  std::uint32_t price_cents = 0;
  std::uint32_t popularity = 0;  // relative number of purchases
  SamplePicture picture;
};

// In the order of their ids. Options are valid.
[[nodiscard]] std::vector<SampleArticle> make_sample_articles(const SampleOptions& options);

}  // namespace scalestyle::catalog
