#include "growth/made_up_products.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <unordered_map>

#include "catalog/sample_random.hpp"
#include "text/words.hpp"

namespace scalestyle::bench {

class ProductRandom : public catalog::SampleRandom {
 public:
  using SampleRandom::SampleRandom;
};

namespace {

using catalog::Attribute;

constexpr std::size_t kLeastProducts = 20;
constexpr std::size_t kMostWords = 500;  // of a text; the rest is not learnt
constexpr std::size_t kMostVariants = 20;
constexpr std::uint32_t kLongestRun = 8;
constexpr std::array kColours = {Attribute::kColour,     Attribute::kColourValue,   Attribute::kColourFamily,
                                 Attribute::kColourCode, Attribute::kColourValueId, Attribute::kColourFamilyId};

std::uint32_t below(std::size_t bound, ProductRandom& random) { return random.below(static_cast<std::uint32_t>(bound)); }

catalog::ArticleView any_row(const catalog::Catalog& catalog, ProductRandom& random) {
  return catalog.row({below(catalog.size(), random)});
}

std::string new_word(ProductRandom& random) {
  std::string word;
  for (std::uint32_t length = random.between(5, 9); word.size() < length;) word += static_cast<char>('a' + random.below(26));
  return word;
}

}  // namespace

core::Result<MadeUpProducts> MadeUpProducts::learn(const catalog::Catalog& catalog) {
  MadeUpProducts learnt(catalog);
  const std::size_t products = catalog.product_count();
  if (products < kLeastProducts) {
    return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("{} products are too few to learn words from", products));
  }
  std::unordered_map<std::string, std::uint32_t> codes;
  text::Words words;
  const auto take = [&](std::string_view text, Field& field) {
    text::split_words(text, kMostWords, words);
    for (std::size_t i = 0; i < words.size(); ++i) {
      const auto [place, is_new] = codes.try_emplace(std::string(words[i]), static_cast<std::uint32_t>(codes.size()));
      if (is_new) learnt.vocabulary_.push_back(place->first);
      field.words.push_back(place->second);
    }
    field.lengths.push_back(static_cast<std::uint32_t>(words.size()));
  };
  const std::size_t last_tenth = products - products / 10;
  std::size_t words_before = 0;
  for (std::uint32_t product = 0; product < products; ++product) {
    if (product == last_tenth) words_before = learnt.vocabulary_.size();
    const auto article = catalog.row(catalog.rows_of_product(product).front());
    take(article.name(), learnt.names_);
    take(article.description(), learnt.descriptions_);
  }
  if (learnt.names_.words.empty()) return core::fail(core::ErrorCode::kInvalidArgument, "the articles' names have no words");
  learnt.new_words_ = static_cast<double>(learnt.vocabulary_.size() - words_before) / static_cast<double>(products - last_tenth);
  return learnt;
}

std::string MadeUpProducts::draw(const Field& field, std::uint32_t longest_run, ProductRandom& random) const {
  std::string text;
  if (field.words.empty()) return text;
  std::size_t left = field.lengths[below(field.lengths.size(), random)];
  while (left > 0) {
    const std::size_t at = below(field.words.size(), random);
    const std::size_t run = std::min({left, static_cast<std::size_t>(random.between(1, longest_run)), field.words.size() - at});
    for (std::size_t i = at; i < at + run; ++i) text.append(text.empty() ? "" : " ").append(vocabulary_[field.words[i]]);
    left -= run;
  }
  return text;
}

catalog::Article MadeUpProducts::draw_product(std::uint64_t number, ProductRandom& random) const {
  catalog::Article article = any_row(*catalog_, random).to_article();
  article.product_code = fmt::format("{:07}", 100'000 + number);
  article.name = draw(names_, 1, random);
  article.description = draw(descriptions_, kLongestRun, random);
  article.image_path.clear();
  if (number >= catalog_->product_count()) {
    auto share = static_cast<std::uint32_t>(new_words_ * 1e6);
    for (; share >= 1'000'000; share -= 1'000'000) article.name.append(" ").append(new_word(random));
    if (random.below(1'000'000) < share) article.name.append(" ").append(new_word(random));
  }
  return article;
}

core::Result<catalog::Catalog> MadeUpProducts::make(std::size_t articles) const {
  catalog::CatalogBuilder builder;
  for (std::uint64_t number = 0; builder.size() < articles; ++number) {
    ProductRandom random(number, 1);
    catalog::Article article = draw_product(number, random);
    const std::uint32_t like = below(catalog_->product_count(), random);
    const std::size_t variants = std::min(catalog_->rows_of_product(like).size(), kMostVariants);
    for (std::size_t variant = 1; variant <= variants && builder.size() < articles; ++variant) {
      if (variant > 1) {
        const auto other = any_row(*catalog_, random);
        for (const Attribute one : kColours) article.attributes[static_cast<std::size_t>(one)] = std::string(other[one]);
      }
      CORE_TRY(article.id, catalog::ArticleId::parse(fmt::format("{}{:03}", article.product_code, variant)));
      CORE_CHECK(builder.add(article));
    }
  }
  return std::move(builder).build();
}

}  // namespace scalestyle::bench
