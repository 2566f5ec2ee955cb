// Stores besides the data folder: filled and counted before anybody serves the generation, and never half way.
#include "ingest/fill_targets.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <numeric>

#include "ingest/ingest_fixture.hpp"
#include "ingest/popular_seeds.hpp"
#include "ranking/popularity.hpp"
#include "support/fake_catalog_changes.hpp"
#include "support/fake_catalog_target.hpp"
#include "support/fake_generation_use.hpp"

namespace scalestyle::ingest {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

class FillTargetsTest : public IngestFixture {
 protected:
  FillTargetsTest() {
    write_text(options_.articles, articles_csv(23));
    options_.transactions = folder_ / "transactions.csv";
    // 500000001: 3 in all, 2 in the last week, 1 on the last day. 500000002: 1, on the last day. 500000003: 2, long ago.
    write_text(options_.transactions, "t_dat,customer_id,article_id,price\n"
                                      "2020-01-01,a,500000003,0.1\n2020-01-02,b,500000003,0.1\n2020-01-05,a,500000001,0.1\n"
                                      "2020-01-25,b,500000001,0.1\n2020-01-31,c,500000001,0.1\n2020-01-31,c,500000002,0.1\n");
    stores_.targets = {&target_};
  }
  core::Result<IngestSummary> expect_failure() {
    auto failed = run();
    EXPECT_FALSE(failed);
    return failed;
  }
  [[nodiscard]] std::optional<core::GenerationId> current() const {
    const auto id = data().read_current();
    return id ? std::optional(*id) : std::nullopt;
  }

  support::FakeCatalogTarget target_;
};

TEST_F(FillTargetsTest, AStoreIsFilledCountedAndToldBeforeTheDataFolder) {
  vision_ = false;
  std::vector<std::string> steps;
  std::optional<core::GenerationId> served_at_switch;
  before_step_ = [&](std::string_view step) {
    steps.emplace_back(step);
    if (step == "switch") served_at_switch = target_.served;
    if (step == "switch fake") {
      EXPECT_FALSE(current());
    }
  };
  const auto summary = run();
  ASSERT_TRUE(summary) << summary.error().message;
  const auto place = [&](std::string_view step) { return std::ranges::find(steps, step) - steps.begin(); };
  EXPECT_LT(place("verify"), place("fill fake"));
  EXPECT_LT(place("fill fake"), place("verify fake"));
  EXPECT_LT(place("verify fake"), place("switch fake"));
  EXPECT_LT(place("switch fake"), place("switch"));
  EXPECT_EQ(served_at_switch, summary->generation);
  EXPECT_EQ(current(), summary->generation);
  ASSERT_EQ(summary->filled.size(), 1U);
  EXPECT_EQ(summary->filled[0].counts.articles, 23U);
  EXPECT_EQ(summary->filled[0].counts.text_vectors, 23U);
  EXPECT_EQ(summary->filled[0].counts.popular, 3U);
  EXPECT_THAT(summary->to_text(), HasSubstr("fake       23 articles, 23 text_vectors"));
  EXPECT_THAT(summary->to_json(), HasSubstr(R"("filled":[{"name":"fake")"));
}

TEST_F(FillTargetsTest, ItGetsWhatTheFilesOfTheGenerationHold) {
  const auto summary = run();
  ASSERT_TRUE(summary) << summary.error().message;
  const auto manifest = adapters::embedded::read_manifest(current_folder()).value();
  const auto vectors = adapters::embedded::map_vectors(current_folder(), manifest, adapters::embedded::FileCheck::kSizes).value();
  std::vector<std::uint32_t> rows(23);
  std::iota(rows.begin(), rows.end(), 0U);
  EXPECT_EQ(target_.texts.rows, rows);
  EXPECT_TRUE(std::ranges::equal(target_.texts.values, vectors.exact.values));
  EXPECT_TRUE(target_.photos.rows.empty());
  EXPECT_EQ(target_.begun->snapshot->info.id, summary->generation);
  EXPECT_EQ(target_.begun->snapshot->info.purchases_to, "2020-01-31");
}

TEST_F(FillTargetsTest, PopularArticlesAreThoseOfThePurchases) {
  options_.popular_top = 2;
  ASSERT_TRUE(run());
  const auto& popular = *target_.begun->popular;
  const auto& articles = *target_.begun->snapshot->catalog;
  const auto ids = [&](const std::vector<ports::PopularArticle>& list) {
    std::vector<std::string> found;
    for (const auto& one : list) found.emplace_back(articles.row(one.row).id());
    return found;
  };
  EXPECT_EQ(ids(popular.all_time), (std::vector<std::string>{"0500000001", "0500000003"}));
  EXPECT_DOUBLE_EQ(popular.all_time[0].score, ranking::purchase_prior(3, {.period_seconds = 31 * 86'400.0}));
  EXPECT_EQ(ids(popular.last_7d), (std::vector<std::string>{"0500000001", "0500000002"}));
  EXPECT_DOUBLE_EQ(popular.last_7d[0].score, 10);
  EXPECT_EQ(ids(popular.last_24h), (std::vector<std::string>{"0500000001", "0500000002"}));
  EXPECT_DOUBLE_EQ(popular.last_24h[0].score, 5);
}

TEST_F(FillTargetsTest, WithoutPurchasesAStoreIsNeverSilentlyWithoutPopularArticles) {
  options_.transactions.clear();
  const auto refused = expect_failure();
  EXPECT_EQ(refused.error().code, core::ErrorCode::kInvalidArgument);
  EXPECT_EQ(refused.error().field, "transactions");
  EXPECT_THAT(refused.error().message, HasSubstr("--allow-no-purchases"));
  EXPECT_EQ(texts_encoded_, 0);
  options_.allow_no_purchases = true;
  const auto allowed = run();
  ASSERT_TRUE(allowed) << allowed.error().message;
  EXPECT_THAT(allowed->notes, Contains(HasSubstr("WARNING: no article has a purchase")));
  EXPECT_EQ(allowed->filled[0].counts.popular, 0U);
}

TEST_F(FillTargetsTest, AStoreThatDoesNotAnswerIsToldBeforeAnythingIsEmbedded) {
  target_.fail_at = "current";
  const auto failed = expect_failure();
  EXPECT_EQ(failed.error().code, core::ErrorCode::kUnavailable);
  EXPECT_EQ(texts_encoded_, 0);
}

TEST_F(FillTargetsTest, AFailureAtAnyStepLeavesWhatIsServedAndTheNextRunGoesOn) {
  for (const char* step : {"begin", "write_articles", "write_vectors", "finish", "switch_to"}) {
    SCOPED_TRACE(step);
    const auto before = current();
    const auto served = target_.served;
    write_text(options_.articles, articles_csv(23, std::string(" ") + step));
    target_.fail_at = step;
    const auto failed = expect_failure();
    EXPECT_EQ(failed.error().code, core::ErrorCode::kUnavailable);
    EXPECT_THAT(failed.error().message, HasSubstr("fake was "));
    EXPECT_EQ(current(), before);
    EXPECT_EQ(target_.served, served);
    target_.fail_at.clear();
    const auto again = run();
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(again->embedded_texts, 0U);  // the work of the first run is kept
    EXPECT_EQ(target_.served, again->generation);
    EXPECT_EQ(current(), again->generation);
  }
  EXPECT_EQ(target_.aborted, 3);  // once it was begun
}

TEST_F(FillTargetsTest, CountsThatDifferAreDataLoss) {
  target_.articles_too_many = 1;
  const auto failed = expect_failure();
  EXPECT_EQ(failed.error().code, core::ErrorCode::kDataLoss);
  EXPECT_THAT(failed.error().message, HasSubstr("24 of 23 articles"));
  EXPECT_FALSE(target_.served);
  EXPECT_FALSE(current());
}

// A store that serves what a run made before it died keeps it under its name: the next run's has another.
TEST_F(FillTargetsTest, AGenerationThatIsServedIsNeverWrittenAnew) {
  target_.fail_at = "switched";
  expect_failure();
  ASSERT_TRUE(target_.served);
  const auto lost = *target_.served;
  target_.fail_at.clear();
  const auto again = run();
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_NE(again->generation, lost);
  EXPECT_EQ(again->embedded_texts, 0U);
  EXPECT_EQ(target_.served, again->generation);
  EXPECT_TRUE(target_.kept.contains(lost));  // gateways may be at it
}

TEST_F(FillTargetsTest, WhatGatewaysHoldStays) {
  const core::SystemClock clock;
  support::FakeGenerationUse use(clock);
  stores_.use = &use;
  const core::GenerationId held("held");
  ASSERT_TRUE(core::sync_wait(use.report("gateway", held, std::chrono::minutes(1), core::Deadline::never())));
  const auto first = run();
  ASSERT_TRUE(first) << first.error().message;
  write_text(options_.articles, articles_csv(20));
  const auto second = run();
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_EQ(target_.kept, (std::set<core::GenerationId>{held, first->generation, second->generation}));
  target_.fail_at = "remove_others";
  const auto third = run();
  ASSERT_TRUE(third) << third.error().message;
  EXPECT_THAT(third->notes, Contains(HasSubstr("old generations stay in fake")));
}

TEST_F(FillTargetsTest, SharedChangesAreLaidOverTheFiles) {
  support::FakeCatalogChanges changes(true);
  stores_.changes = &changes;
  options_.live_changes = LiveChanges::kAll;
  ports::ChangeBatch batch{.time_ms = 5};
  const auto id = catalog::ArticleId::parse("500000001").value();
  batch.changes.push_back({.kind = catalog::ChangeKind::kPatch, .id = id, .sets_price = true, .price = 42.0});
  ASSERT_TRUE(core::sync_wait(changes.append(batch, core::Deadline::never())));
  const auto summary = run();
  ASSERT_TRUE(summary) << summary.error().message;
  EXPECT_EQ(summary->carried_changes, 1U);
  const auto& snapshot = *target_.begun->snapshot;
  EXPECT_EQ(snapshot.info.changes_through, 1);
  EXPECT_EQ(snapshot.catalog->row(*snapshot.catalog->find(id)).price(), 42.0);
}

}  // namespace
}  // namespace scalestyle::ingest
