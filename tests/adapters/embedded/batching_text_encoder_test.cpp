// The conformance suite of TextEncoder through the queue, and what the queue does with many callers.

#include "adapters/embedded/batching_text_encoder.hpp"

#include <gmock/gmock.h>

#include <chrono>
#include <memory>
#include <optional>
#include <semaphore>
#include <thread>

#include "support/compute_threads.hpp"
#include "support/conformance_text_encoder.hpp"
#include "support/fake_text_encoder.hpp"
#include "text/unicode.hpp"

namespace scalestyle::support {
namespace {

using adapters::embedded::BatchingTextEncoder;
using adapters::embedded::estimated_tokens;
using core::Deadline;
using core::ErrorCode;
using ::testing::ElementsAre;
using namespace std::chrono_literals;
using Outcome = core::Result<ports::EmbeddingBatch>;

class BatchingEngine final : public TextEncoderEngine {
 public:
  explicit BatchingEngine(BatchingTextEncoder::Options options = {})
      : encoder_({.encoder = fake_, .pool = threads_.pool(), .timers = threads_.timers(), .clock = threads_.clock(), .metrics = metrics_}, options) {}
  ~BatchingEngine() override { threads_.stop(); }

  ports::TextEncoder& encoder() override { return encoder_; }
  BatchingTextEncoder& batching() { return encoder_; }
  FakeTextEncoder& fake() { return fake_; }
  [[nodiscard]] const core::Clock& clock() const { return threads_.clock(); }

 private:
  telemetry::Metrics metrics_;
  ComputeThreads threads_{2};
  FakeTextEncoder fake_{threads_.pool()};
  BatchingTextEncoder encoder_;
};

// A caller in the background.
struct Caller {
  Caller(ports::TextEncoder& encoder, std::vector<std::string> texts, Deadline deadline = Deadline::never())
      : operation(core::start(encoder.encode(std::move(texts), deadline), [this](Outcome&& result) {
          outcome.emplace(std::move(result));
          done.release();
        })) {}
  Outcome& wait() {
    done.acquire();
    return *outcome;
  }
  std::optional<Outcome> outcome;
  std::binary_semaphore done{0};
  core::Operation operation;
};

std::vector<float> vectors_of(const std::vector<std::string>& texts) {
  std::vector<float> all;
  for (const std::string& text : texts) {
    const auto vector = vector_of_text(text, 8);
    all.insert(all.end(), vector.begin(), vector.end());
  }
  return all;
}

TEST(BatchingTextEncoderTest, WhatWaitsGoesTogetherUpToTheBudget) {
  BatchingEngine engine({.batch_tokens = 9, .queue_tokens = 1'000, .max_leaders = 1});
  engine.fake().hold();
  Caller first(engine.encoder(), {"one"});
  engine.fake().wait_until_held(1);
  Caller second(engine.encoder(), {"two", "three"});   // 2 + 3 tokens
  Caller third(engine.encoder(), {"two", "two"});      // 2 + 2: exactly the budget
  Caller fourth(engine.encoder(), {"a text that is larger than the budget, alone in its batch"});
  Caller fifth(engine.encoder(), {"five"});
  engine.fake().release();
  EXPECT_EQ(first.wait()->values, vectors_of({"one"}));
  EXPECT_EQ(second.wait()->values, vectors_of({"two", "three"}));
  EXPECT_EQ(third.wait()->values, vectors_of({"two", "two"}));
  ASSERT_TRUE(fourth.wait());
  EXPECT_EQ(fifth.wait()->values, vectors_of({"five"}));
  EXPECT_THAT(engine.fake().batches(), ElementsAre(ElementsAre("one"), ElementsAre("two", "three"),
                                                   ElementsAre("a text that is larger than the budget, alone in its batch"), ElementsAre("five")));
}

TEST(BatchingTextEncoderTest, WhoLeavesIsNotComputed) {
  BatchingEngine engine({.max_leaders = 1});
  engine.fake().hold();
  Caller first(engine.encoder(), {"one"});
  engine.fake().wait_until_held(1);
  Caller cancelled(engine.encoder(), {"cancelled"});
  Caller late(engine.encoder(), {"late"}, Deadline::after(20ms, engine.clock()));
  Caller last(engine.encoder(), {"last"});
  cancelled.operation.cancel();
  const Outcome& outcome = late.wait();  // while the first is still being computed
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::kDeadlineExceeded);
  engine.fake().release();
  ASSERT_TRUE(first.wait());
  ASSERT_TRUE(last.wait());
  EXPECT_FALSE(cancelled.outcome) << "nobody hears of a cancelled call";
  EXPECT_THAT(engine.fake().batches(), ElementsAre(ElementsAre("one"), ElementsAre("last")));
}

TEST(BatchingTextEncoderTest, AFullQueueRefusesAndABadTextHurtsNobody) {
  BatchingEngine engine({.batch_tokens = 100, .queue_tokens = 4, .max_leaders = 1});
  engine.fake().hold();
  Caller first(engine.encoder(), {"one"});
  engine.fake().wait_until_held(1);
  Caller large(engine.encoder(), {"larger than the queue, but the only one in it"});
  const auto refused = core::sync_wait(engine.encoder().encode({"x"}, Deadline::never()));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kResourceExhausted);
  const auto bad = core::sync_wait(engine.encoder().encode({"\xFF"}, Deadline::never()));
  EXPECT_EQ(bad.error().code, ErrorCode::kInvalidArgument);
  EXPECT_GT(engine.batching().waiting_tokens(), 0U);
  engine.fake().release();
  EXPECT_TRUE(first.wait());
  EXPECT_TRUE(large.wait());
  EXPECT_EQ(engine.batching().waiting_tokens(), 0U);
}

TEST(BatchingTextEncoderTest, AFailureIsEveryMembers) {
  BatchingEngine engine({.max_leaders = 1});
  engine.fake().hold();
  Caller first(engine.encoder(), {"one"});
  engine.fake().wait_until_held(1);
  Caller second(engine.encoder(), {"two"});
  Caller third(engine.encoder(), {"three"});
  engine.fake().fail_with(core::Error{ErrorCode::kInternal, "no numbers"});
  engine.fake().release();
  for (Caller* caller : {&first, &second, &third}) {
    ASSERT_FALSE(caller->wait());
    EXPECT_EQ(caller->outcome->error().message, "no numbers");
  }
}

TEST(BatchingTextEncoderTest, ManyCallersGetTheirOwnVectors) {
  BatchingEngine engine({.batch_tokens = 40, .queue_tokens = 100'000});
  std::vector<std::jthread> callers;
  for (int caller = 0; caller < 6; ++caller) {
    callers.emplace_back([&engine, caller] {
      for (int round = 0; round < 200; ++round) {
        const std::vector<std::string> texts{"text " + std::to_string(round % 7), "caller " + std::to_string(caller)};
        const auto outcome = core::sync_wait(engine.encoder().encode(texts, Deadline::never()));
        ASSERT_TRUE(outcome) << outcome.error().message;
        ASSERT_EQ(outcome->values, vectors_of(texts));
      }
    });
  }
}

TEST(BatchingTextEncoderTest, TokensAreEstimatedFromBytes) {
  EXPECT_EQ(estimated_tokens(0, 512), 2U);
  EXPECT_EQ(estimated_tokens(40, 512), 12U);
  EXPECT_EQ(estimated_tokens(1'000'000, 512), 512U);
}

// The fake does not cut or check texts as a model does.
class ModelLikeEncoder final : public ports::TextEncoder {
 public:
  explicit ModelLikeEncoder(core::WorkerPool& pool) : fake_(pool) {}
  [[nodiscard]] const ports::EncoderInfo& info() const override { return fake_.info(); }
  [[nodiscard]] core::Task<Outcome> encode(std::vector<std::string> texts, Deadline deadline) override {
    const std::size_t most = info().max_tokens;
    std::size_t tokens = 0;
    for (const std::string& text : texts) tokens += estimated_tokens(text.size(), most);
    CORE_CO_TRY(auto batch, co_await fake_.encode(std::move(texts), deadline));
    batch.tokens = tokens;
    co_return batch;
  }

 private:
  FakeTextEncoder fake_;
};

class ConformanceEngine final : public TextEncoderEngine {
 public:
  ~ConformanceEngine() override { threads_.stop(); }
  ports::TextEncoder& encoder() override { return encoder_; }

 private:
  telemetry::Metrics metrics_;
  ComputeThreads threads_{2};
  ModelLikeEncoder model_{threads_.pool()};
  BatchingTextEncoder encoder_{{.encoder = model_, .pool = threads_.pool(), .timers = threads_.timers(), .clock = threads_.clock(), .metrics = metrics_}, {}};
};
INSTANTIATE_TEST_SUITE_P(Batching, TextEncoderConformance, ::testing::Values([] { return std::make_unique<ConformanceEngine>(); }));

}  // namespace
}  // namespace scalestyle::support
