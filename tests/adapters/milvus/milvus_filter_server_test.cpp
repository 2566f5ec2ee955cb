// Filter expressions on real servers give the same sets as the filters of the embedded catalogue.

#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "catalog/catalog.hpp"
#include "catalog/filters.hpp"
#include "catalog/sample_articles.hpp"
#include "milvus_servers.hpp"

namespace scalestyle::adapters::milvus {
namespace {

using catalog::Filter;
using catalog::FilterField;

constexpr std::size_t kDimension = 8;

// Articles of the sample, some of them with values that an expression must quote, without a price, or not available.
catalog::Catalog sample_catalogue() {
  catalog::SampleOptions options;
  options.products = 300;
  std::mt19937 random(5);
  catalog::CatalogBuilder builder;
  const std::vector<std::string> odd = {"say \"hi\"", "back\\slash", "Größe ÄÖÜ",   "日本 { } %_*",
                                        "it's",       "a\\\"b",      "tab\tinside", ""};
  for (auto& sample : catalog::make_sample_articles(options)) {
    catalog::Article& article = sample.article;
    article.price = sample.price_cents / 100.0;
    if (random() % 5 == 0)
      article[catalog::attribute_of(catalog::all_filter_fields()[random() % 8])] = odd[random() % odd.size()];
    if (random() % 9 == 0) article.price.reset();
    if (random() % 50 == 0) article.price = 0;
    article.available = random() % 4 != 0;
    EXPECT_TRUE(builder.add(article));
  }
  return std::move(builder).build().value();
}

class MilvusFilterTest : public MilvusTest {
 protected:
  void SetUp() override {
    MilvusTest::SetUp();
    if (IsSkipped()) return;
    vectors_ = support::random_vectors(catalog_.size(), kDimension, 6);
    writer_ = connection_->writer({.collection_prefix = prefix_, .index = MilvusIndexType::kFlat});
    const auto filled = core::sync_wait(
        writer_->fill(generation_, {.encoder = sample_encoder(kDimension), .catalog = &catalog_, .values = vectors_.values},
                      core::Deadline::never()));
    ASSERT_TRUE(filled) << filled.error().message;
    index_ = connection_->index({.collection_prefix = prefix_});
    ASSERT_TRUE(core::sync_wait(index_->open(generation_, core::Deadline::never())));
    available_index_ = connection_->index({.collection_prefix = prefix_, .only_available = true});
    ASSERT_TRUE(core::sync_wait(available_index_->open(generation_, core::Deadline::never())));
  }
  void TearDown() override {
    if (writer_ != nullptr) {
      EXPECT_TRUE(core::sync_wait(writer_->drop(generation_, core::Deadline::never())));
    }
  }

  std::set<std::string> found(MilvusVectorIndex& index, const Filter& filter) {
    ports::VectorQuery query{.vector = std::vector<float>(kDimension, 0.35355339F), .k = kMaxMilvusHits,
                             .filter = std::make_shared<const Filter>(filter),
                             .eligible = std::make_shared<const catalog::Bitmap>(catalog_.size(), true)};
    auto hits = core::sync_wait(index.search(generation_, {std::move(query)}, core::Deadline::never()));
    EXPECT_TRUE(hits) << hits.error().message << " of " << filter_text(filter);
    std::set<std::string> ids;
    if (hits) {
      for (const auto& hit : (*hits)[0].hits) ids.insert(hit.article_id.text());
      EXPECT_EQ(ids.size(), (*hits)[0].hits.size());
    }
    return ids;
  }

  // By the embedded filter: of all articles, or of those that are available.
  std::set<std::string> expected(const Filter& filter, bool only_available) const {
    std::vector<catalog::Catalog::RowState> states;
    for (std::uint32_t row = 0; row < catalog_.size(); ++row) {
      states.push_back({.row = {row}, .price = catalog_.row({row}).price(), .available = true});
    }
    const auto rows = catalog::eligible(only_available ? catalog_.with_states({}) : catalog_.with_states(states), filter);
    std::set<std::string> ids;
    rows.for_each([&](catalog::RowIndex row) { ids.emplace(catalog_.row(row).id()); });
    return ids;
  }

  static std::string filter_text(const Filter& filter) {
    std::string text;
    for (const FilterField field : catalog::all_filter_fields()) {
      for (const auto& value : filter[field]) text += std::string(catalog::parameter_name(field)) + "='" + value + "' ";
    }
    if (filter.price_min) text += "from " + std::to_string(*filter.price_min);
    if (filter.price_max) text += " to " + std::to_string(*filter.price_max);
    return text;
  }

  void expect_same(const Filter& filter) {
    SCOPED_TRACE(filter_text(filter));
    EXPECT_EQ(found(*index_, filter), expected(filter, false));
    EXPECT_EQ(found(*available_index_, filter), expected(filter, true));
  }

  std::string value_of(FilterField field, std::mt19937& random) const {
    const auto attribute = catalog::attribute_of(field);
    std::string value;
    do {
      value = catalog_.value_of(attribute, static_cast<std::uint32_t>(random() % catalog_.value_count(attribute)));
    } while (value.empty() || value.find('\t') != std::string::npos);  // blank is no filter, a tab cannot be said
    if (random() % 3 == 0)
      std::ranges::transform(value, value.begin(), [](unsigned char c) { return c < 128 ? std::toupper(c) : c; });
    return random() % 3 == 0 ? " " + value + " " : value;
  }

  const core::GenerationId generation_{"20260301T120000Z-1a2b3c4d"};
  const catalog::Catalog catalog_ = sample_catalogue();
  support::IndexedVectors vectors_;
  std::unique_ptr<MilvusCollectionWriter> writer_;
  std::unique_ptr<MilvusVectorIndex> index_;
  std::unique_ptr<MilvusVectorIndex> available_index_;
};

TEST_P(MilvusFilterTest, EveryKindAndRandomCombinationsGiveTheSameSets) {
  std::mt19937 random(7);
  expect_same({});
  for (const FilterField field : catalog::all_filter_fields()) {
    Filter one;
    one[field] = {value_of(field, random)};
    expect_same(one);
    one[field] = {value_of(field, random), value_of(field, random), "of no article"};
    expect_same(one);
    one[field] = {"of no article"};
    expect_same(one);
  }
  for (const double bound : {0.0, 0.01, 19.99, 1e-9, 1e12}) {
    Filter price;
    price.price_min = bound;
    expect_same(price);
    price.price_max = bound;
    expect_same(price);
    price.price_min.reset();
    expect_same(price);
  }
  std::size_t not_empty = 0;
  for (int i = 0; i < 120; ++i) {
    Filter filter;
    for (const FilterField field : catalog::all_filter_fields()) {
      if (random() % 4 != 0) continue;
      for (unsigned n = 0; n <= random() % 6; ++n) filter[field].push_back(value_of(field, random));
    }
    // Prices of articles, so that bounds are met exactly.
    const auto price = [&] { return catalog_.row({static_cast<std::uint32_t>(random() % catalog_.size())}).price(); };
    if (random() % 2 == 0) filter.price_min = price();
    if (random() % 2 == 0) filter.price_max = price();
    not_empty += expected(filter, false).empty() ? 0U : 1U;
    expect_same(filter);
  }
  EXPECT_GT(not_empty, 40U);
}

TEST_P(MilvusFilterTest, HostileValuesFindWhatTheyNameAndNothingElse) {
  for (const char* value : {R"(x"] or article_id != "")", R"(" or true or ")", "\\", "\"", "'", R"(\")", "{x}", "%", "日本 { } %_*",
                            R"(say "hi")", R"(back\slash)", R"(a\"b)", "größe äöü", "$0", "--", "null"}) {
    for (const FilterField field : catalog::all_filter_fields()) {
      Filter filter;
      filter[field] = {value};
      expect_same(filter);
    }
  }
}

TEST_P(MilvusFilterTest, WhatCannotBeSaidLetsMorePass) {
  Filter filter;
  filter[FilterField::kColour] = {"tab\tinside"};
  EXPECT_EQ(found(*index_, filter).size(), catalog_.size());
}

INSTANTIATE_TEST_SUITE_P(Servers, MilvusFilterTest, testing::Values(kMilvus, kMilvusLite), server_name);

}  // namespace
}  // namespace scalestyle::adapters::milvus
