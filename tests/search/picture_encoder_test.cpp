// Vectors of pictures: kept within their bytes, made once for all who want them at the same time.

#include "search/picture_encoder.hpp"

#include <gtest/gtest.h>

#include <latch>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/hash.hpp"
#include "support/compute_threads.hpp"
#include "support/fake_image_encoder.hpp"

namespace scalestyle::search {
namespace {

using core::ErrorCode;

class PictureEncoderTest : public testing::Test {
 protected:
  struct Pending {
    std::optional<PictureEncoder::Outcome> outcome;
    std::latch done{1};
    core::Operation operation;
  };
  ~PictureEncoderTest() override {
    images_.gate().release();
    compute_.stop();
  }
  core::Task<PictureEncoder::Outcome> encode(const std::string& bytes, core::Deadline deadline = core::Deadline::never()) {
    return encoder_.encode_picture(std::make_shared<const std::string>(bytes), core::sha256_hex(bytes), deadline);
  }
  PictureEncoder::Outcome run(const std::string& bytes) { return core::sync_wait(encode(bytes)); }
  std::unique_ptr<Pending> begin(const std::string& bytes, core::Deadline deadline = core::Deadline::never()) {
    auto pending = std::make_unique<Pending>();
    pending->operation = core::start(wrapped(encode(bytes, deadline)), [raw = pending.get()](core::Result<PictureEncoder::Outcome>&& outcome) {
      if (outcome) raw->outcome.emplace(std::move(*outcome));
      raw->done.count_down();
    });
    return pending;
  }
  static core::Task<core::Result<PictureEncoder::Outcome>> wrapped(core::Task<PictureEncoder::Outcome> task) {
    co_return core::Result<PictureEncoder::Outcome>(co_await std::move(task));
  }

  telemetry::Metrics metrics_;
  support::ComputeThreads compute_;
  support::FakeImageEncoder images_{compute_.pool()};
  PictureEncoder encoder_{{images_, compute_.pool(), compute_.timers()}, 800, metrics_};  // two or three vectors
};

TEST_F(PictureEncoderTest, KeepsTheLastUsedWithinItsBytes) {
  const auto first = run("a");
  ASSERT_TRUE(first);
  EXPECT_EQ(**first, support::vector_of_text("a", 8));
  EXPECT_EQ(run("a").value(), *first);
  EXPECT_EQ(images_.images().size(), 1U);
  static_cast<void>(run("b"));
  static_cast<void>(run("a"));  // used again: it stays
  for (const char* other : {"c", "d"}) {
    static_cast<void>(run(other));
    static_cast<void>(run("a"));
  }
  EXPECT_EQ(images_.images(), (std::vector<std::string>{"a", "b", "c", "d"}));
  static_cast<void>(run("b"));
  EXPECT_EQ(images_.images().size(), 5U) << "it went for lack of space";
  const auto statistics = encoder_.statistics();
  EXPECT_LE(statistics.bytes, statistics.max_bytes);
  EXPECT_GT(statistics.evictions, 0U);
  EXPECT_EQ(statistics.hits, 4U);

  const auto text = core::sync_wait(encoder_.encode_text("a", core::Deadline::never()));
  ASSERT_TRUE(text);
  EXPECT_EQ(images_.texts(), std::vector<std::string>{"a"}) << "words are no picture of the same bytes";
}

TEST_F(PictureEncoderTest, TellsWhatIsWrongWithAPictureAndWithTheEncoder) {
  const auto damaged = run("damaged");
  ASSERT_FALSE(damaged);
  EXPECT_TRUE(damaged.error().is_request_fault);
  EXPECT_EQ(damaged.error().error.field, "image");
  images_.fail_with(core::Error{ErrorCode::kInvalidArgument, "not this picture's fault"});
  const auto broken = run("a");
  ASSERT_FALSE(broken);
  EXPECT_FALSE(broken.error().is_request_fault);
  images_.fail_with(std::nullopt);
  EXPECT_TRUE(run("a")) << "no failure is kept";
}

TEST_F(PictureEncoderTest, WhoMakesItMayGoAway) {
  images_.gate().hold();
  const auto leaves = begin("a");
  images_.gate().wait_until_held(1);
  std::vector<std::unique_ptr<Pending>> others;
  for (int i = 0; i < 5; ++i) others.push_back(begin("a"));
  leaves->operation.cancel();  // one of the others makes it anew
  images_.gate().wait_until_held(2);
  images_.gate().release();
  for (const auto& other : others) {
    other->done.wait();
    ASSERT_TRUE(other->outcome && *other->outcome);
    EXPECT_EQ(***other->outcome, support::vector_of_text("a", 8));
  }
  EXPECT_EQ(images_.images().size(), 2U);
}

TEST_F(PictureEncoderTest, EachLeavesAtItsOwnDeadline) {
  images_.gate().hold();
  const core::SystemClock clock;
  const auto patient = begin("a");
  images_.gate().wait_until_held(1);
  const auto hurried = begin("a", core::Deadline::after(std::chrono::milliseconds(5), clock));
  hurried->done.wait();
  ASSERT_TRUE(hurried->outcome && !*hurried->outcome);
  EXPECT_EQ(hurried->outcome->error().error.code, ErrorCode::kDeadlineExceeded);
  images_.gate().release();
  patient->done.wait();
  EXPECT_TRUE(patient->outcome && *patient->outcome);
}

}  // namespace
}  // namespace scalestyle::search
