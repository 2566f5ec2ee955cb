#include "search/search_service.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "search/refresh_loop.hpp"
#include "support/compute_threads.hpp"
#include "support/fake_catalog_store.hpp"
#include "support/fake_text_encoder.hpp"

namespace scalestyle::search {
namespace {

using catalog::FilterField;
using core::Deadline;
using core::ErrorCode;
using std::chrono::milliseconds;

class SearchServiceTest : public testing::Test {
 protected:
  SearchServiceTest() { publish("a", 30); }
  ~SearchServiceTest() override {
    encoder_.release();
    compute_.stop();
  }

  void publish(const std::string& generation, int count) {
    std::vector<catalog::Article> articles;
    for (int i = 0; i < count; ++i) {
      auto article = support::make_article(std::to_string(1000 + i), "name " + std::to_string(i));
      article[catalog::Attribute::kColour] = i % 3 == 0 ? "Red" : "Blue";
      article.price = static_cast<double>(i);
      articles.push_back(article);
    }
    store_.publish(support::make_snapshot(generation, articles, encoder_.info()));
    core::sync_wait(holder_.refresh(Deadline::never())).value();
  }
  SearchService& make(SearchOptions options = {}) {
    service_ = std::make_unique<SearchService>(
        SearchService::Dependencies{holder_, encoder_, index_, compute_.pool(), compute_.timers(), compute_.clock(), metrics_},
        std::move(options));
    return *service_;
  }
  static SearchRequest request(const std::string& query) {
    SearchRequest wanted;
    wanted.query = query;
    return wanted;
  }
  static SearchOutcome run(SearchService& service, SearchRequest wanted) { return core::sync_wait(service.search(std::move(wanted))); }

  telemetry::Metrics metrics_;
  std::unique_ptr<SearchService> service_;
  support::ComputeThreads compute_;
  support::FakeTextEncoder encoder_{compute_.pool()};
  support::FakeCatalogStore store_;
  support::FakeVectorIndex index_{store_, compute_.pool()};
  SnapshotHolder holder_{store_, index_, encoder_.info()};
};

std::vector<std::string> ids(const SearchOutcome& outcome) {
  std::vector<std::string> list;
  for (const auto& item : outcome.value().items) list.emplace_back(item.article.id());
  return list;
}

TEST_F(SearchServiceTest, BestIsFirstAndScoresAreCalibratedAndFall) {
  const auto outcome = run(make(), request("name 7"));
  ASSERT_TRUE(outcome);
  ASSERT_EQ(outcome->items.size(), 10U);
  EXPECT_EQ(outcome->items[0].article.id(), "0000001007");
  EXPECT_NEAR(outcome->items[0].score, 1.0, 1e-6);
  for (std::size_t i = 0; i < outcome->items.size(); ++i) {
    EXPECT_EQ(outcome->items[i].rank, i + 1);
    EXPECT_GT(outcome->items[i].score, 0.0);
    EXPECT_LE(outcome->items[i].score, 1.0);
    EXPECT_LE(outcome->items[i].score, i == 0 ? 1.0 : outcome->items[i - 1].score);
  }
  EXPECT_EQ(outcome->total, 30U);
  EXPECT_EQ(outcome->total_relation, TotalRelation::kEqual);
  EXPECT_TRUE(outcome->degradations.empty());
}

TEST_F(SearchServiceTest, PagesPartitionTheList) {
  auto& service = make();
  auto whole = request("name 3");
  whole.k = 30;
  const auto all = ids(run(service, whole));
  std::vector<std::string> joined;
  for (std::size_t offset = 0; offset < 36; offset += 7) {
    auto page = request("name 3");
    page.k = 7;
    page.offset = offset;
    const auto part = run(service, page);
    ASSERT_TRUE(part);
    EXPECT_EQ(part->total, 30U);
    for (auto& id : ids(part)) joined.push_back(id);
  }
  EXPECT_EQ(joined, all);
}

TEST_F(SearchServiceTest, PoolIsCutAndSaysSo) {
  auto wanted = request("name 3");
  wanted.k = 20;
  const auto outcome = run(make({.pool_size = 12}), wanted);
  ASSERT_TRUE(outcome);
  // Each leg's best twelve, united.
  EXPECT_GE(outcome->total, 12U);
  EXPECT_LE(outcome->total, 24U);
  EXPECT_EQ(outcome->total_relation, TotalRelation::kAtLeast);
  EXPECT_EQ(outcome->items.size(), std::min<std::size_t>(20, outcome->total));
}

TEST_F(SearchServiceTest, FiltersBoundTheList) {
  auto wanted = request("name 3");
  wanted.filter[FilterField::kColour] = {"red"};
  wanted.filter.price_max = 15.0;
  const auto outcome = run(make(), wanted);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->total, 6U);  // 0, 3, 6, 9, 12, 15
  EXPECT_EQ(outcome->total_relation, TotalRelation::kEqual);
  for (const auto& item : outcome->items) EXPECT_EQ(item.article.colour(), "Red");
}

TEST_F(SearchServiceTest, NothingEligibleIsAnHonestEmptyAnswerWithoutEmbedding) {
  auto wanted = request("name 3");
  wanted.filter[FilterField::kColour] = {"no such colour"};
  const auto outcome = run(make(), wanted);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->total, 0U);
  EXPECT_EQ(outcome->total_relation, TotalRelation::kEqual);
  EXPECT_TRUE(outcome->degradations.empty());
  EXPECT_TRUE(encoder_.batches().empty());
}

TEST_F(SearchServiceTest, PrefixIsPutBeforeTheQuery) {
  ASSERT_TRUE(run(make({.query_prefix = "find: "}), request("socks")));
  EXPECT_EQ(encoder_.batches().back(), (std::vector<std::string>{"find: socks"}));
}

TEST_F(SearchServiceTest, WrongRequestsNameTheirField) {
  auto& service = make();
  const auto field_of = [&](const SearchRequest& wanted) {
    const auto outcome = run(service, wanted);
    EXPECT_FALSE(outcome);
    if (outcome) return std::string();
    EXPECT_EQ(outcome.error().error.code, ErrorCode::kInvalidArgument);
    EXPECT_FALSE(outcome.error().reason);
    return outcome.error().error.field;
  };
  EXPECT_EQ(field_of(request("")), "query");
  EXPECT_EQ(field_of(request(" \t\xC2\xA0")), "query");
  EXPECT_EQ(field_of(request(std::string(501, 'a'))), "query");
  EXPECT_EQ(field_of(request("\xFF")), "query");
  EXPECT_EQ(field_of(request(std::string("a\0b", 3))), "query");
  auto wanted = request("a");
  wanted.k = 0;
  EXPECT_EQ(field_of(wanted), "k");
  wanted.k = 101;
  EXPECT_EQ(field_of(wanted), "k");
  wanted = request("a");
  wanted.offset = kMaxOffset + 1;
  EXPECT_EQ(field_of(wanted), "offset");
  wanted = request("a");
  wanted.filter.price_min = -1.0;
  EXPECT_EQ(field_of(wanted), "price_min");
  wanted = request("a");
  wanted.user_id = core::UserId(std::string(101, 'u'));
  EXPECT_EQ(field_of(wanted), "userId");
  EXPECT_TRUE(run(service, request(std::string(500, 'a'))));
}

TEST_F(SearchServiceTest, FailuresCarryTheirReason) {
  auto& service = make();
  const auto reason_of = [&](Deadline deadline = Deadline::never()) {
    auto wanted = request("zzzz");  // no word of it is found: nothing else answers
    wanted.deadline = deadline;
    const auto outcome = run(service, wanted);
    EXPECT_FALSE(outcome);
    return outcome ? std::nullopt : outcome.error().reason;
  };
  encoder_.fail_with(core::Error{ErrorCode::kUnavailable, "away"});
  EXPECT_EQ(reason_of(), DegradationReason::kInferenceUnavailable);
  encoder_.fail_with(core::Error{ErrorCode::kDeadlineExceeded, "late"});
  EXPECT_EQ(reason_of(), DegradationReason::kInferenceTimeout);
  encoder_.fail_with(core::Error{ErrorCode::kResourceExhausted, "full"});
  EXPECT_EQ(reason_of(), DegradationReason::kDownstreamCapacityRejected);
  encoder_.fail_with(std::nullopt);
  index_.fail_search_with(core::Error{ErrorCode::kUnavailable, "away"});
  EXPECT_EQ(reason_of(), DegradationReason::kRetrievalUnavailable);
  index_.fail_search_with(std::nullopt);
  encoder_.hold();
  EXPECT_EQ(reason_of(Deadline::after(milliseconds(20), compute_.clock())), DegradationReason::kInferenceTimeout);
  encoder_.release();
  ports::EncoderInfo other = encoder_.info();
  other.model = "another";
  store_.publish(support::make_snapshot("b", {support::make_article("1", "shirt")}, other));
  core::sync_wait(holder_.refresh(Deadline::never())).value();
  EXPECT_EQ(reason_of(), DegradationReason::kRetrievalUnavailable);
  EXPECT_NE(metrics_.render().find("recommendation_degraded_reason_total{reason=\"RETRIEVAL_UNAVAILABLE\"} 2"), std::string::npos);
}

TEST_F(SearchServiceTest, LimitOfSearchesInProgressRefusesAtTheDoor) {
  auto& service = make({.max_in_progress = 1});
  encoder_.hold();
  std::promise<void> done;
  auto first = core::start(service.search(request("a")), [&](SearchOutcome&& outcome) {
    EXPECT_TRUE(outcome);
    done.set_value();
  });
  encoder_.wait_until_held(1);
  const auto refused = run(service, request("b"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().error.code, ErrorCode::kResourceExhausted);
  EXPECT_EQ(refused.error().reason, DegradationReason::kDownstreamCapacityRejected);
  encoder_.release();
  done.get_future().get();
  EXPECT_TRUE(run(service, request("c")));
}

TEST_F(SearchServiceTest, StagesTellOutcomeAndTime) {
  auto wanted = request("name 3");
  wanted.filter[FilterField::kColour] = {"Red"};
  const auto outcome = run(make(), wanted);
  ASSERT_TRUE(outcome);
  std::vector<Stage> stages;
  for (const auto& report : outcome->stages) {
    stages.push_back(report.stage);
    // No reranker is installed, and nobody asked for this before.
    const bool is_installed = report.stage != Stage::kRerank && report.stage != Stage::kList;
    EXPECT_EQ(report.outcome, is_installed ? StageOutcome::kOk : StageOutcome::kSkipped) << to_string(report.stage);
    EXPECT_GE(report.took.count(), 0);
    EXPECT_LE(report.took, outcome->took);
  }
  EXPECT_EQ(stages, (std::vector{Stage::kAdmission, Stage::kValidate, Stage::kList, Stage::kUnderstand, Stage::kFilter, Stage::kLexical, Stage::kEmbed,
                                 Stage::kRetrieve, Stage::kOrder, Stage::kRerank, Stage::kPage, Stage::kReasons}));
}

TEST_F(SearchServiceTest, NoSearchFailsWhileGenerationsSwitch) {
  auto& service = make();
  telemetry::Logger log({telemetry::LogLevel::kError, telemetry::LogFormat::kJson}, compute_.clock());
  RefreshLoop refreshing({holder_, compute_.timers(), compute_.clock(), log}, {.interval = milliseconds(1)});
  refreshing.start();
  std::atomic<bool> stop{false};
  std::atomic<int> failed{0};
  std::atomic<int> served{0};
  std::vector<std::thread> clients;
  for (int t = 0; t < 4; ++t) {
    clients.emplace_back([&] {
      while (!stop.load()) {
        const auto outcome = run(service, request("name 3"));
        if (!outcome || outcome->items.empty()) ++failed;
        ++served;
      }
    });
  }
  int last = 0;
  for (int generation = 0; generation < 30; ++generation) {
    std::vector<catalog::Article> articles;
    last = 20 + generation % 5;
    for (int i = 0; i < last; ++i) articles.push_back(support::make_article(std::to_string(1000 + i), "name " + std::to_string(i)));
    store_.publish(support::make_snapshot(std::string("g").append(std::to_string(generation)), articles, encoder_.info()));
    std::this_thread::sleep_for(milliseconds(5));
  }
  const auto deadline = compute_.clock().steady_now() + std::chrono::seconds(20);
  while (holder_.serving()->info().id.value() != "g29" && compute_.clock().steady_now() < deadline) std::this_thread::yield();
  EXPECT_EQ(holder_.serving()->info().id.value(), "g29");
  stop.store(true);
  for (auto& client : clients) client.join();
  EXPECT_EQ(failed.load(), 0);
  EXPECT_GT(served.load(), 0);
  // For a moment an older list may still stand in.
  std::size_t total = 0;
  while (total != static_cast<std::size_t>(last) && compute_.clock().steady_now() < deadline) {
    total = run(service, request("name 3")).value().total;
  }
  EXPECT_EQ(total, static_cast<std::size_t>(last));
  refreshing.stop();
  compute_.stop();
}

TEST(SearchOptions, LimitsAreChecked) {
  EXPECT_TRUE(SearchOptions{}.validate());
  EXPECT_EQ((SearchOptions{.pool_size = 0}).validate().error().field, "pool_size");
  EXPECT_EQ((SearchOptions{.pool_size = 16'385}).validate().error().field, "pool_size");
  EXPECT_EQ((SearchOptions{.query_prefix = "\xFF"}).validate().error().field, "query_prefix");
}

}  // namespace
}  // namespace scalestyle::search
