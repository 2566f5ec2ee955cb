// Servers that die, hang, ask for a user; callers that go away.

#include <fmt/format.h>

#include <cstdio>
#include <future>
#include <random>
#include <set>
#include <string>

#include "milvus_servers.hpp"

namespace scalestyle::adapters::milvus {
namespace {

using core::ErrorCode;
using core::GenerationId;
using std::chrono::milliseconds;

constexpr std::size_t kDimension = 16;

class MilvusFaultsTest : public MilvusTest {
 protected:
  void SetUp() override {
    MilvusTest::SetUp();
    if (IsSkipped()) return;
    writer_ = connection_->writer({.collection_prefix = prefix_, .index = MilvusIndexType::kFlat});
    write_collection(*writer_, "g1", vectors_);
    index_ = connection_->index({.collection_prefix = prefix_});
    ASSERT_TRUE(core::sync_wait(index_->open(GenerationId("g1"), core::Deadline::never())));
  }
  void TearDown() override {
    if (writer_ != nullptr) {
      EXPECT_TRUE(core::sync_wait(writer_->drop(GenerationId("g1"), connection_->within(std::chrono::seconds(120)))));
    }
  }
  [[nodiscard]] ports::VectorQuery query(std::size_t k = 10) {
    return {.vector = support::random_unit_vector(random_, kDimension), .k = k, .filter = nullptr, .eligible = nullptr};
  }
  core::Result<std::vector<ports::VectorHits>> search(core::Deadline deadline) {
    return core::sync_wait(index_->search(GenerationId("g1"), {query()}, deadline));
  }
  [[nodiscard]] double seconds_since(core::SteadyTime began) const {
    return std::chrono::duration<double>(connection_->clock().steady_now() - began).count();
  }

  std::mt19937 random_{21};
  const support::IndexedVectors vectors_ = support::random_vectors(500, kDimension, 20);
  std::unique_ptr<MilvusCollectionWriter> writer_;
  std::unique_ptr<MilvusVectorIndex> index_;
};

TEST_P(MilvusFaultsTest, DeadlinesHoldWhileTheServerHangs) {
  ASSERT_TRUE(search(core::Deadline::never()));
  ASSERT_TRUE(server_->run("pause"));
  const auto began = connection_->clock().steady_now();
  const auto late = search(connection_->within(milliseconds(300)));
  const double waited = seconds_since(began);
  const auto vector =
      core::sync_wait(index_->vector_of(GenerationId("g1"), vectors_.ids[0], connection_->within(milliseconds(100))));
  ASSERT_TRUE(server_->run("resume"));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, ErrorCode::kDeadlineExceeded) << late.error().message;
  EXPECT_GE(waited, 0.3);
  EXPECT_LT(waited, 3.0);
  ASSERT_FALSE(vector);
  EXPECT_EQ(vector.error().code, ErrorCode::kDeadlineExceeded);
  EXPECT_TRUE(eventually([&] { return search(core::Deadline::never()).has_value(); }));
}

core::Task<core::Status> search_and_tell(MilvusVectorIndex& index, ports::VectorQuery wanted, std::promise<ErrorCode>& told) {
  std::vector<ports::VectorQuery> twice(2, std::move(wanted));
  auto found = co_await index.search(GenerationId("g1"), std::move(twice), core::Deadline::never());
  told.set_value(found ? ErrorCode::kInternal : found.error().code);
  co_return core::Status();
}

TEST_P(MilvusFaultsTest, ACallerThatGoesAwayGetsNothingAndOthersGoOn) {
  ASSERT_TRUE(search(core::Deadline::never()));
  ASSERT_TRUE(server_->run("pause"));
  std::promise<ErrorCode> ended;
  {
    auto operation = core::start(search_and_tell(*index_, query(), ended), [](core::Status&&) {});
    std::this_thread::sleep_for(milliseconds(50));
    operation.cancel();
  }
  auto outcome = ended.get_future();
  const bool is_there = outcome.wait_for(std::chrono::seconds(1)) == std::future_status::ready;
  ASSERT_TRUE(server_->run("resume"));
  EXPECT_TRUE(is_there);  // before its deadline of two seconds
  EXPECT_EQ(outcome.get(), ErrorCode::kCancelled);
  EXPECT_TRUE(eventually([&] { return search(core::Deadline::never()).has_value(); }));
}

TEST_P(MilvusFaultsTest, CallsUnderWayAreBounded) {
  MilvusConnection narrow(server_->value("port"), {.max_calls = 4});
  const auto index = narrow.index({.collection_prefix = prefix_});
  ASSERT_TRUE(core::sync_wait(index->open(GenerationId("g1"), core::Deadline::never())));
  ASSERT_TRUE(server_->run("pause"));
  const auto refused = core::sync_wait(index->search(GenerationId("g1"), std::vector<ports::VectorQuery>(5, query()),
                                                     narrow.within(milliseconds(200))));
  ASSERT_TRUE(server_->run("resume"));
  ASSERT_FALSE(refused);
  // Four wait for their deadline, the fifth is refused at once; the first failure is told.
  EXPECT_TRUE(refused.error().code == ErrorCode::kDeadlineExceeded || refused.error().code == ErrorCode::kResourceExhausted);
  EXPECT_NE(narrow.metrics().find("scalestyle_milvus_refused_total 1"), std::string::npos) << narrow.metrics();
  EXPECT_TRUE(eventually([&] {
    return core::sync_wait(
               index->search(GenerationId("g1"), std::vector<ports::VectorQuery>(4, query()), core::Deadline::never()))
        .has_value();
  }));
}

TEST_P(MilvusFaultsTest, AKilledServerIsFoundAgainWithItsData) {
  ASSERT_TRUE(search(core::Deadline::never()));
  ASSERT_TRUE(server_->run("kill"));
  const auto away = search(connection_->within(milliseconds(500)));
  ASSERT_FALSE(away);
  EXPECT_TRUE(away.error().code == ErrorCode::kUnavailable || away.error().code == ErrorCode::kDeadlineExceeded)
      << away.error().message;
  EXPECT_FALSE(connection_->client().trouble().empty());
  const auto other = connection_->index({.collection_prefix = prefix_});
  const auto unopened = core::sync_wait(other->open(GenerationId("g1"), connection_->within(milliseconds(500))));
  ASSERT_FALSE(unopened);
  EXPECT_TRUE(unopened.error().code == ErrorCode::kUnavailable || unopened.error().code == ErrorCode::kDeadlineExceeded);

  const auto began = connection_->clock().steady_now();
  ASSERT_TRUE(server_->run("restart"));
  const double ready = seconds_since(began);
  std::set<ErrorCode> meanwhile;
  bool answers = false;
  while (!answers && seconds_since(began) < 120) {
    const auto found = search(connection_->within(milliseconds(600)));
    answers = found && (*found)[0].hits.size() == 10;
    if (!found) meanwhile.insert(found.error().code);
    std::this_thread::sleep_for(milliseconds(50));
  }
  EXPECT_TRUE(answers);
  fmt::print("{}: killed and started again on its data: it said ready after {:.1f} s, searches answered after {:.1f} s\n",
             server_name({GetParam(), 0}), ready, seconds_since(began));
  for (const ErrorCode code : meanwhile) {
    EXPECT_TRUE(code == ErrorCode::kUnavailable || code == ErrorCode::kDeadlineExceeded) << core::to_string(code);
  }
  const auto all = core::sync_wait(index_->search(GenerationId("g1"), {query(1000)}, core::Deadline::never()));
  ASSERT_TRUE(all) << all.error().message;
  EXPECT_EQ((*all)[0].hits.size(), 500U);
  EXPECT_TRUE(connection_->client().trouble().empty());
}

INSTANTIATE_TEST_SUITE_P(Servers, MilvusFaultsTest, testing::Values(kMilvus, kMilvusLite), server_name);

}  // namespace
}  // namespace scalestyle::adapters::milvus
