// Pages of lists: what page_property_test.cpp does not reach. Cursors that are wrong, clicks between pages, fallbacks.

#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "list_fixture.hpp"

namespace scalestyle::search {
namespace {

using catalog::Attribute;
using catalog::FilterField;
using core::ErrorCode;

class PageTest : public ListFixture {
 protected:
  // Twenty products of three colours each; the third of each product is not available where its number is odd.
  PageTest() {
    std::vector<catalog::Article> articles;
    for (int product = 0; product < 20; ++product) {
      for (int variant = 0; variant < 3; ++variant) {
        auto article = support::make_article(std::to_string(1000 + product * 10 + variant), "Name " + std::to_string(product));
        article.product_code = "p" + std::to_string(product);
        article[Attribute::kColour] = std::vector<std::string>{"Red", "Blue", "Green"}[static_cast<std::size_t>(variant)];
        article[Attribute::kProductType] = product < 15 ? "Dress" : "Shirt";
        article[Attribute::kSection] = "Women";
        article.price = static_cast<double>(10 + product + variant);
        article.purchase_count = static_cast<std::uint64_t>(100 - product);
        article.available = variant < 2 || product % 2 == 0;
        articles.push_back(std::move(article));
      }
    }
    catalogs_.publish(support::make_snapshot("colours", articles, encoder_.info()));
    core::sync_wait(holder_.refresh(core::Deadline::never())).value();
  }
  static std::string field_of(const SearchOutcome& outcome) {
    EXPECT_FALSE(outcome);
    if (outcome) return {};
    EXPECT_EQ(outcome.error().error.code, ErrorCode::kInvalidArgument);
    EXPECT_FALSE(outcome.error().expired);
    return outcome.error().error.field;
  }
  static SearchRequest page_of(const std::string& query, std::size_t k) {
    auto wanted = request(query);
    wanted.k = k;
    return wanted;
  }
};

TEST_F(PageTest, ProductsAreItemsAndTheirOtherColoursAreListed) {
  auto& service = make();
  auto wanted = page_of("Name 4", 5);
  const auto outcome = run(service, wanted);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->total, 20U);
  EXPECT_TRUE(outcome->collapsed);
  const AnswerItem& best = outcome->items[0];
  EXPECT_EQ(best.article.id(), "0000001040");
  ASSERT_EQ(best.variants.size(), 2U);
  EXPECT_EQ(best.variants[0].article.id(), "0000001041");
  EXPECT_EQ(best.variants[1].article.id(), "0000001042");

  wanted.filter[FilterField::kColour] = {"green"};
  const auto green = run(service, wanted);
  ASSERT_TRUE(green);
  EXPECT_EQ(green->total, 10U);
  EXPECT_EQ(green->items[0].article.id(), "0000001042");
  ASSERT_EQ(green->items[0].variants_total, 2U);
  EXPECT_FALSE(green->items[0].variants[0].matches);

  wanted.filter = {};
  wanted.collapse = false;
  const auto articles = run(service, wanted);
  EXPECT_EQ(articles.value().total, 50U);
  EXPECT_TRUE(articles->items[0].variants.empty());
}

TEST_F(PageTest, ClickBringsItsOwnVariantForward) {
  features_.set_features(user("u"), {.recent_items = {{"0000001042", clock_.now_ms(), events::EventType::kClick}}});
  const auto outcome = run(make(), request("Name 4", "u"));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->items[0].article.id(), "0000001042");
  EXPECT_EQ(outcome->items[0].boosted_by, "recent_click");
  EXPECT_EQ(outcome->total, 20U);
}

TEST_F(PageTest, NothingComesTwiceWhenAClickChangesTheOrderBetweenPages) {
  auto& service = make();
  auto wanted = page_of("Name 4", 6);
  wanted.user_id = core::UserId("u");
  std::set<std::string> products;
  for (int page = 0;; ++page) {
    const auto outcome = run(service, wanted);
    ASSERT_TRUE(outcome);
    for (const AnswerItem& item : outcome->items) EXPECT_TRUE(products.insert(std::string(item.article.product_code())).second);
    // What was shown last, and something that comes late.
    features_.set_features(user("u"), {.recent_items = {{std::string(outcome->items[0].article.id()), clock_.now_ms(), events::EventType::kClick},
                                                        {"0000001190", clock_.now_ms(), events::EventType::kPurchase}}});
    wanted.cursor = outcome->cursor;
    if (wanted.cursor.empty()) break;
  }
  EXPECT_EQ(products.size(), 20U);
}

TEST_F(PageTest, CursorGoesOnBehindAnOffset) {
  auto& service = make();
  const auto whole = ids(run(service, page_of("Name 4", 20)));
  auto wanted = page_of("Name 4", 5);
  wanted.offset = 5;
  const auto second = run(service, wanted);
  wanted.offset = 0;
  wanted.cursor = second.value().cursor;
  const auto third = run(service, wanted);
  EXPECT_EQ(ids(third), (std::vector<std::string>(whole.begin() + 10, whole.begin() + 15)));
  EXPECT_EQ(third->items[0].rank, 11U);
}

TEST_F(PageTest, WrongCursorsAreRefused) {
  auto& service = make();
  auto wanted = page_of("Name 4", 5);
  const std::string cursor = run(service, wanted).value().cursor;
  ASSERT_FALSE(cursor.empty());
  wanted.cursor = cursor;
  EXPECT_TRUE(run(service, wanted));
  wanted.k = 9;
  wanted.facets.set();
  EXPECT_TRUE(run(service, wanted));  // another page of the same list
  wanted.offset = 5;
  EXPECT_EQ(field_of(run(service, wanted)), "offset");
  wanted.offset = 0;
  wanted.cursor += "A";
  EXPECT_EQ(field_of(run(service, wanted)), "cursor");
  wanted.cursor = cursor;
  for (const auto& change : std::vector<std::function<void(SearchRequest&)>>{
           [](SearchRequest& other) { other.query = "Name 5"; }, [](SearchRequest& other) { other.collapse = false; },
           [](SearchRequest& other) { other.sort = SearchSort::kNewest; }, [](SearchRequest& other) { other.legs.dense = false; },
           [](SearchRequest& other) { other.filter.price_max = 20; }, [](SearchRequest& other) { other.max_per_type = 2; },
           [](SearchRequest& other) { other.filter[FilterField::kColour] = {"Red"}; }}) {
    auto other = wanted;
    change(other);
    EXPECT_EQ(field_of(run(service, other)), "cursor");
  }
  BrowseRequest browse;
  browse.cursor = cursor;
  EXPECT_EQ(field_of(run(service, browse)), "cursor");
}

TEST_F(PageTest, OldCursorsAndThoseOfAnotherCatalogueAreExpired) {
  auto& service = make({.cursor = {.lifetime = std::chrono::seconds(60)}});
  auto wanted = page_of("Name 4", 5);
  wanted.cursor = run(service, wanted).value().cursor;
  clock_.advance(std::chrono::seconds(61));
  const auto late = run(service, wanted);
  ASSERT_FALSE(late);
  EXPECT_TRUE(late.error().expired);
  wanted.cursor.clear();
  wanted.cursor = run(service, wanted).value().cursor;
  publish("b");
  const auto switched = run(service, wanted);
  ASSERT_FALSE(switched);
  EXPECT_TRUE(switched.error().expired);
  EXPECT_EQ(switched.error().error.field, "cursor");
}

TEST_F(PageTest, FallbackIsPagedAndSortedLikeAnyList) {
  auto& service = make();
  encoder_.fail_with(core::Error{ErrorCode::kUnavailable, "away"});
  auto wanted = page_of("zzzz", 6);
  std::set<std::string> products;
  do {
    const auto outcome = run(service, wanted);
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->total, 20U);
    EXPECT_EQ(outcome->fallback_source, FallbackSource::kGlobalPopular);
    for (const AnswerItem& item : outcome->items) EXPECT_TRUE(products.insert(std::string(item.article.product_code())).second);
    wanted.cursor = outcome->cursor;
  } while (!wanted.cursor.empty());
  EXPECT_EQ(products.size(), 20U);

  wanted.sort = SearchSort::kPriceDescending;
  const auto dear = run(service, wanted);
  ASSERT_TRUE(dear);
  EXPECT_EQ(dear->items[0].article.price(), 30.0);  // its dearest variant is not available
  EXPECT_EQ(dear->items[1].article.price(), 30.0);
  EXPECT_EQ(dear->total_relation, TotalRelation::kEqual);
}

TEST_F(PageTest, DiversityOfTheServiceHoldsUnlessTheRequestSaysOtherwise) {
  auto& service = make({.diversity = {.max_per_type = 3, .window = 6}});
  BrowseRequest wanted;
  wanted.k = 6;
  const auto shirts = [&] {
    const auto outcome = run(service, wanted);
    return std::ranges::count_if(outcome.value().items, [](const AnswerItem& item) { return item.article.product_type() == "Shirt"; });
  };
  EXPECT_EQ(shirts(), 3);
  wanted.max_per_type = 0;
  EXPECT_EQ(shirts(), 0);
  wanted.max_per_type.reset();
  wanted.sort = BrowseSort::kPriceAscending;
  EXPECT_EQ(shirts(), 0);  // what a column sorts stays sorted
  wanted.max_per_type = 101;
  EXPECT_EQ(field_of(run(service, wanted)), "max_per_type");
}

TEST_F(PageTest, SortByPopularityNeedsPopularity) {
  auto& bare = make_without_store();
  auto wanted = request("Name 4");
  wanted.sort = SearchSort::kPopularity;
  EXPECT_TRUE(run(bare, wanted));  // the generation has a board
  SnapshotHolder plain(catalogs_, index_, encoder_.info());
  ASSERT_TRUE(core::sync_wait(plain.refresh(core::Deadline::never())));
  auto& service = make_with({.generations = plain, .encoder = encoder_, .index = index_, .pool = compute_.pool(),
                             .timers = compute_.timers(), .clock = clock_, .metrics = metrics_},
                            {});
  EXPECT_EQ(run(service, wanted).error().error.code, ErrorCode::kUnavailable);
  wanted.sort = SearchSort::kNewest;
  EXPECT_EQ(run(service, wanted).value().items[0].article.product_code(), "p19");
}

}  // namespace
}  // namespace scalestyle::search
