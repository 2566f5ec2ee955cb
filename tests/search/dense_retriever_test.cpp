#include "search/dense_retriever.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/compute_threads.hpp"
#include "support/fake_catalog_store.hpp"
#include "support/fake_text_encoder.hpp"

namespace scalestyle::search {
namespace {

using core::Deadline;
using core::ErrorCode;
using std::chrono::milliseconds;

class DenseRetrieverTest : public testing::Test {
 protected:
  DenseRetrieverTest() {
    std::vector<catalog::Article> articles;
    for (int i = 0; i < 50; ++i) articles.push_back(support::make_article(std::to_string(1000 + i), "name " + std::to_string(i)));
    store_.publish(support::make_snapshot("a", articles, encoder_.info()));
    core::sync_wait(holder_.refresh(Deadline::never())).value();
  }
  ~DenseRetrieverTest() override {
    encoder_.release();
    compute_.stop();
  }

  DenseRetriever& make(DenseRetriever::Options options) {
    retrievers_.push_back(std::make_unique<DenseRetriever>(
        DenseRetriever::Ports{encoder_, index_, compute_.pool(), compute_.timers(), compute_.clock()}, options, metrics_));
    return *retrievers_.back();
  }
  DenseQuery query(const std::string& text, Deadline deadline = Deadline::never()) {
    DenseQuery wanted;
    wanted.text = text;
    wanted.generation = holder_.serving();
    wanted.k = 10;
    wanted.deadline = deadline;
    return wanted;
  }
  struct Running {
    std::future<DenseOutcome> outcome;
    core::Operation operation;
  };
  Running begin(DenseRetriever& retriever, DenseQuery wanted) {
    auto promise = std::make_shared<std::promise<DenseOutcome>>();
    auto future = promise->get_future();
    auto operation = core::start(retriever.retrieve(std::move(wanted)),
                                 [promise](DenseOutcome&& outcome) { promise->set_value(std::move(outcome)); });
    return {std::move(future), std::move(operation)};
  }

  telemetry::Metrics metrics_;
  std::vector<std::unique_ptr<DenseRetriever>> retrievers_;  // destroyed after the threads ended
  support::ComputeThreads compute_{3};
  support::FakeTextEncoder encoder_{compute_.pool()};
  support::FakeCatalogStore store_;
  support::FakeVectorIndex index_{store_, compute_.pool()};
  SnapshotHolder holder_{store_, index_, encoder_.info()};
};

std::vector<std::pair<std::string, float>> listed(const DenseOutcome& outcome) {
  std::vector<std::pair<std::string, float>> rows;
  for (const auto& hit : outcome.value().hits.hits) rows.emplace_back(hit.article_id.text(), hit.score);
  return rows;
}

TEST_F(DenseRetrieverTest, WhatWaitsIsEmbeddedAndSearchedTogetherWithTheResultsOfSingleCalls) {
  auto& single = make({});
  std::map<std::string, std::vector<std::pair<std::string, float>>> expected;
  for (int i = 0; i < 12; ++i) {
    const std::string text = "text " + std::to_string(i % 10);
    expected[text] = listed(core::sync_wait(single.retrieve(query(text))));
  }
  const std::size_t before = encoder_.batches().size();

  auto& retriever = make({.max_batch = 8, .max_leaders = 1});
  encoder_.hold();
  std::vector<Running> running;
  running.push_back(begin(retriever, query("text 0")));
  encoder_.wait_until_held(1);
  for (int i = 1; i < 12; ++i) running.push_back(begin(retriever, query("text " + std::to_string(i % 10))));
  encoder_.release();
  for (int i = 0; i < 12; ++i) {
    EXPECT_EQ(listed(running[static_cast<std::size_t>(i)].outcome.get()), expected["text " + std::to_string(i % 10)]);
  }
  // The leader alone, then eight, then the three that did not fit: of those, "text 0" and "text 1" appeared before.
  auto batches = encoder_.batches();
  batches.erase(batches.begin(), batches.begin() + static_cast<std::ptrdiff_t>(before));
  ASSERT_EQ(batches.size(), 3U);
  EXPECT_EQ(batches[0].size(), 1U);
  EXPECT_EQ(batches[1].size(), 8U);
  EXPECT_EQ(batches[2].size(), 3U);
}

TEST_F(DenseRetrieverTest, EqualTextsOfABatchAreEmbeddedOnce) {
  auto& retriever = make({.max_leaders = 1});
  encoder_.hold();
  std::vector<Running> running;
  running.push_back(begin(retriever, query("first")));
  encoder_.wait_until_held(1);
  for (int i = 0; i < 5; ++i) running.push_back(begin(retriever, query("same")));
  encoder_.release();
  for (auto& each : running) EXPECT_TRUE(each.outcome.get());
  EXPECT_EQ(encoder_.batches().back(), (std::vector<std::string>{"same"}));
  EXPECT_EQ(index_.batch_sizes().back(), 5U);
}

TEST_F(DenseRetrieverTest, WaiterLeavesAtItsOwnDeadlineAndTheBatchGoesOn) {
  auto& retriever = make({.max_leaders = 1});
  encoder_.hold();
  auto patient = begin(retriever, query("patient"));
  encoder_.wait_until_held(1);
  const auto& clock = compute_.clock();
  const auto began = clock.steady_now();
  auto hasty = begin(retriever, query("hasty", Deadline::after(milliseconds(30), clock)));
  const DenseOutcome late = hasty.outcome.get();
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().error.code, ErrorCode::kDeadlineExceeded);
  EXPECT_EQ(late.error().stage, DenseStage::kEmbed);
  EXPECT_GE(clock.steady_now() - began, milliseconds(30));
  encoder_.release();
  EXPECT_TRUE(patient.outcome.get());
  EXPECT_TRUE(core::sync_wait(retriever.retrieve(query("next"))));
  for (const auto& batch : encoder_.batches()) EXPECT_NE(batch, (std::vector<std::string>{"hasty"}));
}

TEST_F(DenseRetrieverTest, CancelledWaiterGetsNothingAndTheOthersGoOn) {
  auto& retriever = make({.max_leaders = 1});
  encoder_.hold();
  auto leader = begin(retriever, query("leader"));
  encoder_.wait_until_held(1);
  auto gone = begin(retriever, query("gone"));
  auto stays = begin(retriever, query("stays"));
  gone.operation.cancel();
  EXPECT_THROW(gone.outcome.get(), std::future_error);  // its callback was dropped unused, at once
  leader.operation.cancel();  // while its batch is computed
  encoder_.release();
  EXPECT_TRUE(stays.outcome.get());
  EXPECT_THROW(leader.outcome.get(), std::future_error);
  EXPECT_EQ(encoder_.batches().back(), (std::vector<std::string>{"stays"}));
}

TEST_F(DenseRetrieverTest, FailuresNameTheirStage) {
  auto& retriever = make({});
  encoder_.fail_with(core::Error{ErrorCode::kUnavailable, "no encoder"});
  const auto embed = core::sync_wait(retriever.retrieve(query("x")));
  ASSERT_FALSE(embed);
  EXPECT_EQ(embed.error().stage, DenseStage::kEmbed);
  EXPECT_EQ(embed.error().error.message, "no encoder");
  encoder_.fail_with(std::nullopt);
  index_.fail_search_with(core::Error{ErrorCode::kUnavailable, "no index"});
  const auto search = core::sync_wait(retriever.retrieve(query("x")));
  ASSERT_FALSE(search);
  EXPECT_EQ(search.error().stage, DenseStage::kSearch);
  EXPECT_EQ(search.error().error.message, "no index");
}

TEST_F(DenseRetrieverTest, FullQueueRefusesAtOnce) {
  auto& retriever = make({.max_leaders = 1, .max_waiting = 2});
  encoder_.hold();
  std::vector<Running> running;
  running.push_back(begin(retriever, query("leader")));
  encoder_.wait_until_held(1);
  running.push_back(begin(retriever, query("one")));
  running.push_back(begin(retriever, query("two")));
  const auto refused = core::sync_wait(retriever.retrieve(query("three")));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().error.code, ErrorCode::kResourceExhausted);
  encoder_.release();
  for (auto& each : running) EXPECT_TRUE(each.outcome.get());
}

TEST_F(DenseRetrieverTest, QueriesOfTwoGenerationsAreNotMixed) {
  auto& retriever = make({.max_leaders = 1});
  encoder_.hold();
  std::vector<Running> running;
  running.push_back(begin(retriever, query("leader")));
  encoder_.wait_until_held(1);
  for (int i = 0; i < 3; ++i) running.push_back(begin(retriever, query("old " + std::to_string(i))));
  store_.publish(support::make_snapshot("b", {support::make_article("7", "only")}, encoder_.info()));
  core::sync_wait(holder_.refresh(Deadline::never())).value();
  for (int i = 0; i < 2; ++i) running.push_back(begin(retriever, query("new " + std::to_string(i))));
  encoder_.release();
  std::vector<std::size_t> sizes;
  for (auto& each : running) {
    const auto outcome = each.outcome.get();
    ASSERT_TRUE(outcome) << outcome.error().error.message;
    sizes.push_back(outcome->hits.hits.size());
  }
  EXPECT_EQ(sizes, (std::vector<std::size_t>{10, 10, 10, 10, 1, 1}));
}

TEST_F(DenseRetrieverTest, AnEngineWithoutBitmapsGivesTheSameAnswersInTheEnd) {
  auto& retriever = make({});
  for (const std::uint32_t every : {1U, 2U, 5U, 25U}) {
    catalog::Bitmap rows(50);
    for (std::uint32_t row = 0; row < 50; row += every) rows.set({row});
    auto wanted = query("some text");
    wanted.eligible = std::make_shared<const catalog::Bitmap>(std::move(rows));
    index_.ignore_bitmaps(false);
    const auto expected = listed(core::sync_wait(retriever.retrieve(wanted)));
    index_.ignore_bitmaps(true);
    const std::size_t before = index_.asked().size();
    EXPECT_EQ(listed(core::sync_wait(retriever.retrieve(wanted))), expected) << every;
    EXPECT_LE(index_.asked().size() - before, 2U);
  }
  EXPECT_NE(metrics_.render().find("scalestyle_search_hits_outside_total"), std::string::npos);
}

TEST_F(DenseRetrieverTest, ManyThreadsAtOnceAllGetTheirOwnResult) {
  auto& retriever = make({.max_batch = 4, .max_leaders = 2});
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 40; ++i) {
        const int name = (t * 40 + i) % 50;
        const auto outcome = core::sync_wait(retriever.retrieve(query("name " + std::to_string(name))));
        // An article's vector is that of its name: the best hit is the article itself.
        const std::string expected = "000000" + std::to_string(1000 + name);
        if (!outcome || outcome->hits.hits.front().article_id.text() != expected) ++wrong;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong.load(), 0);
}

}  // namespace
}  // namespace scalestyle::search
