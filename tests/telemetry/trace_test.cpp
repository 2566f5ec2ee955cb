#include "telemetry/trace.hpp"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "support/fake_clock.hpp"
#include "support/fake_span_sink.hpp"

namespace scalestyle::telemetry {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kSampled = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
constexpr std::string_view kUnsampled = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

const SpanAttribute* attribute(const Span& span, std::string_view key) {
  for (const SpanAttribute& one : span.attributes) {
    if (one.key == key) return &one;
  }
  return nullptr;
}

std::string text_of(const Span& span, std::string_view key) {
  const SpanAttribute* const found = attribute(span, key);
  return found == nullptr ? "" : std::get<std::string>(found->value);
}

class TracerTest : public testing::Test {
 protected:
  void use(Tracer::Options options) { tracer_.emplace(Tracer::Dependencies{.sink = sink_, .clock = clock_, .metrics = metrics_}, options); }
  std::shared_ptr<Trace> begin(std::string_view parent = {}, std::string_view state = {}) {
    return tracer_->begin(parse_traceparent(parent), state, clock_.steady_now());
  }
  void end(Trace& trace, bool failed = false, bool is_probe = false) {
    tracer_->end(trace, {.name = "GET /x", .time = clock_.steady_now(), .failed = failed, .never_kept = is_probe});
  }
  double kept(const char* reason) {
    return metrics_.counter({"scalestyle_traces_kept_total", "Traces that are exported, by why.", {{"reason", reason}}}).value();
  }

  support::FakeClock clock_;
  support::FakeSpanSink sink_;
  Metrics metrics_;
  std::optional<Tracer> tracer_;
};

TEST_F(TracerTest, AnOrdinaryRequestThatWasNotDrawnLeavesNothing) {
  use({.sample = 0});
  const auto trace = begin();
  EXPECT_TRUE(trace->id().is_valid());
  EXPECT_FALSE(trace->sampled());
  clock_.advance(499ms);
  end(*trace);
  EXPECT_TRUE(sink_.spans().empty());
}

TEST_F(TracerTest, SlowDegradedAndFailedOnesAreKept) {
  use({.sample = 0});
  const auto slow = begin();
  clock_.advance(500ms);
  end(*slow);
  const auto degraded = begin();
  degraded->mark_degraded();
  end(*degraded);
  const auto failed = begin();
  end(*failed, true);
  const auto spans = sink_.spans();
  ASSERT_EQ(spans.size(), 3U);
  EXPECT_EQ(text_of(spans[0], "scalestyle.kept"), "slow");
  EXPECT_EQ(spans[0].end_unix_ns - spans[0].begin_unix_ns, 500'000'000);
  EXPECT_EQ(text_of(spans[1], "scalestyle.kept"), "degraded");
  EXPECT_EQ(text_of(spans[2], "scalestyle.kept"), "failed");
  EXPECT_TRUE(spans[2].failed);
  for (const Span& span : spans) EXPECT_FALSE(span.sampled);  // nobody else was told to keep theirs
  EXPECT_EQ(kept("slow") + kept("degraded") + kept("failed"), 3);
}

TEST_F(TracerTest, AProbeThatFailsIsNotKept) {
  use({.sample = 0});
  const auto trace = begin();
  end(*trace, true, true);
  EXPECT_TRUE(sink_.spans().empty());
}

TEST_F(TracerTest, TheShareThatIsDrawnIsTheOneAskedFor) {
  use({.sample = 0.25, .max_kept_per_second = 100'000});
  int drawn = 0;
  for (int i = 0; i < 4'000; ++i) drawn += begin()->sampled() ? 1 : 0;
  EXPECT_GT(drawn, 800);
  EXPECT_LT(drawn, 1'200);
  use({.sample = 1});
  EXPECT_TRUE(begin()->sampled());
  use({.sample = 0});
  EXPECT_FALSE(begin()->sampled());
}

TEST_F(TracerTest, ACallersTraceGoesOn) {
  use({.sample = 0});
  const auto trace = begin(kSampled, "shop=1");
  EXPECT_EQ(trace->id().hex(), "0af7651916cd43dd8448eb211c80319c");
  EXPECT_NE(trace->root().hex(), "b7ad6b7169203331");
  EXPECT_EQ(trace->traceparent(trace->root()), "00-0af7651916cd43dd8448eb211c80319c-" + trace->root().hex() + "-01");
  end(*trace);
  ASSERT_EQ(sink_.spans().size(), 1U);
  const Span root = sink_.spans().front();
  EXPECT_EQ(root.parent.hex(), "b7ad6b7169203331");
  EXPECT_TRUE(root.parent_is_remote);
  EXPECT_EQ(root.state, "shop=1");
  EXPECT_EQ(root.kind, SpanKind::kServer);
  EXPECT_EQ(text_of(root, "scalestyle.kept"), "requested");
}

TEST_F(TracerTest, ACallerThatDoesNotSampleIsNotDrawn) {
  use({.sample = 1});
  const auto trace = begin(kUnsampled);
  EXPECT_FALSE(trace->sampled());
  end(*trace);
  EXPECT_TRUE(sink_.spans().empty());
}

TEST_F(TracerTest, CallersCannotAskForMoreThanTheirShare) {
  use({.sample = 0, .max_requested_per_second = 3});
  int sampled = 0;
  for (int i = 0; i < 10; ++i) {
    const auto trace = begin(kSampled);
    sampled += trace->sampled() ? 1 : 0;
    end(*trace);
  }
  EXPECT_EQ(sampled, 3);
  EXPECT_EQ(sink_.spans().size(), 3U);
  clock_.advance(1s);
  EXPECT_TRUE(begin(kSampled)->sampled());
}

TEST_F(TracerTest, AnOutageDoesNotKeepEverything) {
  use({.sample = 0, .max_kept_per_second = 5});
  for (int i = 0; i < 20; ++i) {
    const auto trace = begin();
    end(*trace, true);
  }
  EXPECT_EQ(sink_.spans().size(), 5U);
  EXPECT_EQ(metrics_.counter({"scalestyle_traces_limited_total", "Traces worth keeping that were over the limit a second."}).value(), 15);
}

TEST_F(TracerTest, MeasuredSpansKeepTheirTimes) {
  use({.sample = 1});
  const auto trace = begin();
  clock_.advance(10ms);
  const SpanId stage = derived_span_id(trace->root(), 4);
  trace->add({.id = stage, .parent = trace->root(), .name = "lexical", .outcome = "ok", .end = clock_.steady_now(), .took = 3ms});
  trace->add({.id = trace->next_id(), .parent = trace->root(), .name = "embed", .outcome = "late", .failed = true,
              .end = clock_.steady_now(), .took = 2ms});
  trace->link(stage, {{1, 2}, {3}});
  clock_.advance(1ms);
  end(*trace);
  const Span root = sink_.named("GET /x");
  const Span lexical = sink_.named("lexical");
  EXPECT_EQ(lexical.parent, root.id);
  EXPECT_EQ(lexical.trace, root.trace);
  EXPECT_EQ(lexical.begin_unix_ns - root.begin_unix_ns, 7'000'000);
  EXPECT_EQ(lexical.end_unix_ns - root.begin_unix_ns, 10'000'000);
  EXPECT_EQ(text_of(lexical, "scalestyle.outcome"), "ok");
  ASSERT_EQ(lexical.links.size(), 1U);
  EXPECT_EQ(lexical.links[0].span.value, 3U);
  EXPECT_FALSE(lexical.failed);
  EXPECT_TRUE(sink_.named("embed").failed);
}

TEST_F(TracerTest, SpansAttributesLinksAndTextsAreBounded) {
  use({.sample = 1, .max_spans = 10});
  const auto trace = begin();
  for (int i = 0; i < 50; ++i) {
    Span span;
    span.id = trace->next_id();
    span.name = "call";
    trace->add(std::move(span));
  }
  end(*trace);
  EXPECT_EQ(sink_.spans().size(), 11U);
  EXPECT_EQ(std::get<std::int64_t>(attribute(sink_.named("GET /x"), "scalestyle.dropped_spans")->value), 40);

  Span span;
  static const std::vector<std::string> keys = [] {
    std::vector<std::string> all;
    for (int i = 0; i < 40; ++i) all.push_back("key" + std::to_string(i));
    return all;
  }();
  for (const std::string& key : keys) span.set(key, std::int64_t{1});
  span.set(keys[0], std::string(1'000, 'x'));
  for (std::uint64_t i = 0; i < 40; ++i) span.link({{1, 1}, {i + 1}});
  EXPECT_EQ(span.attributes.size(), kMaxSpanAttributes);
  EXPECT_EQ(span.dropped_attributes, 40 - kMaxSpanAttributes);
  EXPECT_EQ(std::get<std::string>(span.attributes[0].value).size(), kMaxSpanTextBytes);
  EXPECT_EQ(span.links.size(), kMaxSpanLinks);
  EXPECT_EQ(span.dropped_links, 40 - kMaxSpanLinks);
}

TEST_F(TracerTest, WhatComesAfterTheEndIsLeftOut) {
  use({.sample = 1});
  const auto trace = begin();
  end(*trace);
  trace->add(Span{});
  trace->set("late", true);
  end(*trace);
  EXPECT_EQ(sink_.spans().size(), 1U);
}

core::Task<std::string> call_out(std::string name) {
  const std::shared_ptr<core::TaskContext> context = co_await core::current_context();
  ActiveSpan span(context, name, SpanKind::kClient);
  span.set("peer", "somewhere");
  co_return span.traceparent();
}

core::Task<std::string> below_a_stage(std::uint64_t stage) {
  const std::shared_ptr<core::TaskContext> context = co_await core::current_context();
  core::Task<std::string> calling = call_out("below");
  std::shared_ptr<core::TaskContext> inner = scope_below(context.get(), stage);
  calling = core::with_context(std::move(inner), std::move(calling));
  const std::string below = co_await std::move(calling);
  const std::string beside = co_await call_out("beside");
  co_return below + " " + beside;
}

TEST_F(TracerTest, ATaskAndAllBelowItBelongToTheTrace) {
  use({.sample = 1});
  const auto trace = begin();
  std::string parents;
  core::start(below_a_stage(7), [&](std::string&& told) { parents = told; }, std::make_shared<TraceScope>(trace, trace->root())).detach();
  end(*trace);
  const Span below = sink_.named("below");
  const Span beside = sink_.named("beside");
  EXPECT_EQ(below.parent, derived_span_id(trace->root(), 7));
  EXPECT_EQ(beside.parent, trace->root());
  EXPECT_EQ(below.kind, SpanKind::kClient);
  EXPECT_EQ(parents, trace->traceparent(below.id) + " " + trace->traceparent(beside.id));
}

TEST_F(TracerTest, WithoutATraceNothingHappens) {
  use({.sample = 1});
  EXPECT_EQ(core::sync_wait(call_out("alone")), "");
  EXPECT_EQ(core::sync_wait(below_a_stage(1)), " ");
  EXPECT_TRUE(sink_.spans().empty());
  EXPECT_EQ(trace_id_of(nullptr), "");
}

TEST_F(TracerTest, WhereNothingIsRecordedAParentIsCarriedOnUnchanged) {
  const auto trace = std::make_shared<Trace>(*parse_traceparent(kUnsampled), "shop=1");
  std::string told;
  auto scope = std::make_shared<TraceScope>(trace, trace->root());
  EXPECT_EQ(trace_id_of(scope.get()), "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(scope_below(scope.get(), 1), nullptr);
  core::start(call_out("on"), [&](std::string&& parent) { told = parent; }, std::move(scope)).detach();
  EXPECT_EQ(told, kUnsampled);
}

TEST_F(TracerTest, ManyThreadsMayAddToOneTrace) {
  use({.sample = 1, .max_spans = 10'000});
  const auto trace = begin();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        Span span;
        span.id = trace->next_id();
        trace->add(std::move(span));
        trace->set("thread", std::int64_t{i});
      }
    });
  }
  for (auto& thread : threads) thread.join();
  end(*trace);
  EXPECT_EQ(sink_.spans().size(), 801U);
}

TEST(TracerOptions, AreChecked) {
  EXPECT_TRUE(Tracer::Options{}.validate());
  EXPECT_EQ((Tracer::Options{.sample = 1.5}).validate().error().field, "trace_sample");
  EXPECT_EQ((Tracer::Options{.sample = -0.1}).validate().error().field, "trace_sample");
  EXPECT_EQ((Tracer::Options{.slow = 0ms}).validate().error().field, "trace_slow_ms");
}

}  // namespace
}  // namespace scalestyle::telemetry
