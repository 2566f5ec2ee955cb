// What becomes of events, in the traces of the requests that brought them.

#include "consumer/effect_spans.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/fake_clock.hpp"
#include "support/fake_span_sink.hpp"

namespace scalestyle::consumer {
namespace {

using namespace std::chrono_literals;

std::string traceparent(int number, bool sampled = true) {
  return telemetry::write_traceparent({.trace = {1, static_cast<std::uint64_t>(number)}, .parent = {7}, .sampled = sampled});
}

events::LoggedEvent logged(std::int64_t offset, std::string parent) {
  events::LoggedEvent event;
  event.position = {"clicks", 2, offset};
  event.delivery.traceparent = std::move(parent);
  return event;
}

class EffectSpansTest : public testing::Test {
 protected:
  void record(const std::vector<events::LoggedEvent>& batch, const core::Status& outcome = {}) {
    record_effects({.tracer = &tracer_, .loop = "events", .took = 3ms}, batch, outcome);
  }
  support::FakeClock clock_;
  telemetry::Metrics metrics_;
  support::FakeSpanSink sink_;
  telemetry::Tracer tracer_{{.sink = sink_, .clock = clock_, .metrics = metrics_}, {}};
};

TEST_F(EffectSpansTest, EachTraceOfABatchHasOneBelowItsAppend) {
  record({logged(10, traceparent(1)), logged(11, traceparent(1)), logged(12, traceparent(2)), logged(13, "")});
  const auto spans = sink_.spans();
  ASSERT_EQ(spans.size(), 2U);
  EXPECT_EQ(spans[0].trace.low, 1U);
  EXPECT_EQ(spans[0].parent.value, 7U);
  EXPECT_EQ(spans[0].kind, telemetry::SpanKind::kConsumer);
  EXPECT_EQ(spans[0].name, "apply events");
  EXPECT_EQ(spans[0].end_unix_ns - spans[0].begin_unix_ns, 3'000'000);
  EXPECT_FALSE(spans[0].failed);
  EXPECT_EQ(spans[1].trace.low, 2U);
}

TEST_F(EffectSpansTest, OnlyOfRequestsWhoseSpansAreKept) {
  record({logged(1, traceparent(1, false)), logged(2, "00-hostile"), logged(3, std::string(10'000, 'x'))});
  EXPECT_TRUE(sink_.spans().empty());
}

TEST_F(EffectSpansTest, AFailureIsToldByItsCode) {
  record({logged(1, traceparent(1))}, core::fail(core::ErrorCode::kUnavailable, "redis secret-host is away"));
  ASSERT_EQ(sink_.spans().size(), 1U);
  EXPECT_TRUE(sink_.spans().front().failed);
  EXPECT_EQ(sink_.spans().front().error, core::to_string(core::ErrorCode::kUnavailable));
}

TEST_F(EffectSpansTest, ABatchHasABoundedNumber) {
  std::vector<events::LoggedEvent> batch;
  for (int i = 1; i <= 100; ++i) batch.push_back(logged(i, traceparent(i)));
  record(batch);
  EXPECT_EQ(sink_.spans().size(), 32U);
}

}  // namespace
}  // namespace scalestyle::consumer
