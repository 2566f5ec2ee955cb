// What a request leaves in its trace, from the headers to the stages of its search.

#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "http/running_server.hpp"
#include "support/fake_span_sink.hpp"

namespace scalestyle::http {
namespace {

using telemetry::Span;

const std::string kTraceId = "0af7651916cd43dd8448eb211c80319c";
const std::string kParent = "00-" + kTraceId + "-b7ad6b7169203331-01";

class TracesTest : public testing::Test {
 protected:
  explicit TracesTest(double sample = 1) : tracer_({.sink = sink_, .clock = clock_, .metrics = metrics_}, {.sample = sample}) {
    server_.publish();
  }

  // The request's own span, which comes after its answer.
  Span wait_for(const std::string& name) {
    for (int i = 0; i < 2'000; ++i) {
      if (Span found = sink_.named(name); !found.name.empty()) return found;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    ADD_FAILURE() << "no span " << name;
    return {};
  }
  static std::string shown(const Span& span, std::string_view key) {
    for (const auto& one : span.attributes) {
      if (one.key != key) continue;
      if (const auto* text = std::get_if<std::string>(&one.value)) return *text;
      if (const auto* number = std::get_if<std::int64_t>(&one.value)) return std::to_string(*number);
      if (const auto* flag = std::get_if<bool>(&one.value)) return *flag ? "true" : "false";
    }
    return "";
  }

  core::SystemClock clock_;
  telemetry::Metrics metrics_;
  support::FakeSpanSink sink_;
  telemetry::Tracer tracer_;
  RunningServer server_{{}, {.tracer = &tracer_}};
};

class UnsampledTracesTest : public TracesTest {
 protected:
  UnsampledTracesTest() : TracesTest(0) {}
};

TEST_F(TracesTest, ASearchHasASpanForEachOfItsStages) {
  const auto response = server_.get("/api/recommendation/search?query=name&userId=ann", "traceparent: " + kParent + "\r\nX-Request-Id: r.1\r\n");
  ASSERT_EQ(response.status, 200) << response.body;
  const Span root = wait_for("GET /api/recommendation/search");
  EXPECT_EQ(root.trace.hex(), kTraceId);
  EXPECT_EQ(root.parent.hex(), "b7ad6b7169203331");
  EXPECT_EQ(response.headers.at("traceparent"), "00-" + kTraceId + "-" + root.id.hex() + "-01");
  EXPECT_EQ(shown(root, "http.route"), "/api/recommendation/search");
  EXPECT_EQ(shown(root, "http.response.status_code"), "200");
  EXPECT_EQ(shown(root, "scalestyle.request_id"), "r.1");
  EXPECT_EQ(shown(root, "scalestyle.degraded"), "false");
  std::set<std::string> stages;
  for (const Span& span : sink_.spans()) {
    EXPECT_EQ(span.trace, root.trace);
    EXPECT_LE(span.begin_unix_ns, span.end_unix_ns);
    if (span.id == root.id) continue;
    EXPECT_EQ(span.parent, root.id) << span.name;
    EXPECT_GE(span.begin_unix_ns, root.begin_unix_ns) << span.name;
    EXPECT_LE(span.end_unix_ns, root.end_unix_ns) << span.name;
    EXPECT_TRUE(stages.insert(span.name).second) << span.name;
  }
  for (const char* stage : {"admission", "validate", "understand", "filter", "lexical", "embed", "retrieve", "order", "snapshot", "page"}) {
    EXPECT_TRUE(stages.contains(stage)) << stage;
  }
}

TEST_F(TracesTest, AClicksTraceGoesOnInTheLog) {
  const auto response = server_.post("/api/events/click", R"({"user_id":"u1","item_id":"1001","source":"search"})",
                                     "Content-Type: application/json\r\ntraceparent: " + kParent + "\r\ntracestate: shop=1\r\n");
  ASSERT_EQ(response.status, 200) << response.body;
  const Span root = wait_for("POST /api/events/click");
  EXPECT_EQ(server_.event_log().last_trace().traceparent, "00-" + kTraceId + "-" + root.id.hex() + "-01");
  EXPECT_EQ(server_.event_log().last_trace().tracestate, "shop=1");
}

TEST_F(TracesTest, ARefusedRequestHasItsStatus) {
  ASSERT_EQ(server_.get("/api/recommendation/search?query=").status, 400);
  EXPECT_EQ(shown(wait_for("GET /api/recommendation/search"), "http.response.status_code"), "400");
  EXPECT_FALSE(wait_for("GET /api/recommendation/search").failed);
  ASSERT_EQ(server_.get("/no/such/path?secret=1").status, 404);
  EXPECT_EQ(shown(wait_for("GET"), "http.response.status_code"), "404");
}

TEST_F(TracesTest, HeadersThatAreNoTraceBeginOne) {
  for (const std::string header : {"00-xyz-01", "00-00000000000000000000000000000000-b7ad6b7169203331-01",
                                   "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}) {
    const auto response = server_.get("/api/recommendation/suggest?prefix=n", "traceparent: " + header + "\r\ntracestate: shop=1\r\n");
    const auto made = telemetry::parse_traceparent(response.headers.at("traceparent"));
    ASSERT_TRUE(made);
    EXPECT_NE(made->trace.hex(), kTraceId);
  }
}

TEST_F(UnsampledTracesTest, WhatIsDegradedIsKeptAllTheSame) {
  ASSERT_EQ(server_.get("/api/recommendation/search?query=name").status, 200);
  server_.encoder().fail_with(core::fail(core::ErrorCode::kUnavailable, "the test's fault").error());
  ASSERT_EQ(server_.get("/api/recommendation/search?query=name+3").status, 200);
  const Span root = wait_for("GET /api/recommendation/search");
  EXPECT_EQ(shown(root, "scalestyle.kept"), "degraded");
  EXPECT_EQ(shown(root, "scalestyle.degraded"), "true");
  EXPECT_NE(shown(root, "scalestyle.degradations").find("INFERENCE_UNAVAILABLE"), std::string::npos);
  EXPECT_TRUE(sink_.named("embed").failed);
  std::size_t requests = 0;
  for (const Span& span : sink_.spans()) requests += span.kind == telemetry::SpanKind::kServer ? 1 : 0;
  EXPECT_EQ(requests, 1U);  // the ordinary one left nothing
}

TEST(UntracedServer, AnswersWithoutTheHeader) {
  RunningServer server;
  server.publish();
  const auto response = server.get("/api/recommendation/search?query=name", "traceparent: " + kParent + "\r\n");
  EXPECT_EQ(response.status, 200);
  EXPECT_FALSE(response.headers.contains("traceparent"));
}

}  // namespace
}  // namespace scalestyle::http
