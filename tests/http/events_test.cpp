// The event routes, from the request's bytes to the log.

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "http/running_server.hpp"

namespace scalestyle::http {
namespace {

namespace json = boost::json;

json::object parse(const support::RawResponse& response) {
  return response.body.empty() ? json::object() : json::parse(response.body).as_object();
}

const std::string kClick = "/api/events/click";
const std::string kBatch = "/api/events";
const std::string kSmallClick = R"({"user_id":"u1","item_id":"1001","source":"search"})";

class EventsTest : public testing::Test {
 protected:
  EventsTest() { server_.publish(); }

  // The field that a refused body's error names.
  std::string refused_field(const std::string& target, const std::string& body, int status = 400) {
    const std::size_t appends = server_.event_log().appends();
    const auto response = server_.post(target, body);
    EXPECT_EQ(response.status, status) << body.substr(0, 200) << "\n" << response.body;
    EXPECT_EQ(response.headers.contains("Connection") ? response.headers.at("Connection") : "none", "keep-alive");
    EXPECT_EQ(server_.event_log().appends(), appends) << "something reached the log";
    if (response.status != status) return "status";
    const auto error = parse(response).at("error").as_object();
    EXPECT_FALSE(error.at("message").as_string().empty());
    return error.contains("field") ? std::string(error.at("field").as_string()) : "";
  }

  RunningServer server_;
};

std::string batch_of(std::size_t count, const std::string& event) {
  std::string body = R"({"events":[)";
  for (std::size_t i = 0; i < count; ++i) body += (i == 0 ? "" : ",") + event;
  return body + "]}";
}

TEST_F(EventsTest, TheTraceOfARequestGoesToTheLogWhereItIsWellFormed) {
  const std::string parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const auto post = [&](const std::string& headers) {
    return server_.post(kClick, kSmallClick, "Content-Type: application/json\r\n" + headers).status;
  };
  ASSERT_EQ(post("traceparent: " + parent + "\r\ntracestate: shop=1\r\n"), 200);
  EXPECT_EQ(server_.event_log().last_trace().traceparent, parent);
  EXPECT_EQ(server_.event_log().last_trace().tracestate, "shop=1");
  ASSERT_EQ(post("traceparent: 00-xyz-01\r\ntracestate: shop=1\r\n"), 200);
  EXPECT_EQ(server_.event_log().last_trace().traceparent, "");
  EXPECT_EQ(server_.event_log().last_trace().tracestate, "");
  ASSERT_EQ(post("traceparent: " + parent + "\r\ntracestate: " + std::string(600, 'a') + "\r\n"), 200);
  EXPECT_EQ(server_.event_log().last_trace().tracestate, "");
}

TEST_F(EventsTest, ClickIsKeptWithAllItsFields) {
  const auto response = server_.post(kClick, R"({"user_id":"u1","session_id":"s1","item_id":"1001","source":"image_search",
      "query":"red\tdress","position":0,"device":"mobile","event_id":"my-event","request_id":"r-1","timestamp":1000})",
                                     "Content-Type: application/json\r\nX-Request-Id: click.1\r\n");
  ASSERT_EQ(response.status, 200) << response.body;
  const auto body = parse(response);
  EXPECT_EQ(body.at("status").as_string(), "success");
  EXPECT_EQ(body.at("request_id").as_string(), "click.1");
  EXPECT_EQ(body.at("event_id").as_string(), "my-event");
  EXPECT_FALSE(body.at("duplicate").as_bool());
  EXPECT_GE(body.at("took_ms").to_number<double>(), 0.0);
  const auto kept = server_.event_log().events();
  ASSERT_EQ(kept.size(), 1U);
  EXPECT_EQ(body.at("token").as_string(), events::to_token(kept[0].position));
  const events::Event& event = kept[0].event;
  EXPECT_EQ(event.event_id, "my-event");
  EXPECT_EQ(event.type, events::EventType::kClick);
  EXPECT_EQ(event.user_id->value(), "u1");
  EXPECT_EQ(event.session_id->value(), "s1");
  EXPECT_EQ(event.item_id, "0000001001");
  EXPECT_EQ(event.source, events::EventSource::kImageSearch);
  EXPECT_EQ(event.query, "red\tdress");
  EXPECT_EQ(event.position, 0U);
  EXPECT_EQ(event.device, events::Device::kMobile);
  EXPECT_EQ(event.request_id, "r-1");
  EXPECT_EQ(event.weight, 1.0);
  EXPECT_LT(event.event_time_ms, event.received_time_ms) << "an early time is cut to the bound, not dropped";
}

TEST_F(EventsTest, BatchAnswersForEveryEvent) {
  const auto response = server_.post(kBatch, R"({"events":[
      {"event_type":"view","session_id":"s1","item_id":"1001"},
      {"event_type":"impression","session_id":"s1","item_id":"1002","position":3,"request_id":"r"},
      {"event_type":"add_to_cart","session_id":"s1","item_id":"1001","event_id":"e"},
      {"event_type":"add_to_cart","session_id":"s1","item_id":"1001","event_id":"e"},
      {"event_type":"purchase","user_id":"u","item_id":"1003","timestamp":"2026-01-01T00:00:00Z"},
      {"event_type":"click","user_id":"u","item_id":"1003"}]})");
  ASSERT_EQ(response.status, 200) << response.body;
  const auto results = parse(response).at("results").as_array();
  ASSERT_EQ(results.size(), 6U);
  std::set<std::string> tokens;
  for (const std::size_t i : {0U, 2U, 3U, 4U, 5U}) {
    const auto& result = results[i].as_object();
    EXPECT_EQ(result.at("status").as_string(), "stored") << i;
    EXPECT_EQ(result.at("duplicate").as_bool(), i == 3) << i;
    tokens.insert(std::string(result.at("token").as_string()));
  }
  EXPECT_EQ(tokens.size(), 4U);
  EXPECT_EQ(results[1].as_object().at("status").as_string(), "accepted");
  EXPECT_FALSE(results[1].as_object().contains("token"));
  EXPECT_EQ(server_.event_log().events().size(), 4U);
  ASSERT_EQ(server_.impressions().impressions().size(), 1U);
  server_.impressions().set_full(true);
  const auto dropped = parse(server_.post(kBatch, R"({"events":[{"event_type":"impression","user_id":"u","item_id":"1001"}]})"));
  EXPECT_EQ(dropped.at("results").as_array().at(0).as_object().at("status").as_string(), "dropped");
}

TEST_F(EventsTest, RepeatedEventIdAnswersAsTheFirstTime) {
  const std::string click = R"({"user_id":"u","item_id":"1001","source":"search","event_id":"once"})";
  const auto first = parse(server_.post(kClick, click));
  const auto again = parse(server_.post(kClick, click));
  EXPECT_FALSE(first.at("duplicate").as_bool());
  EXPECT_TRUE(again.at("duplicate").as_bool());
  EXPECT_EQ(first.at("token"), again.at("token"));
  EXPECT_EQ(first.at("event_id"), again.at("event_id"));
}

TEST_F(EventsTest, EveryFieldIsCheckedByName) {
  const auto click = [](const std::string& members) { return R"({"user_id":"u","item_id":"1001","source":"search")" + members + "}"; };
  EXPECT_EQ(server_.post(kClick, click("")).status, 200);
  EXPECT_EQ(refused_field(kClick, R"({"user_id":"u","source":"search"})"), "item_id");
  EXPECT_EQ(refused_field(kClick, R"({"user_id":"u","item_id":"1001"})"), "source");
  EXPECT_EQ(refused_field(kClick, R"({"item_id":"1001","source":"search"})"), "user_id");
  EXPECT_EQ(refused_field(kClick, R"({"user_id":"u","item_id":1001,"source":"search"})"), "item_id");
  EXPECT_EQ(refused_field(kClick, R"({"user_id":"u","item_id":"4711","source":"search"})"), "item_id");
  EXPECT_EQ(refused_field(kClick, R"({"user_id":"u","item_id":"a b","source":"search"})"), "item_id");
  EXPECT_EQ(refused_field(kClick, R"({"user_id":"u","item_id":"1001","source":"shop"})"), "source");
  EXPECT_EQ(refused_field(kClick, R"({"user_id":"u","item_id":"1001","source":"unknown"})"), "source");
  EXPECT_EQ(refused_field(kClick, R"({"user_id":"a\nb","item_id":"1001","source":"search"})"), "user_id");
  EXPECT_EQ(refused_field(kClick, R"({"user_id":" u","item_id":"1001","source":"search"})"), "user_id");
  EXPECT_EQ(refused_field(kClick, R"({"user_id":")" + std::string(101, 'u') + R"(","item_id":"1001","source":"search"})"), "user_id");
  EXPECT_EQ(refused_field(kClick, click(R"(,"session_id":"")")), "session_id");
  EXPECT_EQ(refused_field(kClick, click(R"(,"query":")" + std::string(501, 'q') + "\"")), "query");
  EXPECT_EQ(refused_field(kClick, click(R"(,"query":"a\u0000b")")), "query");
  EXPECT_EQ(refused_field(kClick, click(R"(,"position":10001)")), "position");
  EXPECT_EQ(refused_field(kClick, click(R"(,"position":-1)")), "position");
  EXPECT_EQ(refused_field(kClick, click(R"(,"position":"3")")), "position");
  EXPECT_EQ(refused_field(kClick, click(R"(,"device":"fridge")")), "device");
  EXPECT_EQ(refused_field(kClick, click(R"(,"event_id":"a b")")), "event_id");
  EXPECT_EQ(refused_field(kClick, click(R"(,"event_id":"scalestyle:forget:1")")), "event_id");
  EXPECT_EQ(refused_field(kClick, click(R"(,"request_id":"é")")), "request_id");
  EXPECT_EQ(refused_field(kClick, click(R"(,"timestamp":"yesterday")")), "timestamp");
  EXPECT_EQ(refused_field(kClick, click(R"(,"timestamp":1.5)")), "timestamp");
  EXPECT_EQ(refused_field(kClick, click(R"(,"event_type":"click")")), "event_type");
  EXPECT_EQ(refused_field(kClick, click(R"(,"itemId":"1001")")), "itemId");
  EXPECT_EQ(refused_field(kClick + "?user_id=u", kSmallClick), "user_id");
}

TEST_F(EventsTest, WrongEventsOfABatchAreNamedByTheirPlace) {
  const std::string good = R"({"event_type":"click","user_id":"u","item_id":"1001"})";
  const auto batch = [&](const std::string& wrong) { return R"({"events":[)" + good + "," + good + "," + wrong + "]}"; };
  EXPECT_EQ(refused_field(kBatch, batch(R"({"event_type":"click","user_id":"u"})")), "events[2].item_id");
  EXPECT_EQ(refused_field(kBatch, batch(R"({"user_id":"u","item_id":"1001"})")), "events[2].event_type");
  EXPECT_EQ(refused_field(kBatch, batch(R"({"event_type":"clik","user_id":"u","item_id":"1001"})")), "events[2].event_type");
  EXPECT_EQ(refused_field(kBatch, batch(R"({"event_type":"forget","user_id":"u","item_id":"1001"})")), "events[2].event_type");
  EXPECT_EQ(refused_field(kBatch, batch(R"({"event_type":"click","item_id":"1001"})")), "events[2].user_id");
  EXPECT_EQ(refused_field(kBatch, batch(R"({"event_type":"click","user_id":"u","item_id":"4711"})")), "events[2].item_id");
  EXPECT_EQ(refused_field(kBatch, batch(R"({"event_type":"click","user_id":"u","item_id":"1001","timestamp":"no"})")), "events[2].timestamp");
  EXPECT_EQ(refused_field(kBatch, batch("[]")), "events[2]");
  EXPECT_EQ(refused_field(kBatch, batch("null")), "events[2]");
  EXPECT_EQ(refused_field(kBatch, R"({"events":[]})"), "events");
  EXPECT_EQ(refused_field(kBatch, R"({})"), "events");
  EXPECT_EQ(refused_field(kBatch, good), "event_type");
  EXPECT_EQ(refused_field(kBatch, "[" + good + "]"), "body");
  EXPECT_EQ(refused_field(kBatch, batch_of(501, good)), "events");
  const auto most = server_.post(kBatch, batch_of(500, good));
  ASSERT_EQ(most.status, 200) << most.body.substr(0, 300);
  EXPECT_EQ(parse(most).at("results").as_array().size(), 500U);
  EXPECT_EQ(server_.event_log().appends(), 1U);
}

TEST_F(EventsTest, BodiesThatAreNoJsonAreRefused) {
  for (const std::string& body : {std::string(), std::string("{"), std::string("nonsense"), std::string("[]"), std::string(60'000, '['),
                                  std::string("\0\0", 2), std::string("{\"user_id\":\"\xFF\"}"), kSmallClick + kSmallClick,
                                  kSmallClick.substr(0, kSmallClick.size() - 1)}) {
    EXPECT_EQ(refused_field(kClick, body), "body") << body.substr(0, 50);
  }
  EXPECT_EQ(refused_field(kBatch, R"({"events":)" + std::string(1'000'000, '[')), "events[0]");
  EXPECT_EQ(refused_field(kBatch, "{" + std::string(1'000'000, ' ')), "body");
  EXPECT_EQ(refused_field(kClick, R"({"user_id":"u","user_id":"u","item_id":"1001","source":"search"})"), "user_id");
}

TEST_F(EventsTest, MediaTypes) {
  const auto status = [&](const std::string& headers) { return server_.post(kClick, kSmallClick, headers).status; };
  for (const char* type : {"application/json", "Application/JSON ; charset=UTF-8", "text/plain", "text/plain;charset=UTF-8",
                           "application/json; charset=\"utf-8\"; x=y"}) {
    EXPECT_EQ(status("Content-Type: " + std::string(type) + "\r\n"), 200) << type;
  }
  EXPECT_EQ(status(""), 200);
  EXPECT_EQ(status("Content-Encoding: identity\r\n"), 200);
  for (const char* type : {"application/x-www-form-urlencoded", "text/html", "application/jsonx", "application/json; charset=latin-1",
                           "application/json;charset=utf-16", "text/plain; charset=iso-8859-1", "json", ";", "application/vnd.api+json"}) {
    const auto response = server_.post(kClick, kSmallClick, "Content-Type: " + std::string(type) + "\r\n");
    EXPECT_EQ(response.status, 415) << type;
    const auto error = parse(response).at("error").as_object();
    EXPECT_EQ(error.at("code").as_string(), "unsupported_media_type");
    EXPECT_EQ(error.at("field").as_string(), "Content-Type");
  }
  for (const char* coding : {"gzip", "deflate", "br", "identity, gzip"}) {
    const auto response = server_.post(kClick, kSmallClick, "Content-Encoding: " + std::string(coding) + "\r\n");
    EXPECT_EQ(response.status, 415) << coding;
    EXPECT_EQ(parse(response).at("error").as_object().at("field").as_string(), "Content-Encoding");
  }
}

TEST_F(EventsTest, SizesAreLimitedByRoute) {
  const auto big = [](std::size_t bytes) { return kSmallClick + std::string(bytes - kSmallClick.size(), ' '); };
  EXPECT_EQ(server_.post(kClick, big(64 * 1024)).status, 200);
  const auto refused = server_.post(kClick, big(64 * 1024 + 1));
  EXPECT_EQ(refused.status, 413);
  EXPECT_EQ(parse(refused).at("error").as_object().at("code").as_string(), "content_too_large");
  EXPECT_EQ(refused.headers.at("Connection"), "close");
  std::string batch = batch_of(2, R"({"event_type":"click","user_id":"u","item_id":"1001"})");
  batch += std::string(1024 * 1024 - batch.size(), ' ');
  EXPECT_EQ(server_.post(kBatch, batch).status, 200);
  EXPECT_EQ(server_.post(kBatch, batch + " ").status, 413);
  EXPECT_EQ(server_.post("/api/users/u/merge", std::string(64 * 1024 + 1, ' ')).status, 413);
  EXPECT_EQ(server_.post("/live", std::string(64 * 1024 + 1, ' '), "", "GET").status, 413);
}

TEST_F(EventsTest, ChunkedBodiesCountToo) {
  const auto send = [&](const std::string& target, std::size_t chunk_bytes, const std::string& body) {
    auto client = server_.connect();
    client.send("POST " + target + " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    bool open = true;
    for (std::size_t at = 0; at < body.size() && open; at += chunk_bytes) {
      const std::string piece = body.substr(at, chunk_bytes);
      char size[32];
      std::snprintf(size, sizeof size, "%zx\r\n", piece.size());
      open = client.send(size + piece + "\r\n");
    }
    client.send("0\r\n\r\n");
    return client.read().value_or(support::RawResponse{}).status;
  };
  EXPECT_EQ(send(kClick, 1, kSmallClick), 200);
  EXPECT_EQ(send(kClick, 10'000, kSmallClick + std::string(60'000, ' ')), 200);
  EXPECT_EQ(send(kClick, 10'000, kSmallClick + std::string(70'000, ' ')), 413);
  EXPECT_EQ(send(kBatch, 100'000, batch_of(300, R"({"event_type":"view","user_id":"u","item_id":"1001"})") + std::string(900'000, ' ')), 200);
  EXPECT_EQ(send(kBatch, 100'000, std::string(1'200'000, ' ')), 413);
}

TEST_F(EventsTest, ConnectionGoesOnAfterARefusedBody) {
  auto client = server_.connect();
  const auto post = [&](const std::string& body) {
    client.send("POST " + kClick + " HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    return client.read().value_or(support::RawResponse{}).status;
  };
  EXPECT_EQ(post("nonsense"), 400);
  EXPECT_EQ(post(kSmallClick), 200);
  client.send("POST " + kClick + " HTTP/1.1\r\nHost: x\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\nhello");
  EXPECT_EQ(client.read()->status, 415);
  client.send("PUT " + kClick + " HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
  EXPECT_EQ(client.read()->status, 405);
  EXPECT_EQ(post("[]"), 400);
  EXPECT_EQ(post(kSmallClick), 200);
  client.send("POST " + kClick + " HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: " + std::to_string(kSmallClick.size()) +
              "\r\n\r\n");
  EXPECT_EQ(client.read()->status, 100);
  client.send(kSmallClick);
  EXPECT_EQ(client.read()->status, 200);
  EXPECT_EQ(server_.event_log().events().size(), 3U);
}

TEST_F(EventsTest, FailuresTellWhetherAnythingWasKept) {
  const auto expect = [&](const support::RawResponse& response, const char* outcome) {
    EXPECT_EQ(response.status, 503) << response.body;
    EXPECT_GE(std::stoi(response.headers.at("Retry-After")), 1);
    EXPECT_EQ(parse(response).at("error").as_object().at("outcome").as_string(), outcome) << response.body;
  };
  auto& log = server_.event_log();
  log.fail_append_with(ports::AppendOutcome::kNotKept, core::ErrorCode::kResourceExhausted);
  expect(server_.post(kClick, kSmallClick), "not_kept");
  expect(server_.post(kBatch, batch_of(2, R"({"event_type":"click","user_id":"u","item_id":"1001"})")), "not_kept");
  log.fail_append_with(ports::AppendOutcome::kUnknown, core::ErrorCode::kUnavailable, true);
  expect(server_.post(kClick, kSmallClick), "unknown");
  expect(server_.post("/api/users/u/merge", R"({"session_id":"s"})"), "unknown");
  expect(server_.post("/api/users/u/preferences", R"({"personalize":false})"), "unknown");
  expect(server_.post("/api/users/u", "", "", "DELETE"), "unknown");
}

TEST(EventsBeforeACatalogue, AreNotKept) {
  RunningServer server;
  const auto response = server.post(kClick, kSmallClick);
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(parse(response).at("error").as_object().at("outcome").as_string(), "not_kept");
}

TEST(EventsDeadline, OfALogThatNeverAnswersIsKeptAndTheOutcomeUnknown) {
  RunningServer server({}, {.events = {.deadline = std::chrono::milliseconds(100)}});
  server.publish();
  server.event_log().gate().hold();
  const auto response = server.post(kClick, R"({"user_id":"u","item_id":"1001","source":"search","event_id":"e"})");
  EXPECT_EQ(response.status, 503);
  const auto error = parse(response).at("error").as_object();
  EXPECT_EQ(error.at("code").as_string(), "deadline_exceeded");
  EXPECT_EQ(error.at("outcome").as_string(), "unknown");
  // Trying again is safe, whatever became of the first.
  server.event_log().gate().release();
  EXPECT_EQ(server.post(kClick, R"({"user_id":"u","item_id":"1001","source":"search","event_id":"e"})").status, 200);
  EXPECT_EQ(server.event_log().events().size(), 1U);
}

TEST(EventsDeparture, ClientThatGoesLeavesItsEventKept) {
  RunningServer server;
  server.publish();
  server.event_log().gate().hold();
  {
    auto client = server.connect();
    client.send("POST " + kClick + " HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(kSmallClick.size()) + "\r\n\r\n" + kSmallClick);
    server.event_log().gate().wait_until_held(1);
    client.reset();
  }
  static_cast<void>(server.get("/live"));
  server.event_log().gate().release();
  EXPECT_EQ(server.event_log().events().size(), 1U);
}

TEST(EventsDeparture, ClientThatEndsItsSideStillGetsTheAnswer) {
  RunningServer server;
  server.publish();
  server.event_log().gate().hold();
  auto client = server.connect();
  client.send("POST " + kClick + " HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(kSmallClick.size()) + "\r\n\r\n" + kSmallClick);
  client.end_sending();
  server.event_log().gate().wait_until_held(1);
  server.event_log().gate().release();
  const auto response = client.read();
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 200);
}

TEST(LargeBodies, AreBoundedTogether) {
  ServerOptions options;
  options.max_large_bodies_bytes = 1024 * 1024;
  RunningServer server(options);
  server.publish();
  auto first = server.connect();
  first.send("POST /api/events HTTP/1.1\r\nHost: x\r\nContent-Length: 700000\r\n\r\n{");
  support::RawResponse refused;
  // The first may not have been seen yet.
  for (int tries = 0; tries < 100 && refused.status != 503; ++tries) {
    auto second = server.connect();
    second.send("POST /api/events HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    refused = second.read().value_or(support::RawResponse{});
  }
  ASSERT_EQ(refused.status, 503) << refused.body;
  const auto error = parse(refused).at("error").as_object();
  EXPECT_EQ(error.at("outcome").as_string(), "not_kept");
  EXPECT_EQ(error.at("reason").as_string(), "DOWNSTREAM_CAPACITY_REJECTED");
  EXPECT_EQ(server.post(kClick, kSmallClick).status, 200) << "small bodies are not concerned";
  first.send(std::string(699'999, ' '));
  EXPECT_EQ(first.read()->status, 400);
  const std::string batch = batch_of(1, R"({"event_type":"click","user_id":"u","item_id":"1001"})");
  EXPECT_EQ(server.post("/api/events", batch + std::string(800'000, ' ')).status, 200) << "its place is free again";
}

}  // namespace
}  // namespace scalestyle::http
