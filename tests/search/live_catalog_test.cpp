#include "search/live_catalog.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <random>

#include "live_catalog_fixture.hpp"

namespace scalestyle::search {
namespace {

using Ids = std::vector<std::string>;

class LiveCatalogTest : public LiveCatalogFixture {
 protected:
  LiveCatalogTest() {
    publish("a", {"shirt", "dress", "trousers"});
    refresh();
  }

  static catalog::Filter up_to(double price_max) {
    catalog::Filter filter;
    filter.price_max = price_max;
    return filter;
  }
};

TEST_F(LiveCatalogTest, APriceIsSeenByFiltersOrdersAndTheArticle) {
  const auto before = holder_->serving();
  const auto answer = changed({price(1020, 1.5)});
  EXPECT_EQ(answer.sequence, 1);
  EXPECT_EQ(served().row(*served().find(id(1020))).price(), 1.5);
  EXPECT_EQ(browse(BrowseSort::kPriceAscending), (Ids{"1020", "1000", "1010"}));
  EXPECT_EQ(browse(BrowseSort::kPriceDescending), (Ids{"1010", "1000", "1020"}));
  EXPECT_EQ(browse(BrowseSort::kName, up_to(10)), (Ids{"1020"}));
  EXPECT_EQ(before->catalog().row({2}).price(), 1020) << "requests in progress keep what they began with";
  EXPECT_EQ(before->version().delta, 0U);
  EXPECT_LT(before->version(), holder_->serving()->version());
  EXPECT_EQ(&before->lexical(), &holder_->serving()->lexical());
  EXPECT_EQ(before->popularity(), holder_->serving()->popularity());

  changed({price(1020, std::nullopt)});
  EXPECT_EQ(browse(BrowseSort::kPriceAscending), (Ids{"1000", "1010", "1020"}));
  EXPECT_TRUE(browse(BrowseSort::kName, up_to(10)).empty());
}

TEST_F(LiveCatalogTest, WhatWasBoughtTogetherFollowsTheRows) {
  neighbours_ = std::make_shared<const ranking::ItemNeighbours>(
      ranking::ItemNeighbours::make({0, 2, 3, 4}, {{1, 0.5F}, {2, 0.25F}, {0, 0.5F}, {0, 0.25F}}).value());
  publish("b", {"shirt", "dress", "trousers"});
  refresh();
  EXPECT_EQ(holder_->serving()->neighbours(), neighbours_);
  // States of the same rows share them, also when the article goes: lists leave it out.
  changed({price(1010, 3), gone(1020)});
  EXPECT_EQ(holder_->serving()->neighbours(), neighbours_);
  // New articles before, between and behind: every row has another number, and what is gone has left.
  changed({put(900, "cap"), put(1005, "belt"), put(2000, "socks")});
  const auto serving = holder_->serving();
  ASSERT_NE(serving->neighbours(), nullptr);
  ASSERT_EQ(serving->neighbours()->size(), serving->catalog().size());
  const auto ids_by = [&](int number) {
    Ids ids;
    for (const auto& one : serving->neighbours()->of(served().find(id(number))->value)) {
      ids.push_back(std::to_string(std::stoi(std::string(served().row({one.item}).id()))));
    }
    return ids;
  };
  EXPECT_EQ(ids_by(1000), Ids{"1010"});
  EXPECT_EQ(ids_by(1010), Ids{"1000"});
  for (const int number : {900, 1005, 2000}) EXPECT_TRUE(ids_by(number).empty()) << number;
}

TEST_F(LiveCatalogTest, WhatIsNotAvailableLeavesEveryList) {
  changed({available(1010, false)});
  EXPECT_EQ(browse(BrowseSort::kName), (Ids{"1000", "1020"}));
  EXPECT_EQ(browse(BrowseSort::kPopular), (Ids{"1000", "1020"}));
  EXPECT_TRUE(by_words("dress").empty());
  EXPECT_TRUE(by_words("1010").empty());
  EXPECT_EQ(by_meaning("dress").size(), 2U);
  EXPECT_EQ(search("shirt")->total, 2U);
  EXPECT_TRUE(served().find(id(1010)));
  changed({available(1010, true)});
  EXPECT_EQ(by_words("dress"), Ids{"1010"});
  EXPECT_EQ(by_meaning("dress").front(), "1010");
}

TEST_F(LiveCatalogTest, ADeletedArticleIsGone) {
  changed({gone(1010)});
  EXPECT_FALSE(served().find(id(1010)));
  EXPECT_TRUE(by_words("dress").empty());
  EXPECT_EQ(by_meaning("dress").size(), 2U);
  EXPECT_EQ(served().article_count(), 2U);
  const auto again = change({gone(1010)});
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().error.code, core::ErrorCode::kNotFound);
  changed({put(1010, "skirt")});
  EXPECT_EQ(by_words("skirt"), Ids{"1010"});
}

TEST_F(LiveCatalogTest, ANewArticleIsFoundByWordsAndByMeaning) {
  changed({put(1005, "velvet cape")});
  EXPECT_EQ(by_words("cape"), Ids{"1005"});
  EXPECT_EQ(by_meaning(text_of(1005)).front(), "1005");
  EXPECT_EQ(by_meaning("trousers").front(), "1020") << "rows behind it moved";
  EXPECT_EQ(by_meaning("shirt").front(), "1000");
  EXPECT_EQ(browse(BrowseSort::kName), (Ids{"1010", "1000", "1020", "1005"}));
  changed({available(1005, false), price(1020, 1)});
  EXPECT_EQ(by_meaning(text_of(1005)).size(), 3U);
  EXPECT_EQ(by_meaning("trousers").front(), "1020");
}

TEST_F(LiveCatalogTest, ANewTextMovesTheArticle) {
  changed({renamed(1010, "kimono")});
  EXPECT_TRUE(by_words("dress").empty());
  EXPECT_EQ(by_words("kimono"), Ids{"1010"});
  EXPECT_EQ(by_meaning(text_of(1010)).front(), "1010");
  const auto hits = search("dress", false, true);
  EXPECT_EQ(hits->total, 3U);
  // Its old vector is gone: nothing is as near to "dress" as the dress was.
  changed({renamed(1010, "dress")});
  EXPECT_EQ(by_words("dress"), Ids{"1010"});
  EXPECT_EQ(holder_->serving()->changed_vectors(), nullptr) << "the index's own vector is right again";
}

TEST_F(LiveCatalogTest, PhotosAreFoundWhereTheirRowsAreNow) {
  EXPECT_EQ(by_picture("photo 1010").front(), "1010");
  changed({put(1005, "velvet cape"), renamed(1010, "kimono")});
  for (const char* number : {"1000", "1010", "1020"}) EXPECT_EQ(by_picture(std::string("photo ") + number).front(), number);
  EXPECT_EQ(by_picture("photo 1010").size(), 3U) << "what is new has no photo before the next ingest";
  EXPECT_EQ(by_words("kimono"), Ids{"1010"});
  const auto itself = [&](int number) {
    SearchRequest wanted;
    wanted.visual.emplace().article = id(number);
    return core::sync_wait(services_.back()->search(std::move(wanted)));
  };
  EXPECT_EQ(itself(1010).value().total, 2U);
  EXPECT_EQ(itself(1005).error().error.code, core::ErrorCode::kNotFound);
  changed({gone(1010), available(1000, false)});
  EXPECT_EQ(by_picture("photo 1010"), Ids{"1020"});
  EXPECT_EQ(itself(1010).error().error.field, "article");
}

TEST_F(LiveCatalogTest, ABatchIsOneChangeAndSeesItself) {
  const auto answer = changed({put(2000, "cape"), price(2000, 9), gone(1000), put(1000, "hat"), available(1020, false)});
  EXPECT_EQ(answer.sequence, 5);
  EXPECT_EQ(served().row(*served().find(id(2000))).price(), 9);
  EXPECT_EQ(by_words("hat"), Ids{"1000"});
  EXPECT_EQ(browse(BrowseSort::kName), (Ids{"2000", "1010", "1000"}));
}

TEST_F(LiveCatalogTest, OneWrongChangeKeepsTheWholeBatchOut) {
  const auto unknown = change({price(1000, 1), price(7777, 1)});
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().operation, 1U);
  EXPECT_EQ(unknown.error().error.code, core::ErrorCode::kNotFound);
  EXPECT_EQ(unknown.error().outcome, ports::AppendOutcome::kNotKept);
  const auto wrong = change({price(1000, 1), price(1010, 1), price(1020, -1)});
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().operation, 2U);
  EXPECT_EQ(wrong.error().error.field, "price");
  EXPECT_EQ(change({}).error().error.code, core::ErrorCode::kInvalidArgument);
  EXPECT_FALSE(change(std::vector(kMaxChanges + 1, price(1000, 1))));
  EXPECT_EQ(changes_.kept(), 0U);
  EXPECT_EQ(served().row({0}).price(), 1000);
}

TEST_F(LiveCatalogTest, WhatIsNotWrittenIsNotServed) {
  changes_.fail_append_with(ports::AppendFailure{ports::AppendOutcome::kUnknown,
                                                 core::fail(core::ErrorCode::kUnavailable, "the disk is away").error()});
  const auto failed = change({price(1000, 1)});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().outcome, ports::AppendOutcome::kUnknown);
  EXPECT_EQ(failed.error().error.message, "the disk is away");
  EXPECT_EQ(served().row({0}).price(), 1000);
  changes_.fail_append_with(std::nullopt);
  changed({price(1000, 1)});
}

TEST_F(LiveCatalogTest, ATextThatCannotBeEmbeddedIsNotKept) {
  encoder_.fail_with(core::fail(core::ErrorCode::kUnavailable, "no encoder").error());
  const auto failed = change({put(3000, "cape")});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().outcome, ports::AppendOutcome::kNotKept);
  changed({price(1000, 1)});
  encoder_.fail_with(std::nullopt);
  changed({put(3000, "cape")});
  EXPECT_EQ(changes_.kept(), 2U);
}

TEST_F(LiveCatalogTest, ARestartServesWhatWasKeptWithoutEmbeddingAgain) {
  changed({put(1005, "velvet cape"), renamed(1010, "kimono")});
  changed({price(1005, 77), gone(1000)});
  const std::string cape = text_of(1005);
  const std::size_t embedded = encoder_.batches().size();
  restart();
  EXPECT_EQ(encoder_.batches().size(), embedded);
  EXPECT_EQ(served().row(*served().find(id(1005))).price(), 77);
  EXPECT_FALSE(served().find(id(1000)));
  EXPECT_EQ(by_words("kimono"), Ids{"1010"});
  EXPECT_EQ(by_meaning(cape).front(), "1005");
  EXPECT_EQ(holder_->serving()->version().delta, 4U);
  EXPECT_EQ(changed({price(1020, 3)}).sequence, 5);
}

TEST_F(LiveCatalogTest, ANewBaseKeepsWhatItDoesNotIncludeYet) {
  changed({price(1000, 1), price(1010, 2)});
  changed({renamed(1020, "kimono"), put(5000, "cape")});
  changed({price(1000, 3)});
  // The new catalogue includes the first two changes, has no article 1020 and one more.
  publish("b", {"shirt", "gown"}, 2);
  refresh();
  EXPECT_EQ(holder_->serving()->info().id.value(), "b");
  EXPECT_EQ(served().row(*served().find(id(1000))).price(), 3);
  EXPECT_EQ(served().row(*served().find(id(1010))).price(), 1010) << "as the new base has it";
  EXPECT_FALSE(served().find(id(1020))) << "a patch brings no article back";
  EXPECT_EQ(by_words("cape"), Ids{"5000"});
  EXPECT_EQ(by_meaning(text_of(5000)).front(), "5000");
  EXPECT_EQ(changes_.kept(), 3U) << "what the base includes is removed";
  EXPECT_EQ(changed({price(1010, 8)}).sequence, 6);
}

TEST_F(LiveCatalogTest, ATextThatANewBaseChangesIsEmbeddedAgain) {
  auto described = price(1000, 1);
  described.sets_price = false;
  described.price.reset();
  described.description = "With pearls.";
  changed({described});
  publish("b", {"blouse", "gown"});
  refresh();
  EXPECT_EQ(served().row({0}).name(), "blouse");
  EXPECT_EQ(served().row({0}).description(), "With pearls.");
  EXPECT_EQ(by_meaning(text_of(1000)).front(), "1000");
}

TEST_F(LiveCatalogTest, ChangesAreRefusedBeforeThereIsACatalogueAndAfterTheEnd) {
  stop();
  const auto late = change({price(1000, 1)});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().error.code, core::ErrorCode::kUnavailable);
  old_holders_.push_back(std::move(holder_));
  start();
  const auto early = change({price(1000, 1)});
  ASSERT_FALSE(early);
  EXPECT_EQ(early.error().error.code, core::ErrorCode::kUnavailable);
}

TEST_F(LiveCatalogTest, NewTextsAreBounded) {
  restart({.max_new_texts = 2});
  changed({put(3000, "a"), put(3001, "b")});
  const auto refused = change({put(3002, "c")});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().error.code, core::ErrorCode::kResourceExhausted);
  changed({price(3000, 4)});
}

TEST_F(LiveCatalogTest, AnotherPrecisionOfDocumentsRefusesNewTextsAlone) {
  std::vector<catalog::Article> articles{article(1000, "shirt")};
  auto documents = encoder_.info();
  documents.precision = "int8";
  store_.publish(support::make_snapshot("b", articles, documents));
  refresh();
  const auto refused = change({put(3000, "cape")});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().error.code, core::ErrorCode::kFailedPrecondition);
  EXPECT_NE(refused.error().error.message.find("int8"), std::string::npos);
  changed({price(1000, 2)});
}

TEST_F(LiveCatalogTest, OrdersAreThoseOfACatalogueBuiltAnew) {
  std::mt19937 random(5);
  std::vector<std::string> names;
  for (int i = 0; i < 60; ++i) names.push_back("name " + std::to_string(i % 7));
  publish("c", names);
  refresh();
  for (int round = 0; round < 30; ++round) {
    std::vector<catalog::ArticleChange> batch;
    for (int i = 0; i < 5; ++i) {
      const int number = 1000 + 10 * static_cast<int>(random() % 60);
      if (random() % 4 == 0) batch.push_back(price(number, std::nullopt));
      else batch.push_back(price(number, static_cast<double>(random() % 8)));
    }
    changed(std::move(batch));
    const BrowseOrders anew(served());
    for (const auto sort : {BrowseSort::kPriceAscending, BrowseSort::kPriceDescending, BrowseSort::kName}) {
      EXPECT_EQ(holder_->serving()->orders().first(sort, nullptr, 60), anew.first(sort, nullptr, 60));
    }
  }
}

// Searches go on while changes of all kinds stream in; each sees one whole state.
TEST_F(LiveCatalogTest, SearchesAndChangesRunTogether) {
  std::atomic<bool> done{false};
  std::vector<std::thread> readers;
  for (int reader = 0; reader < 2; ++reader) {
    readers.emplace_back([this, &done] {
      std::uint64_t before = 0;
      while (!done.load()) {
        const auto outcome = search("dress cape");
        ASSERT_TRUE(outcome);
        const auto now = outcome->generation->version().delta;
        EXPECT_GE(now, before);
        before = now;
        for (const AnswerItem& item : outcome->items) EXPECT_TRUE(item.article.available());
      }
    });
  }
  std::vector<std::thread> writers;
  for (int writer = 0; writer < 3; ++writer) {
    writers.emplace_back([this, writer] {
      for (int i = 0; i < 12; ++i) {
        const int number = 3000 + 100 * writer + i % 4;
        EXPECT_TRUE(change({put(number, "cape " + std::to_string(i)), price(1000, i)}));
        EXPECT_TRUE(change({available(1020, i % 2 == 0)}));
        if (i % 3 == 2) {
          EXPECT_TRUE(change({gone(number)}));
        }
      }
    });
  }
  for (auto& writer : writers) writer.join();
  done.store(true);
  for (auto& reader : readers) reader.join();
  const auto expected = served().article_count();
  restart();
  EXPECT_EQ(served().article_count(), expected);
}

}  // namespace
}  // namespace scalestyle::search
