// Reasons, as clients ask for them: of one article, sent while they are made, and of the items of a list.

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/reason_stream.hpp"
#include "http/running_server.hpp"

namespace scalestyle::http {
namespace {

namespace json = boost::json;

const std::string kReason = "/api/recommendation/reason";
const std::string kJson = "Content-Type: application/json\r\n";
const std::string kAsJson = kJson + "Accept: application/json\r\n";

struct Event {
  std::string name;
  json::object data;
};

// The whole events of a stream's bytes.
std::vector<Event> events_of(std::string_view bytes) {
  std::vector<Event> events;
  while (true) {
    const std::size_t end = bytes.find("\n\n");
    if (end == std::string_view::npos) {
      EXPECT_TRUE(bytes.empty()) << bytes;
      return events;
    }
    const std::string_view event = bytes.substr(0, end);
    bytes.remove_prefix(end + 2);
    const std::size_t line = event.find('\n');
    EXPECT_TRUE(event.starts_with("event: ")) << event;
    EXPECT_TRUE(event.substr(line + 1).starts_with("data: ")) << event;
    events.push_back({std::string(event.substr(7, line - 7)), json::parse(event.substr(line + 7)).as_object()});
  }
}

std::string request_of(const std::string& body, const std::string& headers = kJson) {
  return "POST " + kReason + " HTTP/1.1\r\nHost: x\r\n" + headers + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

class ReasonTest : public testing::Test {
 protected:
  ReasonTest() : server_({}, {.generation = true}) { server_.publish(); }

  // A whole stream.
  std::vector<Event> stream(const std::string& body, const std::string& headers = kJson) {
    auto client = server_.connect();
    client.send(request_of(body, headers));
    const auto head = client.read();
    EXPECT_TRUE(head);
    EXPECT_EQ(head->status, 200);
    EXPECT_EQ(head->headers.at("Content-Type"), "text/event-stream");
    EXPECT_EQ(head->headers.at("Cache-Control"), "no-store");
    std::string bytes = head->body;
    if (head->headers.contains("Transfer-Encoding")) {
      for (auto chunk = client.read_chunk(); chunk && !chunk->empty(); chunk = client.read_chunk()) bytes += *chunk;
    }
    return events_of(bytes);
  }
  json::object answer(const std::string& body, int status = 200) {
    const auto response = server_.post(kReason, body, kAsJson);
    EXPECT_EQ(response.status, status) << response.body;
    return json::parse(response.body).as_object();
  }

  RunningServer server_;
};

TEST_F(ReasonTest, TokensComeAsTheyAreMadeAndThenTheWhole) {
  server_.generator().say("A dark blue name for you.");
  server_.generator().hold_after(3);
  auto client = server_.connect();
  client.send(request_of(R"({"article_id":"1004","query":"dark blue"})"));
  const auto head = client.read();
  ASSERT_TRUE(head);
  EXPECT_EQ(head->headers.at("Transfer-Encoding"), "chunked");
  std::string bytes;
  while (bytes.find("dark") == std::string::npos) bytes += client.read_chunk().value();
  server_.generator().release();
  for (auto chunk = client.read_chunk(); chunk && !chunk->empty(); chunk = client.read_chunk()) bytes += *chunk;
  const auto events = events_of(bytes);
  ASSERT_GE(events.size(), 3U);
  std::string text;
  for (std::size_t i = 0; i + 1 < events.size(); ++i) {
    EXPECT_EQ(events[i].name, "token");
    text += events[i].data.at("text").as_string();
  }
  EXPECT_EQ(text, "A dark blue name for you.");
  const json::object& done = events.back().data;
  EXPECT_EQ(events.back().name, "done");
  EXPECT_EQ(done.at("reason").as_string(), text);
  EXPECT_EQ(done.at("reason_source").as_string(), "llm");
  EXPECT_EQ(done.at("article_id").as_string(), "0000001004");
  EXPECT_EQ(done.at("model").as_string(), "fake-generator");
  EXPECT_EQ(done.at("tokens").to_number<int>(), 6);
  EXPECT_FALSE(done.at("cached").as_bool());
  EXPECT_EQ(done.at("request_id").as_string(), head->headers.at("X-Request-Id"));
  // The connection goes on.
  client.send("GET /live HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(client.read()->status, 200);
}

TEST_F(ReasonTest, AClientThatGoesStopsTheGenerator) {
  server_.generator().hold_after(2);
  auto client = server_.connect();
  client.send(request_of(R"({"article_id":"1004"})"));
  ASSERT_TRUE(client.read());
  ASSERT_TRUE(client.read_chunk());
  client.reset();
  server_.generator().wait_until_stopped(1);
  // As does one that goes before the first token, and one that wanted JSON.
  server_.generator().hold_after(0);
  for (const std::string& headers : {kJson, kAsJson}) {
    auto other = server_.connect();
    other.send(request_of(R"({"article_id":"1005"})", headers));
    const bool has_head = headers == kAsJson || other.read().has_value();
    EXPECT_TRUE(has_head);
    while (server_.generator().requests().size() < (headers == kJson ? 2U : 3U)) std::this_thread::yield();
    other.reset();
  }
  server_.generator().wait_until_stopped(3);
}

TEST_F(ReasonTest, WhatIsRefusedEndsInTheTemplatesSentence) {
  server_.generator().say("A dark blue thing for 1 EUR.");
  const auto events = stream(R"({"article_id":"1004","query":"dark blue","mode":"llm"})");
  ASSERT_FALSE(events.empty());
  const json::object& done = events.back().data;
  EXPECT_EQ(events.back().name, "done");
  EXPECT_EQ(done.at("reason_source").as_string(), "template");
  EXPECT_EQ(done.at("reason").as_string(), "Article in Dark Blue.");
  EXPECT_FALSE(done.at("refused").as_string().empty());
}

TEST_F(ReasonTest, FailuresAreEventsAndStatuses) {
  server_.generator().fail_with(core::fail(core::ErrorCode::kResourceExhausted, "so many generations are in progress").error());
  const std::string body = R"({"article_id":"1004"})";
  const auto events = stream(body);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].name, "error");
  EXPECT_EQ(events[0].data.at("error").as_object().at("code").as_string(), "overloaded");
  EXPECT_EQ(answer(body, 503).at("error").as_object().at("code").as_string(), "overloaded");
  server_.generator().fail_with({});
  server_.generator().hold_after(1);
  const auto late = stream(R"({"article_id":"1004","deadline_ms":100})");
  ASSERT_FALSE(late.empty());
  EXPECT_EQ(late.back().name, "error");
  EXPECT_EQ(late.back().data.at("error").as_object().at("code").as_string(), "deadline_exceeded");
}

TEST_F(ReasonTest, TheAcceptHeaderChoosesTheForm) {
  for (const char* accept : {"", "Accept: */*\r\n", "Accept: text/event-stream\r\n", "Accept: text/event-stream, application/json;q=0.5\r\n"}) {
    EXPECT_EQ(stream(R"({"article_id":"1004"})", kJson + accept).back().name, "done") << accept;
  }
  const auto whole = answer(R"({"article_id":"1004","mode":"llm","max_tokens":20})");
  EXPECT_EQ(whole.at("reason_source").as_string(), "llm");
  EXPECT_EQ(whole.at("reason").as_string(), "It is a good match for your search.");
  EXPECT_EQ(server_.generator().requests().back().max_tokens, 20U);
  EXPECT_TRUE(answer(R"({"article_id":"1004","mode":"llm","max_tokens":20})").at("cached").as_bool());
}

TEST_F(ReasonTest, ATemplateIsOneEvent) {
  const auto events = stream(R"({"article_id":"1003","query":"red under 20","mode":"template"})");
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].name, "done");
  EXPECT_EQ(events[0].data.at("reason").as_string(), "Article in Red at 13 (under 20).");
  EXPECT_FALSE(events[0].data.contains("model"));
  EXPECT_TRUE(server_.generator().requests().empty());
}

TEST_F(ReasonTest, WrongRequestsAreNamed) {
  const auto field = [&](const std::string& body) {
    return std::string(answer(body, 400).at("error").as_object().at("field").as_string());
  };
  EXPECT_EQ(field(R"({})"), "article_id");
  EXPECT_EQ(field(R"({"article_id":"10 07"})"), "article_id");
  EXPECT_EQ(field(R"({"article_id":"1004","mode":"poem"})"), "mode");
  EXPECT_EQ(field(R"({"article_id":"1004","max_tokens":0})"), "max_tokens");
  EXPECT_EQ(field(R"({"article_id":"1004","max_tokens":257})"), "max_tokens");
  EXPECT_EQ(field(R"({"article_id":"1004","deadline_ms":9})"), "deadline_ms");
  EXPECT_EQ(field(R"({"article_id":"1004","colour":"red"})"), "colour");
  EXPECT_EQ(answer(R"({"article_id":"9999"})", 404).at("error").as_object().at("field").as_string(), "article_id");
}

TEST_F(ReasonTest, ListsSayWhoWordedTheirReasons) {
  const std::string search = "/api/recommendation/search?query=name+7+red&k=2";
  const auto get = [&](const std::string& target) { return json::parse(server_.get(target).body).as_object(); };
  const auto plain = get(search);
  const auto& first = plain.at("data").as_array().at(0).as_object();
  EXPECT_EQ(first.at("reason").as_string(), "Article in Red, with “name” in its name.");
  EXPECT_EQ(first.at("reason_source").as_string(), "template");
  EXPECT_FALSE(plain.contains("reasons"));
  const auto worded = get(search + "&reasons=llm&deadline_ms=5000");
  EXPECT_EQ(worded.at("data").as_array().at(0).as_object().at("reason_source").as_string(), "llm");
  EXPECT_EQ(worded.at("reasons").as_object().at("written").to_number<int>(), 2);
  EXPECT_FALSE(worded.at("degraded").as_bool());
  const auto none = get(search + "&reasons=false");
  EXPECT_FALSE(none.at("data").as_array().at(0).as_object().contains("reason"));
  EXPECT_EQ(server_.get(search + "&reasons=poem").status, 400);
}

TEST(ReasonOff, SaysHowToSwitchGenerationOn) {
  RunningServer server;
  server.publish();
  for (const auto& response : {server.get("/api/recommendation/browse?reasons=llm"), server.post(kReason, R"({"article_id":"1004","mode":"llm"})")}) {
    EXPECT_EQ(response.status, 503);
    const auto error = json::parse(response.body).at("error").as_object();
    EXPECT_EQ(error.at("code").as_string(), "unavailable");
    EXPECT_NE(error.at("message").as_string().find("generation_enabled=true"), json::string::npos);
  }
  const auto plain = server.post(kReason, R"({"article_id":"1004"})", kAsJson);  // template by default
  EXPECT_EQ(plain.status, 200);
  EXPECT_EQ(json::parse(plain.body).at("reason_source").as_string(), "template");
}

// A client that does not read: nothing is kept without end, and nothing waits for it.
TEST(ReasonStreamBuffer, FillsNoFurtherThanItsBound) {
  support::ComputeThreads compute;
  support::FakeTextGenerator generator(compute.pool(), compute.timers());
  telemetry::Metrics metrics;
  search::ReasonService service(generator, compute.timers(), metrics, {});
  std::string endless;
  for (int i = 0; i < 200; ++i) endless += "soft ";
  generator.say(endless);
  core::OneShot<bool> ended;
  ReasonStream::Wish wish;
  wish.prompt.messages = {{ports::ChatMessage::Role::kUser, "why"}};
  wish.max_tokens = 256;
  wish.ending = [&](const core::Result<search::WrittenReason>& outcome) {
    ended.set(outcome.has_value());
    return server_sent_event("done", "{}");
  };
  ReasonStream stream(service, compute.timers(), std::move(wish));
  const auto wait = [&]() -> core::Task<bool> { co_return co_await ended; };
  EXPECT_TRUE(core::sync_wait(wait()));
  std::string bytes;
  for (auto piece = core::sync_wait(stream.next()); piece && !piece->empty(); piece = core::sync_wait(stream.next())) bytes += *piece;
  EXPECT_LE(bytes.size(), ReasonStream::kMaxBufferedBytes + 100);
  EXPECT_EQ(events_of(bytes).back().name, "done");
  compute.stop();
}

}  // namespace
}  // namespace scalestyle::http
