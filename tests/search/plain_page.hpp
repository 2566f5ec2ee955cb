#pragma once
// What a page must be, written out plainly over articles as a test made them: the second implementation that
// page_property_test.cpp compares the service with.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "catalog/filters.hpp"
#include "recommend/popularity_board.hpp"
#include "search/search_service.hpp"

namespace scalestyle::search {

using catalog::Article;
using catalog::Attribute;
using catalog::FilterField;

inline constexpr std::size_t kPool = 40;  // of each leg, and what the boost acts on: smaller than the shop

// What the shop and the store hold, and what a request asks for.
struct Shop {
  std::vector<Article> articles;  // by id
  std::map<std::string, std::array<double, events::kWindowCount>> windows;  // of live events, by id
};
struct Shopper {
  std::set<std::string> clicked;
  std::map<std::string, double> affinities;
};
enum class Kind { kSearch, kBrowse, kTrending };
struct Wish {
  Kind kind = Kind::kSearch;
  SearchRequest search;  // its list part is that of every kind
  BrowseSort browse = BrowseSort::kPopular;
  bool personal = false;
};

// An item of a list: one article, or a product shown as one of its articles.
struct Row {
  const Article* article = nullptr;
  double base = 0;
  double score = 0;
};

inline bool passes(const Article& article, const catalog::Filter& filter) {
  for (const FilterField field : catalog::all_filter_fields()) {
    if (filter[field].empty()) continue;
    const std::string own = catalog::fold_value(article[catalog::attribute_of(field)]);
    if (std::ranges::none_of(filter[field], [&](const std::string& value) { return catalog::fold_value(value) == own; })) return false;
  }
  if ((filter.price_min || filter.price_max) && !article.price) return false;
  return !(filter.price_min && *article.price < *filter.price_min) && !(filter.price_max && *article.price > *filter.price_max);
}

// The second implementation, over one shop.
class Plain {
 public:
  Plain(const Shop& shop, const Shopper& shopper, const recommend::PopularityBoard& board, events::EpochMs now_ms)
      : shop_(shop), shopper_(shopper), board_(board), now_ms_(now_ms) {}

  [[nodiscard]] const Article* find(std::string_view id) const {
    return &*std::ranges::find_if(shop_.articles, [id](const Article& article) { return article.id.text() == id; });
  }
  [[nodiscard]] double popularity(const Article& article) const {
    const auto row = board_.snapshot().catalog->find(article.id);
    return board_.global(*row, now_ms_);
  }
  [[nodiscard]] double window(const Article& article, std::size_t window) const {
    const auto found = shop_.windows.find(article.id.text());
    return found == shop_.windows.end() ? 0 : found->second[window];
  }

  // Everything available that passes, in an order without a query, with everybody's scores.
  [[nodiscard]] std::vector<Row> listed(const Wish& wish) const {
    std::vector<Row> rows;
    for (const Article& article : shop_.articles) {
      if (article.available && passes(article, wish.search.filter)) rows.push_back({&article});
    }
    if (wish.kind == Kind::kTrending) return trending(std::move(rows));
    if (wish.browse == BrowseSort::kPopular) return popular(std::move(rows));
    static const std::map<BrowseSort, SearchSort> kSame{{BrowseSort::kPriceAscending, SearchSort::kPriceAscending},
                                                        {BrowseSort::kPriceDescending, SearchSort::kPriceDescending},
                                                        {BrowseSort::kNewest, SearchSort::kNewest}};
    if (wish.browse != BrowseSort::kName) return sorted(std::move(rows), kSame.at(wish.browse));
    std::ranges::stable_sort(rows, {}, [](const Row& row) { return catalog::fold_value(row.article->name); });
    return rows;
  }

  [[nodiscard]] std::vector<Row> sorted(std::vector<Row> rows, SearchSort sort) const {
    const auto by_id = [](const Row& row) { return row.article->id; };
    std::ranges::sort(rows, {}, by_id);
    if (sort == SearchSort::kNewest) std::ranges::reverse(rows);
    if (sort == SearchSort::kPopularity) {
      std::ranges::stable_sort(rows, std::greater<>(), [this](const Row& row) { return popularity(*row.article); });
    }
    if (sort == SearchSort::kPriceAscending || sort == SearchSort::kPriceDescending) {
      std::ranges::stable_sort(rows, [sort](const Row& a, const Row& b) {
        if (!a.article->price || !b.article->price) return a.article->price.has_value() && !b.article->price;
        return sort == SearchSort::kPriceAscending ? *a.article->price < *b.article->price : *a.article->price > *b.article->price;
      });
    }
    return rows;
  }

  // The best rows, bent towards the shopper.
  [[nodiscard]] std::vector<Row> bent(std::vector<Row> rows) const {
    const std::size_t head = std::min(rows.size(), kPool);
    std::array<double, 3> greatest{50, 50, 50};
    for (std::size_t i = 0; i < head; ++i) {
      for (std::size_t w = 0; w < 3; ++w) greatest[w] = std::max(greatest[w], window(*rows[i].article, w));
    }
    for (std::size_t i = 0; i < head; ++i) {
      const Article& article = *rows[i].article;
      double factor = shopper_.clicked.contains(article.id.text()) ? 1.5 : 1.0;
      if (const auto found = shopper_.affinities.find(article[Attribute::kProductType]); found != shopper_.affinities.end()) {
        factor *= 1 + 0.2 * found->second / (found->second + 1);
      }
      constexpr std::array<double, 3> kWeights{0.20, 0.10, 0.05};
      double live = 1;
      for (std::size_t w = 0; w < 3; ++w) live += kWeights[w] * std::log(1 + window(article, w)) / std::log(1 + greatest[w]);
      rows[i].score = rows[i].base * std::min(3.0, factor * live);
    }
    std::stable_sort(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(head),
                     [](const Row& a, const Row& b) { return a.score > b.score; });
    return rows;
  }

  // One row a product where the list is collapsed.
  [[nodiscard]] static std::vector<Row> items(const std::vector<Row>& rows, bool collapse) {
    std::vector<Row> kept;
    std::set<std::string> products;
    for (const Row& row : rows) {
      if (collapse && !products.insert(row.article->product_code).second) continue;
      kept.push_back(row);
    }
    return kept;
  }

  // Windows of the list; only the first so many items are looked at.
  [[nodiscard]] static std::vector<Row> diverse(std::vector<Row> rows, const ListRequest& wanted) {
    const std::size_t per_type = wanted.max_per_type.value_or(0);
    const std::size_t per_section = wanted.max_per_section.value_or(0);
    if (per_type == 0 && per_section == 0) return rows;
    std::vector<Row> done;
    while (!rows.empty()) {
      std::vector<std::size_t> taken;
      const auto alike = [&](std::size_t candidate, Attribute attribute) {
        return static_cast<std::size_t>(std::ranges::count_if(
            taken, [&](std::size_t i) { return (*rows[i].article)[attribute] == (*rows[candidate].article)[attribute]; }));
      };
      for (std::size_t i = 0; i < rows.size() && taken.size() < *wanted.diversity_window; ++i) {
        if (per_type > 0 && alike(i, Attribute::kProductType) >= per_type) continue;
        if (per_section > 0 && alike(i, Attribute::kSection) >= per_section) continue;
        taken.push_back(i);
      }
      for (std::size_t i = 0; i < rows.size() && taken.size() < *wanted.diversity_window; ++i) {
        if (std::ranges::find(taken, i) == taken.end()) taken.push_back(i);
      }
      for (const std::size_t i : taken) done.push_back(rows[i]);
      std::ranges::sort(taken, std::greater<>());
      for (const std::size_t i : taken) rows.erase(rows.begin() + static_cast<std::ptrdiff_t>(i));
    }
    return done;
  }

 private:
  [[nodiscard]] std::vector<Row> popular(std::vector<Row> rows) const {
    std::ranges::stable_sort(rows, std::greater<>(), [this](const Row& row) { return popularity(*row.article); });
    const double greatest = rows.empty() ? 0 : popularity(*rows.front().article);
    for (Row& row : rows) row.base = row.score = scaled(popularity(*row.article), greatest);
    return rows;
  }
  [[nodiscard]] std::vector<Row> trending(std::vector<Row> rows) const {
    std::vector<Row> all = rows;
    for (const std::size_t at : {std::size_t{1}, std::size_t{2}}) {
      const auto events = [this, at](const Row& row) { return window(*row.article, at); };
      std::vector<Row> found = rows;
      std::erase_if(found, [&](const Row& row) { return events(row) <= 0; });
      if (found.empty()) continue;
      std::ranges::stable_sort(found, std::greater<>(), events);
      for (Row& row : found) row.base = row.score = scaled(events(row), events(found.front()));
      return found;
    }
    return popular(std::move(all));
  }
  static double scaled(double popularity, double greatest) {
    return std::max(1e-6, std::log(1 + popularity) / std::log(1 + std::max(greatest, 50.0)));
  }

  const Shop& shop_;
  const Shopper& shopper_;
  const recommend::PopularityBoard& board_;
  events::EpochMs now_ms_;
};

// The whole list as it must be before anything is shown.
struct Expected {
  std::vector<Row> pool;   // all rows, of everybody's list; all of them available
  std::vector<Row> items;  // in the order of the request, before diversity
  bool sorted = false;
};

// --- checks of one answer

inline void check_variants(const AnswerItem& item, const Shop& shop, const Wish& wish) {
  const std::string code(item.article.product_code());
  std::vector<std::pair<std::string, bool>> expected;
  for (const bool matching : {true, false}) {
    for (const Article& article : shop.articles) {
      const bool other = article.product_code == code && article.id.text() != item.article.id() && article.available;
      if (other && passes(article, wish.search.filter) == matching) expected.emplace_back(article.id.text(), matching);
    }
  }
  if (!wish.search.collapse) expected.clear();
  ASSERT_EQ(item.variants_total, expected.size());
  ASSERT_EQ(item.variants.size(), std::min(expected.size(), kMaxVariants));
  for (std::size_t i = 0; i < item.variants.size(); ++i) {
    EXPECT_EQ(item.variants[i].article.id(), expected[i].first);
    EXPECT_EQ(item.variants[i].matches, expected[i].second);
  }
}

inline std::string key_of(const Article& article, bool collapse) { return collapse ? article.product_code : article.id.text(); }

inline void check_values(const ValueFacet& facet, const std::vector<const Article*>& rows, const Shop& shop, bool collapse) {
  const auto value_of = [&](const Article& article) { return article[catalog::attribute_of(facet.field)]; };
  std::map<std::string, std::set<std::string>> items;  // by folded value
  std::map<std::string, std::string> texts;            // the first by bytes
  for (const Article& article : shop.articles) {
    const auto [place, is_new] = texts.try_emplace(catalog::fold_value(value_of(article)), value_of(article));
    if (!is_new) place->second = std::min(place->second, value_of(article));
  }
  for (const Article* article : rows) {
    const std::string folded = catalog::fold_value(value_of(*article));
    if (!folded.empty()) items[folded].insert(key_of(*article, collapse));
  }
  ASSERT_EQ(facet.distinct, items.size());
  ASSERT_EQ(facet.values.size(), std::min(items.size(), kMaxFacetValues));
  std::size_t counted = 0;
  for (std::size_t i = 0; i < facet.values.size(); ++i) {
    const FacetValue& value = facet.values[i];
    EXPECT_EQ(value.count, items[catalog::fold_value(value.text)].size()) << value.text;
    EXPECT_EQ(value.text, texts[catalog::fold_value(value.text)]);
    counted += value.count;
    if (i == 0) continue;
    const FacetValue& before = facet.values[i - 1];
    EXPECT_TRUE(before.count > value.count || (before.count == value.count && before.text < value.text));
  }
  std::size_t all = 0;
  for (const auto& [value, keys] : items) all += keys.size();
  EXPECT_EQ(facet.other, all - counted);
}

inline void check_prices(const PriceFacet& facet, const std::vector<const Article*>& rows, bool collapse) {
  std::set<std::string> priced;
  double least = HUGE_VAL;
  double greatest = -HUGE_VAL;
  for (const Article* article : rows) {
    if (!article->price) continue;
    priced.insert(key_of(*article, collapse));
    least = std::min(least, *article->price);
    greatest = std::max(greatest, *article->price);
  }
  ASSERT_EQ(facet.count, priced.size());
  if (priced.empty()) {
    EXPECT_TRUE(facet.ranges.empty());
    return;
  }
  EXPECT_EQ(facet.minimum, least);
  EXPECT_EQ(facet.maximum, greatest);
  ASSERT_FALSE(facet.ranges.empty());
  EXPECT_FALSE(facet.ranges.front().from);
  EXPECT_FALSE(facet.ranges.back().to);
  for (std::size_t i = 0; i < facet.ranges.size(); ++i) {
    const PriceRange& range = facet.ranges[i];
    if (i > 0) {
      EXPECT_EQ(range.from, facet.ranges[i - 1].to);
      EXPECT_TRUE(!range.to || *range.from < *range.to);
    }
    std::set<std::string> inside;
    for (const Article* article : rows) {
      const bool in = article->price && !(range.from && *article->price < *range.from) && !(range.to && *article->price > *range.to);
      if (in) inside.insert(key_of(*article, collapse));
    }
    EXPECT_EQ(range.count, inside.size());
  }
}

// The rows that a facet counts: the list, or where the filters alone make it, what the other filters let pass.
inline std::vector<const Article*> facet_rows(std::size_t facet, const Expected& expected, const Shop& shop, const Wish& wish, bool own_applied) {
  std::vector<const Article*> rows;
  const bool price = facet == kPriceFacet;
  catalog::Filter filter = wish.search.filter;
  const bool filtered = price ? filter.price_min || filter.price_max : !filter.values[facet].empty();
  if (filtered && !own_applied) {
    if (price) {
      filter.price_min.reset();
      filter.price_max.reset();
    } else {
      filter.values[facet].clear();
    }
    for (const Article& article : shop.articles) {
      if (article.available && passes(article, filter)) rows.push_back(&article);
    }
    return rows;
  }
  for (const Row& row : expected.pool) rows.push_back(row.article);
  return rows;
}

inline void check_facets(const SearchAnswer& answer, const Expected& expected, const Shop& shop, const Wish& wish) {
  ASSERT_EQ(answer.facets.has_value(), wish.search.facets.any());
  if (!answer.facets) return;
  std::size_t next = 0;
  for (std::size_t facet = 0; facet < kPriceFacet; ++facet) {
    if (!wish.search.facets[facet]) continue;
    const ValueFacet& found = answer.facets->values.at(next++);
    ASSERT_EQ(static_cast<std::size_t>(found.field), facet);
    check_values(found, facet_rows(facet, expected, shop, wish, found.own_filter_applied), shop, wish.search.collapse);
    if (wish.kind == Kind::kBrowse) {
      EXPECT_FALSE(found.own_filter_applied);
    } else if (wish.kind == Kind::kSearch) {
      EXPECT_EQ(found.own_filter_applied, !wish.search.filter.values[facet].empty());
    }
  }
  EXPECT_EQ(next, answer.facets->values.size());
  ASSERT_EQ(answer.facets->price.has_value(), wish.search.facets[kPriceFacet]);
  if (!answer.facets->price) return;
  check_prices(*answer.facets->price, facet_rows(kPriceFacet, expected, shop, wish, answer.facets->price->own_filter_applied),
               wish.search.collapse);
}

// The articles of a page, each with its score and place.
inline void check_page(const SearchOutcome& outcome, const std::vector<Row>& page, std::size_t before, const Expected& expected) {
  ASSERT_TRUE(outcome);
  ASSERT_EQ(outcome->items.size(), page.size());
  for (std::size_t i = 0; i < page.size(); ++i) {
    const AnswerItem& item = outcome->items[i];
    EXPECT_EQ(item.article.id(), page[i].article->id.text()) << "place " << i;
    EXPECT_EQ(item.rank, before + i + 1);
    if (expected.sorted) continue;
    EXPECT_NEAR(item.score, page[i].score, 1e-9);
    EXPECT_NEAR(item.behavior_score.value_or(0), page[i].score - page[i].base, 1e-9);
  }
}

}  // namespace scalestyle::search
