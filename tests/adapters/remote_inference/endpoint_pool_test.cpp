#include "adapters/remote_inference/endpoint_pool.hpp"

#include <gmock/gmock.h>

#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "adapters/remote_inference/server_address.hpp"
#include "support/fake_clock.hpp"

namespace scalestyle::adapters::remote_inference {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

class EndpointPoolTest : public ::testing::Test {
 protected:
  // All serve, unless `check` is false.
  void open(std::size_t endpoints, EndpointOptions options = {}, bool check = true) {
    std::vector<std::string> urls;
    for (std::size_t i = 0; i < endpoints; ++i) urls.push_back("http://" + std::string(1, static_cast<char>('a' + i)));
    pool_.emplace("test", urls, options, EndpointPool::Dependencies{.clock = clock_, .metrics = &metrics_});
    while (check) {
      auto lease = pool_->acquire_unchecked();
      if (!lease) break;
      lease->checked();
      lease->succeed();
    }
  }
  std::string next_url(const std::vector<std::size_t>& tried = {}) {
    auto lease = pool_->acquire(tried);
    return lease ? lease->url() : "none";
  }
  void fail_once(std::size_t times = 1) {
    for (std::size_t i = 0; i < times; ++i) {
      auto lease = pool_->acquire();
      ASSERT_TRUE(lease);
      lease->fail("refused");
    }
  }

  support::FakeClock clock_;
  telemetry::Metrics metrics_;
  std::optional<EndpointPool> pool_;
};

TEST_F(EndpointPoolTest, TheLeastBusyEndpointIsNext) {
  open(3);
  auto a = pool_->acquire();
  auto b = pool_->acquire();
  auto c = pool_->acquire();
  ASSERT_TRUE(a && b && c);
  EXPECT_NE(a->url(), b->url());
  EXPECT_NE(b->url(), c->url());
  EXPECT_NE(a->url(), c->url());
  const std::string free = b->url();
  b->succeed();
  EXPECT_EQ(next_url(), free);
  const std::size_t other = a->index();
  a->succeed();
  EXPECT_NE(next_url({other}), c->url()) << "the busy one comes last";
}

TEST_F(EndpointPoolTest, EndpointsAreCheckedBeforeTheyAreUsedAndByOneAtATime) {
  open(1, {}, false);
  EXPECT_FALSE(pool_->any_serving());
  auto lease = pool_->acquire();
  ASSERT_TRUE(lease);
  EXPECT_TRUE(lease->must_check());
  EXPECT_FALSE(pool_->acquire()) << "the probe is alone";
  lease->checked();
  EXPECT_TRUE(pool_->any_serving());
  auto second = pool_->acquire();
  ASSERT_TRUE(second);
  EXPECT_FALSE(second->must_check());
  lease->succeed();
}

TEST_F(EndpointPoolTest, AnAbandonedProbeLetsTheNextOneTry) {
  open(1, {}, false);
  { const auto dropped = pool_->acquire(); }
  auto lease = pool_->acquire();
  ASSERT_TRUE(lease);
  EXPECT_TRUE(lease->must_check());
  EXPECT_EQ(pool_->status()[0].outstanding, 1U);
}

TEST_F(EndpointPoolTest, FailuresInARowEjectAndTheTimeDoubles) {
  open(1, {.failures_to_eject = 3, .first_ejection = 500ms, .longest_ejection = 1'500ms});
  fail_once(2);
  auto good = pool_->acquire();
  good->succeed();  // not in a row
  fail_once(2);
  EXPECT_EQ(pool_->status()[0].state, EndpointState::kServing);
  fail_once();
  EXPECT_EQ(pool_->status()[0].state, EndpointState::kEjected);
  EXPECT_FALSE(pool_->acquire());
  EXPECT_THAT(pool_->trouble(), HasSubstr("http://a: refused"));
  for (const auto length : {500ms, 1'000ms, 1'500ms, 1'500ms}) {
    clock_.advance(length - 1ms);
    EXPECT_FALSE(pool_->acquire()) << length.count();
    clock_.advance(1ms);
    auto probe = pool_->acquire();
    ASSERT_TRUE(probe) << length.count();
    EXPECT_TRUE(probe->must_check());
    EXPECT_FALSE(pool_->acquire()) << "half-open: one alone";
    probe->fail("still refused");  // one failure of a probe is enough
  }
  clock_.advance(1'500ms);
  auto probe = pool_->acquire();
  probe->checked();
  probe->succeed();
  EXPECT_EQ(pool_->status()[0].state, EndpointState::kServing);
  EXPECT_EQ(pool_->status()[0].trouble, "");
  fail_once(3);
  clock_.advance(500ms);
  EXPECT_TRUE(pool_->acquire()) << "after a success the times begin anew";
}

TEST_F(EndpointPoolTest, AnotherModelIsEjectedAtOnce) {
  open(2);
  auto lease = pool_->acquire();
  const std::size_t index = lease->index();
  lease->reject("serves another model");
  EXPECT_EQ(pool_->status()[index].state, EndpointState::kEjected);
  EXPECT_EQ(pool_->status()[1 - index].state, EndpointState::kServing);
}

TEST_F(EndpointPoolTest, CallsGoToAnEndpointThatMayBeBackOnlyWhereNoOtherServes) {
  open(2, {.failures_to_eject = 1, .first_ejection = 10ms});
  auto lease = pool_->acquire();
  const std::string failed = lease->url();
  const std::size_t index = lease->index();
  lease->fail("refused");
  clock_.advance(20ms);
  for (int i = 0; i < 4; ++i) EXPECT_NE(next_url(), failed);
  EXPECT_EQ(next_url({1 - index}), failed);
  auto probe = pool_->acquire_unchecked();
  ASSERT_TRUE(probe);
  EXPECT_EQ(probe->url(), failed);
}

TEST_F(EndpointPoolTest, LateOutcomesOfAnEjectedEndpointChangeNothing) {
  open(1, {.failures_to_eject = 1, .first_ejection = 100ms});
  auto early = pool_->acquire();
  auto other = pool_->acquire();
  fail_once();
  early->succeed();
  EXPECT_EQ(pool_->status()[0].state, EndpointState::kEjected) << "the probe brings it back";
  other->fail("late");
  clock_.advance(100ms);
  EXPECT_TRUE(pool_->acquire()) << "nor is it ejected for longer";
}

TEST_F(EndpointPoolTest, RetriesArePaidFromABudget) {
  open(2, {.retries_per_call = 0.1, .retry_reserve = 2});
  EXPECT_TRUE(pool_->take_retry());
  EXPECT_TRUE(pool_->take_retry());
  EXPECT_FALSE(pool_->take_retry());
  std::size_t retries = 0;
  for (int call = 0; call < 1'000; ++call) {
    pool_->count_call();
    if (pool_->take_retry()) ++retries;
  }
  EXPECT_GE(retries, 95U);
  EXPECT_LE(retries, 100U);
}

TEST_F(EndpointPoolTest, ManyThreadsLeaveNothingOutstanding) {
  open(3, {.failures_to_eject = 2, .first_ejection = 0ms});
  std::vector<std::jthread> callers;
  for (unsigned caller = 0; caller < 4; ++caller) {
    callers.emplace_back([this, caller] {
      for (unsigned round = 0; round < 2'000; ++round) {
        auto lease = pool_->acquire();
        if (!lease) continue;
        if (lease->must_check() && round % 3 != 0) lease->checked();
        switch ((round * 7 + caller) % 5) {
          case 0: lease->fail("x"); break;
          case 1: lease->abandon(); break;
          case 2: lease->reject("y"); break;
          default: lease->succeed(); break;
        }
      }
    });
  }
  callers.clear();
  for (const EndpointStatus& status : pool_->status()) EXPECT_EQ(status.outstanding, 0U);
}

TEST(ServerAddresses, AreReadAndChecked) {
  EXPECT_THAT(parse_server_addresses("http://a:8000/, https://b/v1", "inference_url").value(), ElementsAre("http://a:8000", "https://b/v1"));
  for (const char* wrong : {"", "a:8000", "ftp://a", "http://", "http:///x", "http://user@a", "http://a?b", "http://a#b", "http://a, ", "http://a,http://a/",
                            "http://a b"}) {
    const auto addresses = parse_server_addresses(wrong, "inference_url");
    ASSERT_FALSE(addresses) << wrong;
    EXPECT_EQ(addresses.error().code, core::ErrorCode::kInvalidArgument);
    EXPECT_EQ(addresses.error().field, "inference_url");
  }
}

}  // namespace
}  // namespace scalestyle::adapters::remote_inference
