// The conformance suite of PairScorer through the queue, and what the queues of scorer and image encoder do with many callers.

#include "adapters/embedded/queued_models.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <semaphore>
#include <thread>

#include "support/compute_threads.hpp"
#include "support/conformance_pair_scorer.hpp"
#include "support/fake_image_encoder.hpp"
#include "support/fake_pair_scorer.hpp"

namespace scalestyle::support {
namespace {

using adapters::embedded::QueuedImageEncoder;
using adapters::embedded::QueuedPairScorer;
using core::Deadline;
using core::ErrorCode;
using namespace std::chrono_literals;

class QueuedEngine final : public PairScorerEngine {
 public:
  explicit QueuedEngine(QueuedPairScorer::Options options = {})
      : scorer_(fake_, options, threads_.pool(), threads_.clock(), metrics_) {}
  ~QueuedEngine() override { threads_.stop(); }
  ports::PairScorer& scorer() override { return scorer_; }
  QueuedPairScorer& queued() { return scorer_; }
  FakePairScorer& fake() { return fake_; }
  [[nodiscard]] const core::Clock& clock() const { return threads_.clock(); }

 private:
  telemetry::Metrics metrics_;
  ComputeThreads threads_{2};
  FakePairScorer fake_{threads_.pool(), threads_.clock()};
  QueuedPairScorer scorer_;
};
INSTANTIATE_TEST_SUITE_P(Queued, PairScorerConformance, ::testing::Values([] { return std::make_unique<QueuedEngine>(); }));

struct Caller {
  Caller(ports::PairScorer& scorer, std::string query, Deadline deadline = Deadline::never())
      : operation(core::start(scorer.score(std::move(query), {"red dress"}, deadline), [this](core::Result<ports::PairScores>&& result) {
          outcome.emplace(std::move(result));
          done.release();
        })) {}
  core::Result<ports::PairScores>& wait() {
    done.acquire();
    return *outcome;
  }
  std::optional<core::Result<ports::PairScores>> outcome;
  std::binary_semaphore done{0};
  core::Operation operation;
};

TEST(QueuedPairScorerTest, CallsWaitTheirTurnAndAreRefusedWhenTooManyTokensWait) {
  QueuedEngine engine({.running = 1, .queue_tokens = 12});
  engine.fake().hold();
  Caller first(engine.scorer(), "first");
  engine.fake().wait_until_held(1);
  Caller gone(engine.scorer(), "gone");
  while (engine.queued().waiting_tokens() == 0) std::this_thread::sleep_for(1ms);
  const auto refused = core::sync_wait(engine.scorer().score("a query that is too long for the queue", {"coat"}, Deadline::never()));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kResourceExhausted);
  gone.operation.cancel();
  while (engine.queued().waiting_tokens() != 0) std::this_thread::sleep_for(1ms);
  Caller last(engine.scorer(), "last");
  engine.fake().release();
  EXPECT_EQ(first.wait()->scores.size(), 1U);
  EXPECT_EQ(last.wait()->scores.size(), 1U);
  ASSERT_EQ(engine.fake().calls().size(), 2U);
  EXPECT_EQ(engine.fake().calls()[1].query, "last");
}

TEST(QueuedPairScorerTest, ADeadlineThatPassesWhileItWaitsLeavesAnEmptyPrefix) {
  QueuedEngine engine({.running = 1, .queue_tokens = 100});
  engine.fake().hold();
  Caller first(engine.scorer(), "first");
  engine.fake().wait_until_held(1);
  Caller late(engine.scorer(), "late", Deadline::after(10ms, engine.clock()));
  std::this_thread::sleep_for(20ms);
  Caller next(engine.scorer(), "next");  // whoever comes ends the waits that are over
  const auto& outcome = late.wait();
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_TRUE(outcome->scores.empty());
  engine.fake().release();
  EXPECT_TRUE(first.wait());
  EXPECT_TRUE(next.wait());
  EXPECT_EQ(engine.fake().calls().size(), 2U);
}

TEST(QueuedImageEncoderTest, PicturesWaitAndAreRefused) {
  telemetry::Metrics metrics;
  ComputeThreads threads(2);
  FakeImageEncoder fake(threads.pool());
  QueuedImageEncoder encoder(fake, {.running = 1, .queue_items = 2}, threads.pool(), threads.clock(), metrics);
  EXPECT_EQ(encoder.info().model, "fake-image-encoder");
  const auto picture = std::make_shared<const std::string>("picture");
  fake.gate().hold();
  std::optional<core::Result<std::vector<core::Result<std::vector<float>>>>> first;
  std::binary_semaphore done(0);
  auto running = core::start(encoder.encode_images({picture}, Deadline::never()), [&](auto&& result) {
    first.emplace(std::move(result));
    done.release();
  });
  auto waiting = core::start(encoder.encode_images({picture, picture}, Deadline::never()), [](const auto&) {});
  while (encoder.waiting_items() < 2) std::this_thread::sleep_for(1ms);
  const auto refused = core::sync_wait(encoder.encode_texts({"shirt"}, Deadline::never()));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kResourceExhausted);
  waiting.cancel();
  while (encoder.waiting_items() != 0) std::this_thread::sleep_for(1ms);
  fake.gate().release();
  done.acquire();
  ASSERT_TRUE(*first);
  EXPECT_EQ((**first)[0].value(), vector_of_text("picture", 8));
  const auto texts = core::sync_wait(encoder.encode_texts({"shirt"}, Deadline::never()));
  ASSERT_TRUE(texts);
  EXPECT_EQ(texts->values, vector_of_text("shirt", 8));
  threads.stop();
}

}  // namespace
}  // namespace scalestyle::support
