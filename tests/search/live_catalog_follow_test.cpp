// Two servers over the same changes: what one of them changes, the other shows.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "live_catalog_fixture.hpp"

namespace scalestyle::search {
namespace {

constexpr LiveCatalogOptions kQuick{.follow_interval = std::chrono::milliseconds(10)};

class LiveCatalogFollowTest : public LiveCatalogFixture {
 protected:
  LiveCatalogFollowTest() : LiveCatalogFixture(true) {
    publish("a", {"shirt", "dress", "trousers"});
    restart(kQuick);
    other_holder_ = std::make_unique<SnapshotHolder>(store_, index_, encoder_.info());
    const LiveCatalog::Dependencies use{*other_holder_,   changes_,       encoder_, compute_.timers(),
                                        compute_.clock(), other_metrics_, log_};
    other_ = std::make_unique<LiveCatalog>(use, kQuick);
    other_writer_ = std::thread([this] { other_->write(); });
    other_builder_ = std::thread([this] { other_->build(); });
    EXPECT_TRUE(core::sync_wait(other_holder_->refresh(core::Deadline::never())));
  }
  ~LiveCatalogFollowTest() override {
    other_->stop();
    other_writer_.join();
    other_builder_.join();
    stop();
    compute_.stop();
    other_.reset();
    other_holder_.reset();
  }

  ChangeOutcome other_changes(std::vector<catalog::ArticleChange> changes) {
    return core::sync_wait(other_->change({std::move(changes), core::Deadline::never()}));
  }
  [[nodiscard]] std::optional<catalog::Article> here(int number) const { return article_in(*holder_, number); }
  [[nodiscard]] std::optional<catalog::Article> there(int number) const { return article_in(*other_holder_, number); }
  static std::optional<catalog::Article> article_in(const SnapshotHolder& holder, int number) {
    const auto serving = holder.serving();
    const auto row = serving->catalog().find(id(number));
    if (!row) return std::nullopt;
    return serving->catalog().row(*row).to_article();
  }
  static bool soon(const std::function<bool()>& holds) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!holds()) {
      if (std::chrono::steady_clock::now() > until) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return true;
  }

  telemetry::Metrics other_metrics_;
  std::unique_ptr<SnapshotHolder> other_holder_;
  std::unique_ptr<LiveCatalog> other_;
  std::thread other_writer_;
  std::thread other_builder_;
};

TEST_F(LiveCatalogFollowTest, APriceOfOneServerIsSeenOnTheOther) {
  ASSERT_TRUE(other_changes({price(1020, 1.5), available(1010, false)}));
  EXPECT_TRUE(soon([&] { return here(1020)->price == 1.5 && !here(1010)->available; }));
  EXPECT_EQ(browse(BrowseSort::kPriceAscending), (std::vector<std::string>{"1020", "1000"}));
}

TEST_F(LiveCatalogFollowTest, NewArticlesAndTextsAreFoundByWordAndByMeaning) {
  ASSERT_TRUE(other_changes({put(2000, "poncho"), renamed(1000, "kimono"), gone(1010)}));
  EXPECT_TRUE(soon([&] { return here(2000) && here(1000)->name == "kimono" && !here(1010); }));
  EXPECT_EQ(by_words("poncho"), (std::vector<std::string>{"2000"}));
  EXPECT_EQ(by_meaning(text_of(1000)).front(), "1000");
  // A price does not take the vector of the text away.
  ASSERT_TRUE(other_changes({price(2000, 9)}));
  EXPECT_TRUE(soon([&] { return here(2000)->price == 9; }));
  EXPECT_EQ(by_meaning(text_of(2000)).front(), "2000");
}

TEST_F(LiveCatalogFollowTest, ManyNewTextsTakeTheVectorsThatWereKept) {
  std::vector<catalog::ArticleChange> many;
  for (int i = 0; i < 40; ++i) many.push_back(put(3000 + i, "item" + std::to_string(i)));
  ASSERT_TRUE(other_changes(many));
  EXPECT_TRUE(soon([&] { return here(3039).has_value(); }));
  EXPECT_EQ(by_meaning(text_of(3017)).front(), "3017");
}

// What is decided is decided knowing the other server's changes.
TEST_F(LiveCatalogFollowTest, OneServerKnowsWhatTheOtherDecidedJustBefore) {
  ASSERT_TRUE(other_changes({put(2000, "poncho")}));
  ASSERT_TRUE(change({price(2000, 3)}));  // at once: this one has it already
  ASSERT_TRUE(change({gone(1000)}));
  const auto late = other_changes({price(1000, 1)});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().error.code, core::ErrorCode::kNotFound);
}

TEST_F(LiveCatalogFollowTest, ServersThatChangeAtTheSameTimeEndWithTheSameArticles) {
  constexpr int kTurns = 60;
  std::atomic<int> kept{0};
  const auto work = [&](bool on_other) {
    for (int i = 0; i < kTurns; ++i) {
      const int number = 1000 + 10 * (i % 3);
      const double value = (on_other ? 1'000 : 1) + i;
      const auto outcome = on_other ? other_changes({price(number, value)}) : change({price(number, value)});
      if (outcome) ++kept;
      else EXPECT_EQ(outcome.error().error.code, core::ErrorCode::kUnavailable) << outcome.error().error.message;
    }
  };
  std::thread beside([&] { work(true); });
  work(false);
  beside.join();
  EXPECT_GT(kept.load(), kTurns);
  for (const int number : {1000, 1010, 1020}) {
    EXPECT_TRUE(soon([&] { return here(number) == there(number); })) << number;
  }
  std::map<catalog::ArticleId, std::optional<double>> last;
  const auto log = core::sync_wait(changes_.read(0, 100'000, core::Deadline::never()));
  for (const auto& logged : log.value()) last[logged.change.id] = logged.change.price;
  for (const auto& [article, value] : last) EXPECT_EQ(here(std::stoi(article.text()))->price, value);
}

TEST_F(LiveCatalogFollowTest, AfterANewBaseItGoesOnFollowing) {
  ASSERT_TRUE(other_changes({price(1000, 7)}));
  publish("b", {"shirt", "dress", "coat"}, 1);
  refresh();
  EXPECT_EQ(here(1000)->price, 1000);  // the files overruled it
  ASSERT_TRUE(core::sync_wait(other_holder_->refresh(core::Deadline::never())));
  ASSERT_TRUE(other_changes({price(1020, 4)}));
  EXPECT_TRUE(soon([&] { return here(1020)->price == 4; }));
  ASSERT_TRUE(change({price(1020, 5)}));
  EXPECT_TRUE(soon([&] { return there(1020)->price == 5; }));
}

}  // namespace
}  // namespace scalestyle::search
