// What a shopper gets, compared with a second, plain implementation (plain_page.hpp) over random shops, requests and
// shoppers: filters × facets × collapse × sort × diversity × personalisation × rerank × pages by offset and by cursor.
//
// The list of a query itself (fusion, reranked or not) is taken from a service that knows no subject and keeps no list, with
// collapse=false.

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "list_fixture.hpp"
#include "plain_page.hpp"
#include "search/reranker.hpp"
#include "support/fake_pair_scorer.hpp"

namespace scalestyle::search {
namespace {

class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}
  std::size_t below(std::size_t bound) { return std::uniform_int_distribution<std::size_t>(0, bound - 1)(engine_); }
  bool chance(std::size_t one_in) { return below(one_in) == 0; }
  template <class T>
  const T& of(const std::vector<T>& list) { return list[below(list.size())]; }

 private:
  std::mt19937 engine_;
};

class PagePropertyTest : public ListFixture {
 protected:
  static const std::vector<std::string>& colours() {
    static const std::vector<std::string> list{"Red", "Blue", "BLUE", "Green", "", "Grey"};
    return list;
  }
  static const std::vector<std::string>& sections() {
    static const std::vector<std::string> list{"Women", "Men", "Kids"};
    return list;
  }

  // Products of one to six variants; in some shops their ids are not neighbours. Some are not available.
  static Shop make_shop(Random& random) {
    Shop shop;
    const bool scattered = random.chance(2);
    const std::size_t products = 30 + random.below(30);
    std::vector<std::string> ids;
    for (std::size_t product = 0; product < products; ++product) {
      const std::size_t variants = 1 + random.below(random.chance(10) ? 40 : 4);
      for (std::size_t variant = 0; variant < variants; ++variant) {
        const std::size_t number = scattered ? variant * 1'000 + product : product * 100 + variant;
        auto article = support::make_article(std::to_string(100'000 + number), "Name " + std::to_string(random.below(12)));
        article.product_code = "p" + std::to_string(product);
        article[Attribute::kColour] = random.of(colours());
        article[Attribute::kProductType] = kTypes[random.chance(8) ? random.below(kTypes.size()) : product % kTypes.size()];
        article[Attribute::kSection] = sections()[random.chance(8) ? random.below(3) : product % 3];
        if (!random.chance(6)) article.price = static_cast<double>(random.below(30)) * (random.chance(3) ? 0.5 : 7);
        article.available = !random.chance(9);
        article.purchase_count = random.chance(3) ? random.below(500) : 0;
        shop.articles.push_back(std::move(article));
      }
    }
    std::ranges::sort(shop.articles, {}, [](const Article& article) { return article.id; });
    return shop;
  }

  void open(Shop& shop, Random& random, const std::string& generation) {
    for (const Article& article : shop.articles) {
      if (!random.chance(4)) continue;  // what an article had in the shop before, it keeps
      const double hour = static_cast<double>(random.below(3)) * 30;
      const double day = hour + static_cast<double>(random.below(100));
      const std::array<double, events::kWindowCount> windows{hour, day, day + static_cast<double>(random.below(100))};
      const double global = random.chance(2) ? static_cast<double>(random.below(900)) : 0;
      features_.set_popularity({article.id.text(), windows, {global, clock_.now_ms()}});
      windows_[article.id.text()] = windows;
    }
    shop.windows = windows_;
    publish_with_photos(generation, shop.articles);
    refresh_popularity();
  }

  Shopper make_shopper(const Shop& shop, Random& random) {
    Shopper shopper;
    events::SubjectFeatures features;
    features.last_event_ms = clock_.now_ms();
    for (std::size_t i = random.below(6); i > 0; --i) {
      const std::string id = random.of(shop.articles).id.text();
      features.recent_items.push_back({id, clock_.now_ms(), events::EventType::kClick});
      shopper.clicked.insert(id);
    }
    for (const std::string& type : kTypes) {
      if (random.chance(2)) continue;
      const double affinity = static_cast<double>(1 + random.below(500)) / 100;
      features.affinities.push_back({type, {affinity, clock_.now_ms()}});
      shopper.affinities[type] = affinity;
    }
    features_.set_features(user("u"), features);
    return shopper;
  }

  static void add_picture(Random& random, SearchRequest& wanted) {
    VisualQuery& visual = wanted.visual.emplace();
    visual.mode = static_cast<VisualMode>(random.below(kVisualModeCount));
    if (visual.mode != VisualMode::kTextToImage) {
      visual.image = std::make_shared<const std::string>("photo " + std::to_string(random.below(12)));
    }
    if (random.chance(3)) visual.text_weight = static_cast<double>(random.below(3));
    if (visual.mode != VisualMode::kHybrid && random.chance(3)) visual.less_like = "dull";
  }

  static Wish make_wish(Random& random) {
    static const std::vector<SearchSort> kSorts{SearchSort::kPriceAscending, SearchSort::kPriceDescending, SearchSort::kNewest,
                                                SearchSort::kPopularity};
    static const std::vector<BrowseSort> kBrowseSorts{BrowseSort::kPopular, BrowseSort::kPriceAscending, BrowseSort::kPriceDescending,
                                                      BrowseSort::kName, BrowseSort::kNewest};
    Wish wish;
    SearchRequest& wanted = wish.search;
    wish.kind = random.chance(2) ? Kind::kSearch : random.chance(3) ? Kind::kTrending : Kind::kBrowse;
    wanted.query = "Name " + std::to_string(random.below(12));
    if (random.chance(2)) add_picture(random, wanted);
    if (random.chance(2)) wanted.sort = random.of(kSorts);
    wanted.rerank.enabled = random.chance(2);
    wanted.rerank.depth = ranking::kMaxRerankDepth;  // every row
    wish.browse = random.of(kBrowseSorts);
    wanted.collapse = !random.chance(4);
    wish.personal = random.chance(2);
    wanted.k = 1 + random.below(12);
    for (std::size_t facet = 0; facet < wanted.facets.size(); ++facet) wanted.facets[facet] = random.chance(2);
    if (random.chance(3)) {
      if (random.chance(2)) wanted.filter[FilterField::kColour] = {"blue"};
      if (random.chance(2)) wanted.filter[FilterField::kType] = {random.of(kTypes), random.of(kTypes)};
      if (random.chance(3)) wanted.filter[FilterField::kSection] = {"men"};
      if (random.chance(3)) wanted.filter.price_min = static_cast<double>(random.below(40));
      if (random.chance(3)) wanted.filter.price_max = 40 + static_cast<double>(random.below(100));
    }
    if (random.chance(3)) {
      wanted.max_per_type = random.below(4);
      wanted.max_per_section = random.below(4);
      wanted.diversity_window = 1 + random.below(12);
    }
    return wish;
  }

  SearchOutcome ask(SearchService& service, const Wish& wish, std::size_t offset, const std::string& cursor) {
    const auto with = [&](auto wanted) {
      static_cast<ListRequest&>(wanted) = wish.search;
      wanted.offset = offset;
      wanted.cursor = cursor;
      if (wish.personal) wanted.user_id = core::UserId("u");
      return run(service, wanted);
    };
    switch (wish.kind) {
      case Kind::kBrowse: return with(BrowseRequest{{}, wish.browse});
      case Kind::kTrending: return with(TrendingRequest{});
      case Kind::kSearch: break;
    }
    return with(SearchRequest(wish.search));
  }

  // Knows nobody, and makes every list anew.
  SearchService& make_plain() {
    return make_with({.generations = holder_, .encoder = encoder_, .index = index_, .pool = compute_.pool(),
                      .timers = compute_.timers(), .clock = clock_, .metrics = metrics_, .reranker = &reranker_,
                      .images = &images_, .image_index = &photos_},
                     {.pool_size = kPool, .list_cache = {.max_bytes = 0}});
  }
  SearchService& make_selling() {
    return make_with({.generations = holder_, .encoder = encoder_, .index = index_, .pool = compute_.pool(),
                      .timers = compute_.timers(), .clock = clock_, .metrics = metrics_, .features = &features_,
                      .popularity = &popularity_, .reranker = &reranker_, .images = &images_, .image_index = &photos_},
                     {.pool_size = kPool});
  }

  PagePropertyTest() { look_into_photos(); }

  std::map<std::string, std::array<double, events::kWindowCount>> windows_;
  support::FakePairScorer scorer_{compute_.pool(), clock_};
  Reranker reranker_{{.scorer = scorer_, .timers = compute_.timers(), .clock = clock_, .metrics = metrics_}, {}};
};

class PageWalk : public PagePropertyTest {
 protected:
  // Everybody's list before a page is cut, all variants.
  static std::vector<Row> everybodys_list(SearchService& service, const Wish& wish, const Plain& plain) {
    if (wish.kind != Kind::kSearch) return plain.listed(wish);
    std::vector<Row> rows;
    SearchRequest wanted;
    wanted.query = wish.search.query;
    wanted.filter = wish.search.filter;
    wanted.legs = wish.search.legs;
    wanted.rerank = wish.search.rerank;
    wanted.visual = wish.search.visual;
    wanted.collapse = false;
    wanted.k = kMaxK;
    for (;; wanted.offset += kMaxK) {
      const auto outcome = run(service, wanted);
      for (const AnswerItem& item : outcome.value().items) {
        const Article* const article = plain.find(item.article.id());
        EXPECT_TRUE(article->available && passes(*article, wanted.filter)) << item.article.id();
        rows.push_back({article, item.score, item.score});
      }
      if (outcome->items.size() < kMaxK) return rows;
    }
  }

  static Expected expect(std::vector<Row> pool, const Wish& wish, const Plain& plain) {
    Expected expected;
    expected.pool = std::move(pool);
    auto rows = expected.pool;
    if (wish.kind == Kind::kSearch && wish.search.sort != SearchSort::kRelevance) {
      expected.sorted = true;
      rows = plain.sorted(rows, wish.search.sort);
    } else if (wish.kind == Kind::kBrowse && wish.browse != BrowseSort::kPopular) {
      expected.sorted = true;
    } else if (wish.personal) {
      rows = plain.bent(rows);
    }
    expected.items = Plain::items(rows, wish.search.collapse);
    return expected;
  }

  static std::vector<Row> ordered(const std::vector<Row>& items, const Expected& expected, const Wish& wish) {
    return expected.sorted ? items : Plain::diverse(items, wish.search);
  }

  void check_offsets(SearchService& service, const Wish& wish, const Shop& shop, const Expected& expected) {
    const auto list = ordered(expected.items, expected, wish);
    for (std::size_t offset = 0; offset <= list.size(); offset += 1 + list.size() / 3) {
      const auto outcome = ask(service, wish, offset, {});
      const std::size_t end = std::min(list.size(), offset + wish.search.k);
      check_page(outcome, {list.begin() + static_cast<std::ptrdiff_t>(offset), list.begin() + static_cast<std::ptrdiff_t>(end)}, offset,
                 expected);
      if (HasFatalFailure()) return;
      EXPECT_EQ(outcome->total, list.size());
      EXPECT_EQ(outcome->cursor.empty(), end == list.size() || outcome->items.empty());
      check_facets(*outcome, expected, shop, wish);
      for (const AnswerItem& item : outcome->items) check_variants(item, shop, wish);
    }
  }

  // By cursor, with clicks between the pages: each page is the current list without what was shown.
  void check_cursors(SearchService& service, Wish wish, const Shop& shop, const std::vector<Row>& pool, Random& random) {
    wish.search.k += 4;
    std::string cursor;
    std::set<std::string> shown;
    for (;;) {
      const Shopper shopper = make_shopper(shop, random);
      const Plain plain(shop, shopper, *holder_.serving()->popularity(), clock_.now_ms());
      const Expected expected = expect(pool, wish, plain);
      auto left = expected.items;
      std::erase_if(left, [&](const Row& row) { return shown.contains(key_of(*row.article, wish.search.collapse)); });
      left = ordered(left, expected, wish);
      const bool more = left.size() > wish.search.k;
      if (more) left.resize(wish.search.k);
      const auto outcome = ask(service, wish, 0, cursor);
      check_page(outcome, left, shown.size(), expected);
      if (HasFatalFailure()) return;
      EXPECT_EQ(outcome->total, expected.items.size());
      for (const Row& row : left) EXPECT_TRUE(shown.insert(key_of(*row.article, wish.search.collapse)).second);
      cursor = outcome->cursor;
      ASSERT_EQ(cursor.empty(), !more);
      if (!more) break;
    }
  }
};

TEST_F(PageWalk, EveryAnswerIsWhatThePlainImplementationGives) {
  for (unsigned seed = 0; seed < 40; ++seed) {
    Random random(seed);
    Shop shop = make_shop(random);
    open(shop, random, "shop" + std::to_string(seed));
    auto& service = make_selling();
    auto& everybodys = make_plain();
    for (int round = 0; round < 12; ++round) {
      SCOPED_TRACE("seed " + std::to_string(seed) + ", round " + std::to_string(round));
      const Wish wish = make_wish(random);
      const Shopper shopper = make_shopper(shop, random);
      const Plain plain(shop, shopper, *holder_.serving()->popularity(), clock_.now_ms());
      const auto pool = everybodys_list(everybodys, wish, plain);
      check_offsets(service, wish, shop, expect(pool, wish, plain));
      check_cursors(service, wish, shop, pool, random);
      if (HasFailure()) return;
    }
  }
}

}  // namespace
}  // namespace scalestyle::search
