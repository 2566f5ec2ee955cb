#include "search/patient_vector_index.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <set>
#include <string>
#include <thread>

#include "support/fake_clock.hpp"
#include "support/running_pool.hpp"

namespace scalestyle::search {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

const core::GenerationId kFirst("g1");

// Opens what `fault` lets it open; every search finds one article.
class FaultyIndex final : public ports::VectorIndex {
 public:
  core::Task<core::Status> open(core::GenerationId generation, core::Deadline) override {
    ++opens;
    if (fault) co_return std::unexpected(*fault);
    open_ones.insert(generation);
    co_return core::Status();
  }
  void close(const core::GenerationId& generation) override { open_ones.erase(generation); }
  core::Task<core::Result<std::vector<ports::VectorHits>>> search(core::GenerationId, std::vector<ports::VectorQuery> queries,
                                                                  core::Deadline) override {
    searched_on = std::this_thread::get_id();
    co_return std::vector<ports::VectorHits>(queries.size());
  }
  core::Task<core::Result<std::vector<float>>> vector_of(core::GenerationId, catalog::ArticleId, core::Deadline) override {
    co_return std::vector<float>{1};
  }
  std::optional<core::Error> fault;
  int opens = 0;
  std::thread::id searched_on;
  std::set<core::GenerationId> open_ones;
};

class PatientVectorIndexTest : public testing::Test {
 protected:
  [[nodiscard]] core::Status open() { return core::sync_wait(patient_.open(kFirst, core::Deadline::never())); }
  [[nodiscard]] core::Result<std::vector<ports::VectorHits>> search() {
    return core::sync_wait(patient_.search(kFirst, std::vector<ports::VectorQuery>(2), core::Deadline::never()));
  }
  void pass(std::chrono::milliseconds time) {
    clock_.advance(time);
    timers_.run_due();
  }

  support::RunningPool pool_{1};
  support::FakeClock clock_;
  core::TimerQueue timers_{clock_};
  telemetry::Logger log_{{telemetry::LogLevel::kError, telemetry::LogFormat::kHuman}, clock_};
  FaultyIndex index_;
  PatientVectorIndex patient_{{.index = index_, .pool = *pool_, .timers = timers_, .clock = clock_, .log = log_}, {}};
};

TEST_F(PatientVectorIndexTest, WhatOpensIsSearched) {
  ASSERT_TRUE(open());
  EXPECT_EQ(patient_.trouble(), "");
  EXPECT_EQ(search()->size(), 2U);
  pass(10s);
  EXPECT_EQ(index_.opens, 1);
  patient_.close(kFirst);
  EXPECT_TRUE(index_.open_ones.empty());
}

TEST_F(PatientVectorIndexTest, AServerThatIsAwayIsTriedAgainUntilItIsThere) {
  index_.fault = core::Error{core::ErrorCode::kUnavailable, "the server is away"};
  ASSERT_TRUE(open());
  EXPECT_THAT(patient_.trouble(), HasSubstr("the server is away"));
  ASSERT_FALSE(search());
  EXPECT_EQ(search().error().code, core::ErrorCode::kUnavailable);
  index_.fault = core::Error{core::ErrorCode::kNotFound, "no such collection"};
  pass(1s);
  EXPECT_THAT(search().error().message, HasSubstr("no such collection"));
  index_.fault.reset();
  pass(1s);
  EXPECT_EQ(index_.opens, 3);
  EXPECT_TRUE(search());
  EXPECT_TRUE(core::sync_wait(patient_.vector_of(kFirst, *catalog::ArticleId::parse("108775015"), core::Deadline::never())));
  EXPECT_EQ(patient_.trouble(), "");
  pass(10s);
  EXPECT_EQ(index_.opens, 3);
}

TEST_F(PatientVectorIndexTest, AGenerationThatDoesNotFitIsRefused) {
  index_.fault = core::Error{core::ErrorCode::kFailedPrecondition, "another dimension"};
  EXPECT_FALSE(open());
  EXPECT_EQ(patient_.trouble(), "");
}

TEST_F(PatientVectorIndexTest, WhatWasClosedIsNotTriedAgain) {
  index_.fault = core::Error{core::ErrorCode::kUnavailable, "the server is away"};
  ASSERT_TRUE(open());
  patient_.close(kFirst);
  index_.fault.reset();
  pass(1s);
  EXPECT_TRUE(index_.open_ones.empty());
  EXPECT_EQ(patient_.trouble(), "");
}

TEST_F(PatientVectorIndexTest, NothingIsTriedAfterAStop) {
  index_.fault = core::Error{core::ErrorCode::kUnavailable, "the server is away"};
  ASSERT_TRUE(open());
  patient_.stop();
  pass(1s);
  pass(1s);
  EXPECT_EQ(index_.opens, 1);
}

}  // namespace
}  // namespace scalestyle::search
