// HttpTextGenerator through the real HTTP client against a scripted server on loopback.
#include "adapters/remote_inference/http_text_generator.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <boost/json.hpp>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

#include "adapters/embedded/http_client_curl.hpp"
#include "support/conformance_text_generator.hpp"
#include "support/loopback_http_server.hpp"

namespace scalestyle::adapters::remote_inference {
namespace {

using core::Deadline;
using core::ErrorCode;
using ports::GeneratedText;
using ports::GenerationRequest;
using ports::StopCause;
using support::LoopbackHttpServer;
using support::LoopbackReply;
using support::LoopbackRequest;
using support::TextGeneratorConformance;
using ::testing::HasSubstr;
using ::testing::Not;
using namespace std::chrono_literals;

constexpr const char* kKeyVariable = "SCALESTYLE_TEST_GENERATOR_KEY";
constexpr const char* kKey = "sk-test-0123456789";

std::string event(std::string_view data) { return fmt::format("data: {}\n\n", data); }
std::string piece(std::string_view text) {
  return event(fmt::format(R"({{"id":"x","choices":[{{"index":0,"delta":{{"content":"{}"}},"finish_reason":null}}]}})", text));
}
std::string finish(std::string_view reason) {
  return event(fmt::format(R"({{"choices":[{{"index":0,"delta":{{}},"finish_reason":"{}"}}]}})", reason));
}

LoopbackReply stream(std::string body) {
  return {.headers = {{"Content-Type", "text/event-stream; charset=utf-8"}}, .body = std::move(body), .announce_length = false};
}

const std::string kWhole = event(R"({"choices":[{"delta":{"role":"assistant","content":""},"finish_reason":null}]})") +
                           ": ping\n\n" + piece("Light ") + piece("caf\\u00e9 linen") + finish("stop") +
                           event(R"({"choices":[],"usage":{"prompt_tokens":31,"completion_tokens":4}})") + event("[DONE]");

class HttpTextGeneratorTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ::setenv(kKeyVariable, kKey, 1);
    auto made = HttpClientCurl::create({}, clock_);
    ASSERT_TRUE(made) << made.error().message;
    client_ = std::move(*made);
    loop_ = std::jthread([this](const std::stop_token& stop) { client_->run(stop); });
  }
  void TearDown() override {
    loop_.request_stop();
    loop_.join();
    ::unsetenv(kKeyVariable);
  }

  std::unique_ptr<HttpTextGenerator> generator(const LoopbackHttpServer& server, std::size_t max_running = 4) {
    auto made = HttpTextGenerator::create({.base_url = server.url("/v1/"),
                                           .model = "qwen2-1.5b-instruct",
                                           .api_key_variable = kKeyVariable,
                                           .max_running = max_running,
                                           .max_answer_bytes = 100'000},
                                          *client_);
    EXPECT_TRUE(made) << made.error().message;
    return std::move(*made);
  }
  static GenerationRequest request() {
    GenerationRequest request;
    request.messages = {{ports::ChatMessage::Role::kSystem, "Be \"brief\".\n"}, {ports::ChatMessage::Role::kUser, "Why?"}};
    request.max_tokens = 20;
    request.temperature = 0.7F;
    request.top_p = 0.8F;
    request.seed = 0xFFFF'FFFF'FFFF'FFFFU;
    return request;
  }
  core::Result<GeneratedText> generate(HttpTextGenerator& generator, std::chrono::nanoseconds limit = 20s,
                                       std::function<bool(std::string_view)> on_piece = {}) {
    return core::sync_wait(generator.generate(request(), Deadline::after(limit, clock_), std::move(on_piece)));
  }
  // The error of an answer that is no success.
  core::Error refusal(const LoopbackReply& reply) {
    const LoopbackHttpServer server([&](const LoopbackRequest&) { return reply; });
    const auto text = generate(*generator(server));
    EXPECT_FALSE(text);
    return text ? core::Error{} : text.error();
  }

  core::SystemClock clock_;
  std::unique_ptr<HttpClientCurl> client_;
  std::jthread loop_;
};

TEST_F(HttpTextGeneratorTest, StreamsTheText) {
  const LoopbackHttpServer server([](const LoopbackRequest&) { return stream(kWhole); });
  std::vector<std::string> pieces;
  const auto made = generator(server);
  const auto text = generate(*made, 20s, [&](std::string_view one) {
    pieces.emplace_back(one);
    return true;
  });
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_EQ(text->text, "Light caf\xC3\xA9 linen");
  EXPECT_EQ(pieces, (std::vector<std::string>{"Light ", "caf\xC3\xA9 linen"}));
  EXPECT_EQ(text->stopped, StopCause::kEnd);
  EXPECT_EQ(text->prompt_tokens, 31U);
  EXPECT_EQ(text->tokens, 4U);
  EXPECT_EQ(made->info().model, "qwen2-1.5b-instruct");

  const LoopbackRequest sent = server.requests().at(0);
  EXPECT_EQ(sent.method, "POST");
  EXPECT_EQ(sent.target, "/v1/chat/completions");
  EXPECT_EQ(sent.headers.at("authorization"), fmt::format("Bearer {}", kKey));
  EXPECT_EQ(sent.headers.at("content-type"), "application/json");
  const boost::json::value body = boost::json::parse(sent.body);
  EXPECT_EQ(body.at("model"), "qwen2-1.5b-instruct");
  EXPECT_EQ(body.at("messages").at(0), (boost::json::value{{"role", "system"}, {"content", "Be \"brief\".\n"}}));
  EXPECT_EQ(body.at("messages").at(1).at("role"), "user");
  EXPECT_EQ(body.at("max_tokens"), 20);
  EXPECT_THAT(sent.body, HasSubstr("7E-1"));
  EXPECT_EQ(body.at("seed"), 0x7FFF'FFFF'FFFF'FFFF);
  EXPECT_EQ(body.at("stream"), true);
}

TEST_F(HttpTextGeneratorTest, TheServerSaysWhyItStopped) {
  const LoopbackHttpServer server([](const LoopbackRequest&) { return stream(piece("a") + piece("b") + finish("length")); });
  const auto text = generate(*generator(server));
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_EQ(text->stopped, StopCause::kMaxTokens);
  EXPECT_EQ(text->tokens, 2U);  // no usage: an event each
}

TEST_F(HttpTextGeneratorTest, WithoutAKeyNoneIsSent) {
  ::unsetenv(kKeyVariable);
  const LoopbackHttpServer server([](const LoopbackRequest&) { return stream(kWhole); });
  ASSERT_TRUE(generate(*generator(server)));
  EXPECT_FALSE(server.requests().at(0).headers.contains("authorization"));
}

TEST_F(HttpTextGeneratorTest, RefusalsKeepTheirMeaning) {
  const std::string body = R"({"error":{"message":"quota of the month","type":"x"}})";
  const std::pair<int, ErrorCode> expected[] = {{400, ErrorCode::kInvalidArgument},  {401, ErrorCode::kPermissionDenied},
                                                {404, ErrorCode::kUnavailable},      {429, ErrorCode::kResourceExhausted},
                                                {500, ErrorCode::kUnavailable},      {503, ErrorCode::kUnavailable},
                                                {302, ErrorCode::kUnavailable}};
  for (const auto& [status, code] : expected) {
    const core::Error error = refusal({.status = status, .body = body});
    EXPECT_EQ(error.code, code) << status;
    EXPECT_THAT(error.message, HasSubstr(std::to_string(status)));
    EXPECT_THAT(error.message, HasSubstr("quota of the month"));
  }
  EXPECT_THAT(refusal({.status = 401, .body = "<html>"}).message, HasSubstr(kKeyVariable));
}

TEST_F(HttpTextGeneratorTest, TheKeyIsInNoMessage) {
  for (const std::size_t before : {0U, 175U, 190U}) {
    const std::string text = std::string(before, 'x') + "Incorrect key: " + kKey;
    const core::Error error = refusal({.status = 401, .body = R"({"error":{"message":")" + text + "\"}}"});
    EXPECT_THAT(error.message, Not(HasSubstr("sk-test")));
    const core::Error within = refusal(stream(piece("a") + event(R"({"error":{"message":")" + text + "\"}}")));
    EXPECT_EQ(within.code, ErrorCode::kUnavailable);
    EXPECT_THAT(within.message, Not(HasSubstr("sk-test")));
  }
}

TEST_F(HttpTextGeneratorTest, WhatIsNoStreamOfATextIsUnavailable) {
  const LoopbackReply wrong[] = {
      {.headers = {{"Content-Type", "application/json"}}, .body = R"({"choices":[]})"},
      stream(""),
      stream(piece("a") + piece("b")),  // cut between events
      stream(piece("a") + "data: {\"choices\""),
      stream(event("not json")),
      stream(event("[1]")),
      stream(event(R"({"error":{"message":"out of memory"}})")),
  };
  for (const LoopbackReply& reply : wrong) {
    const core::Error error = refusal(reply);
    EXPECT_EQ(error.code, ErrorCode::kUnavailable) << reply.body << ": " << error.message;
  }
  LoopbackReply cut = stream(kWhole);
  cut.announce_length = true;
  cut.cut_after = 150;
  EXPECT_EQ(refusal(cut).code, ErrorCode::kUnavailable);
}

TEST_F(HttpTextGeneratorTest, AnEndlessAnswerIsEnded) {
  std::string endless;
  while (endless.size() < 200'000) endless += piece("word ");
  EXPECT_EQ(refusal(stream(endless)).code, ErrorCode::kResourceExhausted);
  EXPECT_EQ(refusal(stream("data: " + std::string(90'000, 'x'))).code, ErrorCode::kUnavailable);
}

TEST_F(HttpTextGeneratorTest, ASilentServerIsLate) {
  const LoopbackHttpServer server([](const LoopbackRequest&) {
    LoopbackReply reply = stream(kWhole);
    reply.delay = 60s;
    return reply;
  });
  const auto text = generate(*generator(server), 100ms);
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code, ErrorCode::kDeadlineExceeded);
}

TEST_F(HttpTextGeneratorTest, TheDeadlineKeepsWhatCame) {
  const LoopbackHttpServer server([](const LoopbackRequest&) {
    LoopbackReply reply = stream(piece("Light ") + piece("linen"));
    reply.hang_before_end = 60s;
    return reply;
  });
  const auto text = generate(*generator(server), 1s);
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_EQ(text->text, "Light linen");
  EXPECT_EQ(text->stopped, StopCause::kDeadline);
}

TEST_F(HttpTextGeneratorTest, ATextThatIsCompleteNeedsNoEndOfTheConnection) {
  const LoopbackHttpServer server([](const LoopbackRequest&) {
    LoopbackReply reply = stream(piece("a") + finish("stop"));
    reply.hang_before_end = 60s;
    return reply;
  });
  const auto text = generate(*generator(server), 1s);
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_EQ(text->stopped, StopCause::kEnd);
}

TEST_F(HttpTextGeneratorTest, WhoTakesThePiecesStopsIt) {
  const LoopbackHttpServer server([](const LoopbackRequest&) {
    LoopbackReply reply = stream(piece("a") + piece("b") + piece("c"));
    reply.hang_before_end = 60s;
    return reply;
  });
  std::size_t pieces = 0;
  const auto text = generate(*generator(server), 60s, [&](std::string_view) { return ++pieces < 2; });
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code, ErrorCode::kCancelled);
  EXPECT_EQ(pieces, 2U);
}

TEST_F(HttpTextGeneratorTest, DroppingTheTaskStopsItAndMakesRoom) {
  const LoopbackHttpServer server([](const LoopbackRequest& sent) {
    LoopbackReply reply = stream(kWhole);
    if (sent.body.find("hang") != std::string::npos) reply.body = piece("a");
    if (sent.body.find("hang") != std::string::npos) reply.hang_before_end = 60s;
    return reply;
  });
  const auto made = generator(server, 1);
  GenerationRequest hanging = request();
  hanging.messages.back().text = "hang";
  std::binary_semaphore begun(0);
  {
    const core::Operation operation = core::start(
        made->generate(hanging, Deadline::after(60s, clock_),
                       [&](std::string_view) {
                         begun.release();
                         return true;
                       }),
        [](const core::Result<GeneratedText>&) { ADD_FAILURE() << "a dropped task has no result"; });
    begun.acquire();
    const auto refused = generate(*made);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kResourceExhausted);
  }
  // The room is free once the client's thread has ended the transfer.
  core::Result<GeneratedText> next = generate(*made);
  while (!next && next.error().code == ErrorCode::kResourceExhausted) next = generate(*made);
  EXPECT_TRUE(next) << next.error().message;
}

TEST_F(HttpTextGeneratorTest, NoServerIsUnavailable) {
  auto made = HttpTextGenerator::create({.base_url = "http://127.0.0.1:1/v1", .model = "m"}, *client_);
  ASSERT_TRUE(made);
  const auto text = generate(**made);
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code, ErrorCode::kUnavailable);
}

TEST_F(HttpTextGeneratorTest, BadAddressesAreRefused) {
  for (const char* url : {"", "localhost:8000/v1", "ftp://host/v1", "http://", "http:///v1", "https://user:secret@host/v1",
                          "http://host/v1?key=1", "http://host/v1#x", "http://ho st/v1"}) {
    const auto made = HttpTextGenerator::create({.base_url = url, .model = "m"}, *client_);
    ASSERT_FALSE(made) << url;
    EXPECT_EQ(made.error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(made.error().field, "generation_url");
    EXPECT_THAT(made.error().message, Not(HasSubstr("secret")));
  }
  EXPECT_FALSE(HttpTextGenerator::create({.base_url = "http://host/v1", .model = ""}, *client_));
}

class ScriptedEngine final : public support::TextGeneratorEngine {
 public:
  ScriptedEngine() {
    auto client = HttpClientCurl::create({}, clock_);
    EXPECT_TRUE(client);
    client_ = std::move(*client);
    loop_ = std::jthread([this](const std::stop_token& stop) { client_->run(stop); });
    auto made = HttpTextGenerator::create({.base_url = server_.url("/v1"), .model = "m", .api_key_variable = ""}, *client_);
    EXPECT_TRUE(made);
    generator_ = std::move(*made);
  }
  ports::TextGenerator& generator() override { return *generator_; }

 private:
  core::SystemClock clock_;
  LoopbackHttpServer server_{[](const LoopbackRequest&) { return stream(kWhole); }};
  std::unique_ptr<HttpClientCurl> client_;
  std::unique_ptr<HttpTextGenerator> generator_;
  std::jthread loop_;
};

INSTANTIATE_TEST_SUITE_P(Http, TextGeneratorConformance, ::testing::Values(support::TextGeneratorFactory([] {
                           return std::make_unique<ScriptedEngine>();
                         })));

}  // namespace
}  // namespace scalestyle::adapters::remote_inference
