#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <chrono>
#include <limits>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "support/fake_clock.hpp"
#include "telemetry/otlp_exporter.hpp"
#include "telemetry/otlp_json.hpp"

namespace scalestyle::telemetry {
namespace {

using namespace std::chrono_literals;
namespace json = boost::json;

Span sample_span() {
  Span span;
  span.trace = {0x0af7651916cd43dd, 0x8448eb211c80319c};
  span.id = {0x00000000000000a1};
  span.parent = {0xb7ad6b7169203331};
  span.parent_is_remote = true;
  span.sampled = true;
  span.state = "shop=1";
  span.name = "GET /api/search";
  span.kind = SpanKind::kServer;
  span.begin_unix_ns = 1'772'366'400'000'000'001;
  span.end_unix_ns = 1'772'366'400'250'000'000;
  span.set("text", "a \"quote\"\n\xff");
  span.set("number", std::int64_t{9'007'199'254'740'993});
  span.set("share", 0.25);
  span.set("odd", std::numeric_limits<double>::quiet_NaN());
  span.set("flag", true);
  span.link({{1, 2}, {3}});
  span.fail("broken");
  return span;
}

json::object first_span(const std::vector<Span>& spans) {
  const json::value body = json::parse(otlp_json({.service_version = "1", .instance_id = "i", .role = "serve"}, spans));
  return body.at_pointer("/resourceSpans/0/scopeSpans/0/spans/0").as_object();
}

json::value value_of(const json::object& span, std::string_view key) {
  for (const json::value& one : span.at("attributes").as_array()) {
    if (one.at("key").as_string() == key) return one.at("value");
  }
  return nullptr;
}

// The rules of the protocol's JSON encoding: hexadecimal ids, lowerCamelCase, 64-bit numbers as texts, enumerations as numbers.
TEST(OtlpJson, ASpanAsTheProtocolHasIt) {
  const json::object span = first_span({sample_span()});
  EXPECT_EQ(span.at("traceId"), "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(span.at("spanId"), "00000000000000a1");
  EXPECT_EQ(span.at("parentSpanId"), "b7ad6b7169203331");
  EXPECT_EQ(span.at("traceState"), "shop=1");
  EXPECT_EQ(span.at("name"), "GET /api/search");
  EXPECT_EQ(span.at("kind"), 2);
  EXPECT_EQ(span.at("flags"), 0x301);
  EXPECT_EQ(span.at("startTimeUnixNano"), "1772366400000000001");
  EXPECT_EQ(span.at("endTimeUnixNano"), "1772366400250000000");
  EXPECT_EQ(value_of(span, "number"), json::parse(R"({"intValue":"9007199254740993"})"));
  EXPECT_EQ(value_of(span, "share"), json::parse(R"({"doubleValue":0.25})"));
  EXPECT_EQ(value_of(span, "odd"), json::parse(R"({"doubleValue":"NaN"})"));
  EXPECT_EQ(value_of(span, "flag"), json::parse(R"({"boolValue":true})"));
  EXPECT_EQ(value_of(span, "text").at("stringValue"), "a \"quote\"\n\xef\xbf\xbd");
  EXPECT_EQ(span.at("links").at(0), json::parse(R"({"traceId":"00000000000000010000000000000002","spanId":"0000000000000003"})"));
  EXPECT_EQ(span.at("status"), json::parse(R"({"code":2,"message":"broken"})"));
}

TEST(OtlpJson, WhatIsUnsetIsLeftOut) {
  Span plain;
  plain.trace = {1, 1};
  plain.id = {1};
  plain.name = "x";
  const json::object span = first_span({plain});
  for (const char* name : {"parentSpanId", "traceState", "attributes", "links", "status", "droppedAttributesCount", "droppedLinksCount"}) {
    EXPECT_FALSE(span.contains(name)) << name;
  }
  EXPECT_EQ(span.at("kind"), 1);
}

TEST(OtlpJson, TheResourceNamesTheProgram) {
  const std::vector<Span> spans{sample_span(), sample_span()};
  const json::value body = json::parse(otlp_json({.service_version = "0.1.0", .instance_id = "i-1", .role = "gateway"}, spans));
  const json::array& attributes = body.at_pointer("/resourceSpans/0/resource/attributes").as_array();
  ASSERT_EQ(attributes.size(), 4U);
  EXPECT_EQ(attributes[0], json::parse(R"({"key":"service.name","value":{"stringValue":"scalestyle"}})"));
  EXPECT_EQ(attributes[3], json::parse(R"({"key":"scalestyle.role","value":{"stringValue":"gateway"}})"));
  EXPECT_EQ(body.at_pointer("/resourceSpans/0/scopeSpans/0/spans").as_array().size(), 2U);
}

// Answers as it is told, in order; the last answer again and again.
class FakeTransport final : public OtlpTransport {
 public:
  core::Task<core::Result<Answer>> post(std::string body, core::Deadline deadline) override {
    const std::lock_guard lock(mutex_);
    bodies_.push_back(std::move(body));
    deadlines_.push_back(deadline);
    const core::Result<Answer> answer = answers_[std::min(bodies_.size(), answers_.size()) - 1];
    co_return answer;
  }
  void answer(std::vector<core::Result<Answer>> answers) { answers_ = std::move(answers); }
  [[nodiscard]] std::size_t posts() const {
    const std::lock_guard lock(mutex_);
    return bodies_.size();
  }
  [[nodiscard]] std::size_t spans_in(std::size_t post) const {
    const std::lock_guard lock(mutex_);
    return json::parse(bodies_[post]).at_pointer("/resourceSpans/0/scopeSpans/0/spans").as_array().size();
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> bodies_;
  std::vector<core::Deadline> deadlines_;
  std::vector<core::Result<Answer>> answers_{Answer{.status = 200}};
};

core::Result<OtlpTransport::Answer> away() { return core::fail(core::ErrorCode::kUnavailable, "connection refused"); }

class OtlpExporterTest : public testing::Test {
 protected:
  OtlpExporter& use(OtlpExporter::Options options) {
    return exporter_.emplace(OtlpExporter::Dependencies{.transport = transport_, .clock = clock_, .metrics = metrics_, .log = log_},
                             std::move(options));
  }
  static std::vector<Span> spans(std::size_t count) { return std::vector<Span>(count, sample_span()); }
  core::Deadline soon() { return core::Deadline::after(1s, clock_); }
  double dropped(const char* reason) {
    return metrics_.counter({"scalestyle_trace_spans_dropped_total", "Spans that no collector has, by why.", {{"reason", reason}}}).value();
  }
  double exported() { return metrics_.counter({"scalestyle_trace_spans_exported_total", "Spans that the collector took."}).value(); }

  support::FakeClock clock_;
  Metrics metrics_;
  Logger log_{{.level = LogLevel::kError}, clock_};
  FakeTransport transport_;
  std::optional<OtlpExporter> exporter_;
};

TEST_F(OtlpExporterTest, SpansGoInBatches) {
  OtlpExporter& exporter = use({.max_batch_spans = 4});
  exporter.take(spans(10));
  EXPECT_EQ(exporter.send_once(soon()), 0ms);  // more is there
  EXPECT_EQ(exporter.send_once(soon()), 1'000ms);
  EXPECT_EQ(exporter.send_once(soon()), 1'000ms);
  EXPECT_EQ(transport_.posts(), 3U);
  EXPECT_EQ(transport_.spans_in(0), 4U);
  EXPECT_EQ(transport_.spans_in(2), 2U);
  EXPECT_EQ(exported(), 10);
  EXPECT_EQ(exporter.send_once(soon()), 1'000ms);  // nothing is queued: nothing is posted
  EXPECT_EQ(transport_.posts(), 3U);
}

TEST_F(OtlpExporterTest, AFullQueueDropsAndCounts) {
  OtlpExporter& exporter = use({.max_queued_spans = 8, .max_batch_spans = 4});
  exporter.take(spans(20));
  EXPECT_EQ(exporter.queued(), 8U);
  EXPECT_EQ(dropped("queue_full"), 12);
}

TEST_F(OtlpExporterTest, ACollectorThatIsAwayIsTriedAgainWithGrowingPauses) {
  OtlpExporter& exporter = use({.max_queued_spans = 8, .max_batch_spans = 4, .first_pause = 100ms, .longest_pause = 300ms});
  transport_.answer({away(), away(), OtlpTransport::Answer{.status = 503}, OtlpTransport::Answer{.status = 200}});
  exporter.take(spans(6));
  EXPECT_EQ(exporter.send_once(soon()), 100ms);
  EXPECT_EQ(exporter.queued(), 6U);
  EXPECT_EQ(exporter.send_once(soon()), 200ms);
  EXPECT_EQ(exporter.send_once(soon()), 300ms);
  EXPECT_EQ(exporter.send_once(soon()), 1'000ms);
  EXPECT_EQ(exported(), 4);
  EXPECT_EQ(dropped("queue_full") + dropped("refused"), 0);
}

TEST_F(OtlpExporterTest, ACollectorThatSaysWhenIsObeyedWithinBounds) {
  OtlpExporter& exporter = use({});
  transport_.answer({OtlpTransport::Answer{.status = 429, .retry_after = 7s}, OtlpTransport::Answer{.status = 503, .retry_after = 100'000s}});
  exporter.take(spans(1));
  EXPECT_EQ(exporter.send_once(soon()), 7'000ms);
  EXPECT_EQ(exporter.send_once(soon()), 30'000ms);
}

TEST_F(OtlpExporterTest, WhatTheCollectorRefusesIsDropped) {
  OtlpExporter& exporter = use({});
  transport_.answer({OtlpTransport::Answer{.status = 400}});
  exporter.take(spans(3));
  EXPECT_EQ(exporter.send_once(soon()), 1'000ms);
  EXPECT_EQ(exporter.queued(), 0U);
  EXPECT_EQ(dropped("refused"), 3);
}

TEST_F(OtlpExporterTest, AtTheEndWhatIsQueuedIsSent) {
  OtlpExporter& exporter = use({.max_batch_spans = 4});
  exporter.take(spans(10));
  exporter.stop();
  exporter.run();
  EXPECT_EQ(exported(), 10);
  exporter.take(spans(1));
  EXPECT_EQ(dropped("queue_full"), 1);
}

TEST_F(OtlpExporterTest, AtTheEndACollectorThatIsAwayIsTriedOnce) {
  OtlpExporter& exporter = use({.max_batch_spans = 4});
  transport_.answer({away()});
  exporter.take(spans(10));
  exporter.stop();
  exporter.run();
  EXPECT_EQ(transport_.posts(), 1U);
  EXPECT_EQ(dropped("shutdown"), 10);
}

TEST_F(OtlpExporterTest, ItsThreadSendsAFullBatchAtOnce) {
  OtlpExporter& exporter = use({.max_batch_spans = 4, .interval = 3'600'000ms});
  std::thread sender([&] { exporter.run(); });
  exporter.take(spans(4));
  while (transport_.posts() == 0) std::this_thread::yield();
  exporter.stop();
  sender.join();
  EXPECT_EQ(exported(), 4);
}

TEST(OtlpExporterOptions, AreChecked) {
  EXPECT_TRUE(OtlpExporter::Options{}.validate());
  EXPECT_FALSE((OtlpExporter::Options{.max_queued_spans = 1, .max_batch_spans = 2}).validate());
  EXPECT_FALSE((OtlpExporter::Options{.interval = 0ms}).validate());
  EXPECT_FALSE((OtlpExporter::Options{.first_pause = 2ms, .longest_pause = 1ms}).validate());
}

}  // namespace
}  // namespace scalestyle::telemetry
