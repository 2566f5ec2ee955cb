// The HTTP adapters of models against servers of others, as those document their answers, and against servers that are away,
// slow, full, wrong or hostile.

#include <gmock/gmock.h>

#include <atomic>
#include <boost/json.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "adapters/remote_inference/http_image_encoder.hpp"
#include "adapters/remote_inference/http_pair_scorer.hpp"
#include "adapters/remote_inference/http_text_encoder.hpp"
#include "support/fake_span_sink.hpp"
#include "support/fake_text_encoder.hpp"
#include "support/inference_server.hpp"
#include "support/loopback_http_server.hpp"
#include "support/running_http_client.hpp"
#include "telemetry/trace.hpp"

namespace scalestyle::adapters::remote_inference {
namespace {

namespace json = boost::json;
using core::Deadline;
using core::ErrorCode;
using support::LoopbackHttpServer;
using support::LoopbackReply;
using support::LoopbackRequest;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

constexpr const char* kTeiInfo =
    R"({"model_id":"BAAI/bge-small-en-v1.5","model_sha":null,"model_dtype":"float16","model_type":{"embedding":{"pooling":"cls"}},
    "max_concurrent_requests":512,"max_input_length":512,"max_batch_tokens":16384,"max_client_batch_size":3,"auto_truncate":true,
    "tokenization_workers":4,"version":"1.7.1"})";

LoopbackReply reply(std::string body, int status = 200) {
  return {.status = status, .headers = {{"Content-Type", "application/json"}}, .body = std::move(body)};
}

// One vector a text of the request: [length of the text, 1], not normalised.
std::string vectors_for(const LoopbackRequest& request, const char* member) {
  std::string body = "[";
  const json::value parsed = json::parse(request.body);
  for (const auto& text : parsed.at(member).as_array()) {
    if (body.size() > 1) body += ',';
    body += "[" + std::to_string(text.as_string().size()) + ",1]";
  }
  return body + "]";
}

LoopbackReply tei(const LoopbackRequest& request) {
  if (request.target == "/info") return reply(kTeiInfo);
  if (request.target == "/embed") return reply(vectors_for(request, "inputs"));
  return reply("{}", 404);
}

class HttpModelsTest : public ::testing::Test {
 protected:
  ModelClient::Dependencies client() { return {.http = *http_, .clock = http_.clock(), .metrics = &metrics_}; }
  std::unique_ptr<HttpTextEncoder> encoder(std::vector<std::string> urls, EndpointOptions endpoints = {}) {
    HttpTextEncoder::Options options{.servers = {.urls = std::move(urls), .endpoints = endpoints}};
    options.expected = {
        .model = "bge-small-en-v1.5", .weights_hash = "abc", .precision = "int8", .dimension = 2, .max_tokens = 512};
    return HttpTextEncoder::create(options, client()).value();
  }
  core::Result<ports::EmbeddingBatch> encode(HttpTextEncoder& encoder, std::vector<std::string> texts,
                                             std::chrono::nanoseconds limit = 10s) {
    return core::sync_wait(encoder.encode(std::move(texts), Deadline::after(limit, http_.clock())));
  }
  static std::string closed_port() {
    const LoopbackHttpServer server([](const LoopbackRequest&) { return LoopbackReply{}; });
    return server.url();
  }

  support::RunningHttpClient http_;
  telemetry::Metrics metrics_;
};

TEST_F(HttpModelsTest, ATeiServerIsAskedInBatchesThatItTakes) {
  const LoopbackHttpServer server(tei);
  const auto texts = encoder({server.url()});
  ASSERT_TRUE(core::sync_wait(texts->connect(Deadline::never())));
  const auto batch = encode(*texts, {"a", "bb", "ccc", "dddd"});
  ASSERT_TRUE(batch) << batch.error().message;
  ASSERT_EQ(batch->values.size(), 8U);
  EXPECT_FLOAT_EQ(batch->values[2], 2 / std::sqrt(5.0F));  // made of unit length
  EXPECT_FLOAT_EQ(batch->values[6], 4 / std::sqrt(17.0F));
  const auto requests = server.requests();
  ASSERT_EQ(requests.size(), 4U);  // who it is, of how many dimensions, three texts, one
  EXPECT_EQ(requests[0].target, "/info");
  const json::value first = json::parse(requests[2].body);
  EXPECT_EQ(first.at("inputs").as_array().size(), 3U);
  EXPECT_TRUE(first.at("truncate").as_bool());
  EXPECT_TRUE(first.at("normalize").as_bool());
  const int told = std::stoi(requests[2].headers.at("x-request-timeout-ms"));
  EXPECT_GT(told, 1'000);
  EXPECT_LE(told, 10'000);
}

TEST_F(HttpModelsTest, TheServerIsToldOfTheTraceThatItWorksFor) {
  const LoopbackHttpServer server(tei);
  const auto texts = encoder({server.url()});
  ASSERT_TRUE(core::sync_wait(texts->connect(Deadline::never())));
  ASSERT_TRUE(encode(*texts, {"a"}));
  EXPECT_FALSE(server.requests().back().headers.contains("traceparent"));
  support::FakeSpanSink sink;
  telemetry::Tracer tracer({.sink = sink, .clock = http_.clock(), .metrics = metrics_}, {.sample = 1});
  const auto trace = tracer.begin({}, "", http_.clock().steady_now());
  const auto scope = std::make_shared<telemetry::TraceScope>(trace, trace->root());
  const auto limit = Deadline::after(10s, http_.clock());
  ASSERT_TRUE(core::sync_wait(core::with_context(scope, texts->encode({"a"}, limit))));
  tracer.end(*trace, {.name = "request", .time = http_.clock().steady_now()});
  const telemetry::Span call = sink.named("/embed");
  EXPECT_EQ(call.parent, trace->root());
  EXPECT_EQ(call.kind, telemetry::SpanKind::kClient);
  EXPECT_EQ(server.requests().back().headers.at("traceparent"), trace->traceparent(call.id));
}

TEST_F(HttpModelsTest, AnOpenAiServerIsAskedByTheNameOfItsModel) {
  const LoopbackHttpServer server([](const LoopbackRequest& request) {
    if (request.target != "/v1/embeddings" || request.headers.at("authorization") != "Bearer sk-secret") return reply("{}", 401);
    return reply(
        R"({"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.6,0.8]}],"model":"text-embedding-3-small",
                     "usage":{"prompt_tokens":5,"total_tokens":5}})");
  });
  HttpTextEncoder::Options options{.servers = {.urls = {server.url("/v1")}, .api_key = "sk-secret"},
                                   .api = InferenceApiKind::kOpenAi};
  options.server_model = "text-embedding-3-small";
  options.expected = {.model = "any", .weights_hash = {}, .precision = {}, .dimension = 2, .max_tokens = 512};
  const auto texts = HttpTextEncoder::create(options, client()).value();
  const auto batch = encode(*texts, {"hello"});
  ASSERT_TRUE(batch) << batch.error().message;
  EXPECT_THAT(batch->values, ElementsAre(0.6F, 0.8F));
  const json::value sent = json::parse(server.requests().back().body);
  EXPECT_EQ(sent.at("model").as_string(), "text-embedding-3-small");
  EXPECT_EQ(sent.at("encoding_format").as_string(), "float");
}

TEST_F(HttpModelsTest, AnotherModelIsRefusedAndSaid) {
  const auto other = [](const char* info) {
    return [info](const LoopbackRequest& request) { return request.target == "/info" ? reply(info) : tei(request); };
  };
  for (const auto& [info, why] :
       {std::pair<const char*, const char*>{R"({"model_id":"intfloat/e5-small","model_type":{"embedding":{}}})", "e5-small"},
        {R"({"model_id":"bge-small-en-v1.5","models":{"reranker":{"model_id":"x"}}})", "no embedding model"},
        {R"({"model_id":"x","models":{"embedding":{"model_id":"bge-small-en-v1.5","dimension":384}}})", "384 dimensions"},
        {R"({"model_id":"x","models":{"embedding":{"model_id":"bge-small-en-v1.5","dimension":2,"weights_hash":"def"}}})",
         "other weights"}}) {
    const LoopbackHttpServer server(other(info));
    const auto texts = encoder({server.url()});
    const auto batch = encode(*texts, {"a"});
    ASSERT_FALSE(batch) << info;
    EXPECT_EQ(batch.error().code, ErrorCode::kUnavailable);
    EXPECT_THAT(batch.error().message, HasSubstr(why));
    EXPECT_EQ(texts->endpoints().status()[0].state, EndpointState::kEjected);
  }
}

TEST_F(HttpModelsTest, TheFirstEndpointFixesThePrecisionOfAll) {
  const auto ours = [](const char* precision) {
    return [precision](const LoopbackRequest& request) {
      if (request.target != "/info") return tei(request);
      return reply(R"({"models":{"embedding":{"model_id":"bge-small-en-v1.5","dimension":2,"weights_hash":"abc","precision":")" +
                   std::string(precision) + R"("}}})");
    };
  };
  const LoopbackHttpServer first(ours("int8"));
  const LoopbackHttpServer second(ours("f32"));
  const auto texts = encoder({first.url(), second.url()});
  ASSERT_TRUE(core::sync_wait(texts->connect(Deadline::never())));
  const auto status = texts->endpoints().status();
  EXPECT_EQ(status[0].state, EndpointState::kServing);
  EXPECT_EQ(status[1].state, EndpointState::kEjected);
  EXPECT_THAT(status[1].trouble, HasSubstr("computes in f32, in use is int8"));
}

TEST_F(HttpModelsTest, CallsGoOnWithAnotherEndpointAndTheFailedOneComesBack) {
  std::atomic<bool> broken{false};
  const LoopbackHttpServer first([&](const LoopbackRequest& request) {
    return broken ? reply(R"({"error":"Inference failed","error_type":"backend"})", 424) : tei(request);
  });
  const LoopbackHttpServer second(tei);
  const auto texts =
      encoder({first.url(), second.url()}, {.failures_to_eject = 1, .first_ejection = 20ms, .retries_per_call = 1});
  ASSERT_TRUE(core::sync_wait(texts->connect(Deadline::never())));
  broken = true;
  // Whichever is asked first: the broken one is asked too, sooner or later.
  while (texts->endpoints().status()[0].trouble.empty()) ASSERT_TRUE(encode(*texts, {"a"}));
  EXPECT_NE(texts->endpoints().status()[0].state, EndpointState::kServing);
  EXPECT_THAT(texts->endpoints().status()[0].trouble, HasSubstr("Inference failed"));
  broken = false;
  while (texts->endpoints().status()[0].state != EndpointState::kServing) {
    ASSERT_TRUE(core::sync_wait(texts->connect(Deadline::never())));
    std::this_thread::sleep_for(5ms);
  }
}

TEST_F(HttpModelsTest, AServerThatIsAwayIsSaidAndFoundLater) {
  const std::string url = closed_port();
  const auto texts = encoder({url}, {.first_ejection = 1ms, .longest_ejection = 1ms});
  const auto away = encode(*texts, {"a"});
  ASSERT_FALSE(away);
  EXPECT_EQ(away.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(texts->info().dimension, 2U) << "what its vectors are is known all the same";
  EXPECT_FALSE(core::sync_wait(texts->connect(Deadline::after(1s, http_.clock()))));

  support::InferenceServer server;
  support::FakeTextEncoder model(server.threads().pool(), 2);
  const auto port = static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
  server.serve({.text = &model}, {}, true, port);
  HttpTextEncoder::Options options{.servers = {.urls = {url}, .endpoints = {.first_ejection = 1ms, .longest_ejection = 1ms}}};
  options.expected = model.info();
  const auto right = HttpTextEncoder::create(options, client()).value();
  EXPECT_TRUE(encode(*right, {"a"}));
  server.stop();
  const auto gone = encode(*right, {"a"});
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, ErrorCode::kUnavailable);
}

TEST_F(HttpModelsTest, AFullServerIsLeftForAnotherAndCountsAsNoFailure) {
  std::atomic<bool> full{false};
  const auto sometimes_full = [&](const LoopbackRequest& request) {
    return full ? reply(R"({"error":"Model is overloaded","error_type":"overloaded"})", 429) : tei(request);
  };
  const LoopbackHttpServer server(sometimes_full);
  const auto texts = encoder({server.url()}, {.failures_to_eject = 1});
  ASSERT_TRUE(encode(*texts, {"a"}));
  full = true;
  const auto refused = encode(*texts, {"a"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kResourceExhausted);
  EXPECT_EQ(texts->endpoints().status()[0].state, EndpointState::kServing);
}

TEST_F(HttpModelsTest, AWrongRequestIsNotSentTwice) {
  const LoopbackHttpServer server([](const LoopbackRequest& request) {
    const bool probe = request.body.find("\"a\"") != std::string::npos;
    return request.target == "/info" || probe
               ? tei(request)
               : reply(R"({"error":"`inputs` must have less than 512 tokens","error_type":"Validation"})", 413);
  });
  const auto texts = encoder({server.url()}, {.failures_to_eject = 1});
  const auto refused = encode(*texts, {"long"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(refused.error().message, HasSubstr("less than 512 tokens"));
  EXPECT_EQ(server.requests().size(), 3U);
  EXPECT_EQ(texts->endpoints().status()[0].state, EndpointState::kServing);
}

TEST_F(HttpModelsTest, HostileAnswersAreFailuresOfTheServer) {
  const auto answering = [](std::string answer) {
    return [answer](const LoopbackRequest& request) {
      const bool probe = request.body.find("[\"a\"]") != std::string::npos;
      return request.target == "/info" || probe ? tei(request) : reply(answer);
    };
  };
  for (const char* hostile : {"", "[]", "[[1,0,0]]", "[[1]]", "[[nan,1]]", "[[0,0]]", "[[1,0],[1,0]]", "{\"embeddings\":[[1,0]]}",
                              "[[1e99,0]]", "\xFF\xFE"}) {
    const LoopbackHttpServer server(answering(hostile));
    const auto texts = encoder({server.url()}, {.failures_to_eject = 1});
    const auto batch = encode(*texts, {"dress"});
    ASSERT_FALSE(batch) << hostile;
    EXPECT_EQ(batch.error().code, ErrorCode::kUnavailable) << batch.error().message;
    EXPECT_EQ(texts->endpoints().status()[0].state, EndpointState::kEjected) << hostile;
  }
  const LoopbackHttpServer server(answering(std::string(5'000, ' ')));
  HttpTextEncoder::Options options{
      .servers = {.urls = {server.url()}, .endpoints = {.failures_to_eject = 1}, .max_answer_bytes = 4'096}};
  options.expected = {.model = "bge-small-en-v1.5", .weights_hash = {}, .precision = {}, .dimension = 2, .max_tokens = 512};
  const auto texts = HttpTextEncoder::create(options, client()).value();
  ASSERT_FALSE(encode(*texts, {"dress"}));
  EXPECT_EQ(texts->endpoints().status()[0].state, EndpointState::kEjected) << "an answer that is too large";
}

TEST_F(HttpModelsTest, ASlowServerEndsWithTheDeadlineAndIsEjected) {
  std::atomic<bool> slow{false};
  const LoopbackHttpServer server([&](const LoopbackRequest& request) {
    LoopbackReply answer = tei(request);
    if (slow) answer.delay = 5s;
    return answer;
  });
  const auto texts = encoder({server.url()}, {.failures_to_eject = 1});
  ASSERT_TRUE(encode(*texts, {"a"}));
  slow = true;
  const auto hurried = encode(*texts, {"a"}, 10ms);  // too short to tell anything about the server
  ASSERT_FALSE(hurried);
  EXPECT_EQ(hurried.error().code, ErrorCode::kDeadlineExceeded);
  EXPECT_EQ(texts->endpoints().status()[0].state, EndpointState::kServing);
  const auto late = encode(*texts, {"a"}, 100ms);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, ErrorCode::kDeadlineExceeded);
  EXPECT_EQ(texts->endpoints().status()[0].state, EndpointState::kEjected);
}

TEST_F(HttpModelsTest, CallsAreSpreadOverEndpoints) {
  const LoopbackHttpServer first(tei);
  const LoopbackHttpServer second(tei);
  const auto texts = encoder({first.url(), second.url()});
  ASSERT_TRUE(core::sync_wait(texts->connect(Deadline::never())));
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(encode(*texts, {"b"}));
  EXPECT_EQ(first.requests().size(), 12U);  // two of them are the check
  EXPECT_EQ(second.requests().size(), 12U);
}

// Against our own role, which keeps connections: many calls share few of them, and many are under way at once.
TEST_F(HttpModelsTest, ConnectionsAreKeptAndCallsRunSideBySide) {
  support::InferenceServer server;
  support::FakeTextEncoder model(server.threads().pool(), 2);
  server.serve({.text = &model});
  HttpTextEncoder::Options options{.servers = {.urls = {server.url()}}};
  options.expected = model.info();
  const auto texts = HttpTextEncoder::create(options, client()).value();
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(encode(*texts, {"a"}));
  const auto connections = server.metrics().gauge({"scalestyle_http_connections", "Open connections."});
  EXPECT_EQ(connections.value(), 1);
  std::vector<std::jthread> callers;
  for (int caller = 0; caller < 16; ++caller) {
    callers.emplace_back([&] {
      for (int i = 0; i < 10; ++i) ASSERT_TRUE(encode(*texts, {"b"}));
    });
  }
  callers.clear();
  EXPECT_LE(connections.value(), 16);
  server.stop();
}

TEST_F(HttpModelsTest, ADroppedCallIsDroppedByTheRoleToo) {
  support::InferenceServer server;
  support::FakeTextEncoder model(server.threads().pool(), 2);
  server.serve({.text = &model});
  HttpTextEncoder::Options options{.servers = {.urls = {server.url()}}};
  options.expected = model.info();
  const auto texts = HttpTextEncoder::create(options, client()).value();
  ASSERT_TRUE(encode(*texts, {"a"}));
  model.hold();
  {
    auto dropped =
        core::start(texts->encode({"dropped"}, Deadline::never()), [](const auto&) { ADD_FAILURE() << "nobody waits"; });
    model.wait_until_held(1);
  }
  while (server.get("/metrics").body.find("status=\"gone\"") == std::string::npos) std::this_thread::sleep_for(5ms);
  while (texts->endpoints().status()[0].outstanding != 0) std::this_thread::sleep_for(1ms);
  model.release();
  server.stop();
}

// --- pairs

constexpr const char* kRerankInfo =
    R"({"model_id":"BAAI/bge-reranker-base","model_dtype":"float32","model_type":{"reranker":{"id2label":{"0":"LABEL_0"},
    "label2id":{"LABEL_0":0}}},"max_input_length":512,"max_client_batch_size":4})";

// A text's score is its length; the longest first.
LoopbackReply reranker(const LoopbackRequest& request) {
  if (request.target == "/info") return reply(kRerankInfo);
  const json::value body = json::parse(request.body);
  const json::array& texts = body.at("texts").as_array();
  std::string ranks = "[";
  for (std::size_t left = texts.size(); left-- > 0;) {
    ranks += "{\"index\":" + std::to_string(left) + ",\"score\":" + std::to_string(texts[left].as_string().size()) + ".5}" +
             (left > 0 ? "," : "");
  }
  return reply(ranks + "]");
}

class HttpPairsTest : public HttpModelsTest {
 protected:
  std::unique_ptr<HttpPairScorer> scorer(std::vector<std::string> urls) {
    HttpPairScorer::Options options{.servers = {.urls = std::move(urls)}};
    options.expected = {
        .model = "bge-reranker-base", .weights_hash = {}, .precision = {}, .activation = "sigmoid", .max_tokens = 512};
    return HttpPairScorer::create(options, client()).value();
  }
};

TEST_F(HttpPairsTest, TextsGoInSlicesAndScoresComeBackInOrder) {
  const LoopbackHttpServer server(reranker);
  const auto pairs = scorer({server.url()});
  ASSERT_TRUE(core::sync_wait(pairs->connect(Deadline::never())));
  const auto scored = core::sync_wait(
      pairs->score("q", {"a", "bb", "ccc", "bb", "dddd", "eeeee", "ffffff"}, Deadline::after(10s, http_.clock())));
  ASSERT_TRUE(scored) << scored.error().message;
  std::vector<float> logits;
  for (const auto& score : scored->scores) logits.push_back(score.logit);
  EXPECT_THAT(logits, ElementsAre(1.5F, 2.5F, 3.5F, 2.5F, 4.5F, 5.5F, 6.5F));
  EXPECT_EQ(scored->pairs_computed, 6U);
  EXPECT_GT(pairs->tokens_per_second(), 0);
  const auto requests = server.requests();
  ASSERT_EQ(requests.size(), 3U);
  const json::value first = json::parse(requests[1].body);
  EXPECT_EQ(first.at("texts").as_array().size(), 4U);
  EXPECT_TRUE(first.at("raw_scores").as_bool());
  EXPECT_EQ(first.at("query").as_string(), "q");
}

TEST_F(HttpPairsTest, ASliceThatIsLateLeavesThePrefix) {
  std::atomic<int> slices{0};
  const LoopbackHttpServer server([&](const LoopbackRequest& request) {
    LoopbackReply answer = reranker(request);
    if (request.target == "/rerank" && ++slices == 2) answer.delay = 5s;
    return answer;
  });
  const auto pairs = scorer({server.url()});
  ASSERT_TRUE(core::sync_wait(pairs->connect(Deadline::never())));
  const auto scored =
      core::sync_wait(pairs->score("q", {"a", "b1", "c12", "d123", "e1234", "f"}, Deadline::after(500ms, http_.clock())));
  ASSERT_TRUE(scored) << scored.error().message;
  EXPECT_EQ(scored->scores.size(), 4U);
}

TEST_F(HttpPairsTest, WhatIsNoPermutationIsRefused) {
  const LoopbackHttpServer server([&](const LoopbackRequest& request) {
    return request.target == "/info" ? reply(kRerankInfo) : reply(R"([{"index":0,"score":1},{"index":0,"score":2}])");
  });
  const auto pairs = scorer({server.url()});
  const auto scored = core::sync_wait(pairs->score("q", {"a", "b"}, Deadline::after(10s, http_.clock())));
  ASSERT_FALSE(scored);
  EXPECT_EQ(scored.error().code, ErrorCode::kUnavailable);
}

TEST_F(HttpPairsTest, AServerWithoutARerankerIsRefused) {
  const LoopbackHttpServer server(tei);
  const auto pairs = scorer({server.url()});
  const auto scored = core::sync_wait(pairs->score("q", {"a"}, Deadline::after(10s, http_.clock())));
  ASSERT_FALSE(scored);
  EXPECT_THAT(scored.error().message, HasSubstr("no reranker model"));
}

}  // namespace
}  // namespace scalestyle::adapters::remote_inference
