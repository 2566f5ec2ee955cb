// The inference role over the wire, with fakes for models: shapes that text-embeddings-inference, OpenAI and text-generation-inference
// document, faults, limits, and what is not computed because nobody waits for it any more.

#include "http/inference_api.hpp"

#include <gmock/gmock.h>

#include <boost/json.hpp>
#include <cmath>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "adapters/embedded/batching_text_encoder.hpp"
#include "adapters/embedded/queued_models.hpp"
#include "http/base64.hpp"
#include "support/fake_image_encoder.hpp"
#include "support/fake_pair_scorer.hpp"
#include "support/fake_text_encoder.hpp"
#include "support/fake_text_generator.hpp"
#include "support/inference_server.hpp"
#include "text/base64.hpp"

namespace scalestyle::http {
namespace {

namespace json = boost::json;
using support::RawResponse;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

std::vector<float> floats(const json::value& values) {
  std::vector<float> out;
  for (const auto& value : values.as_array()) out.push_back(static_cast<float>(value.to_number<double>()));
  return out;
}

class InferenceApiTest : public ::testing::Test {
 protected:
  InferenceApiTest() : texts_(server_.threads().pool()), pairs_(server_.threads().pool(), server_.threads().clock()),
                       pictures_(server_.threads().pool()), generator_(server_.threads().pool(), server_.threads().timers()) {}
  void TearDown() override {
    texts_.release();
    pairs_.release();
    generator_.release();
    server_.stop();
  }

  void serve(InferenceApi::Options options = {}) {
    server_.serve({.text = &texts_, .pairs = &pairs_, .pictures = &pictures_, .generator = &generator_}, std::move(options));
  }
  // Queues with one leader before the encoder and one turn before the scorer.
  void serve_queued(std::size_t queue_tokens) {
    batching_ = std::make_unique<adapters::embedded::BatchingTextEncoder>(
        adapters::embedded::BatchingTextEncoder::Dependencies{.encoder = texts_, .pool = server_.threads().pool(), .timers = server_.threads().timers(),
                                                              .clock = server_.threads().clock(), .metrics = server_.metrics()},
        adapters::embedded::BatchingTextEncoder::Options{.batch_tokens = 64, .queue_tokens = queue_tokens, .max_leaders = 1});
    queued_ = std::make_unique<adapters::embedded::QueuedPairScorer>(
        pairs_, adapters::embedded::QueuedPairScorer::Options{.running = 1, .queue_tokens = queue_tokens}, server_.threads().pool(),
        server_.threads().clock(), server_.metrics());
    server_.serve({.text = batching_.get(), .pairs = queued_.get()});
  }

  support::InferenceServer server_;
  support::FakeTextEncoder texts_;
  support::FakePairScorer pairs_;
  support::FakeImageEncoder pictures_;
  support::FakeTextGenerator generator_;
  std::unique_ptr<adapters::embedded::BatchingTextEncoder> batching_;
  std::unique_ptr<adapters::embedded::QueuedPairScorer> queued_;
};

TEST_F(InferenceApiTest, EmbedGivesAnArrayOfVectors) {
  serve();
  for (const std::string body : {R"({"inputs":"What is Deep Learning?"})", R"({"inputs":["What is Deep Learning?"],"truncate":true,"normalize":true})",
                                 R"({"inputs":"What is Deep Learning?","prompt_name":null,"truncate":false,"unknown":[1,{"a":2}]})"}) {
    const RawResponse answer = server_.post("/embed", body);
    ASSERT_EQ(answer.status, 200) << body << answer.body;
    const auto vectors = json::parse(answer.body).as_array();
    ASSERT_EQ(vectors.size(), 1U);
    EXPECT_EQ(floats(vectors[0]), support::vector_of_text("What is Deep Learning?", 8)) << body;
    EXPECT_EQ(answer.headers.at("x-compute-tokens"), "22");
  }
  const RawResponse two = server_.post("/embed", R"({"inputs":["a","b"]})");
  EXPECT_EQ(json::parse(two.body).as_array().size(), 2U);
  EXPECT_EQ(floats(json::parse(two.body).at(1)), support::vector_of_text("b", 8));
}

TEST_F(InferenceApiTest, APromptGoesBeforeEachText) {
  InferenceApi::Options options;
  options.routes.prompts = {{"query", "query: "}};
  serve(std::move(options));
  const RawResponse answer = server_.post("/embed", R"({"inputs":["dress"],"prompt_name":"query"})");
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(floats(json::parse(answer.body).at(0)), support::vector_of_text("query: dress", 8));
  const RawResponse unknown = server_.post("/embed", R"({"inputs":["dress"],"prompt_name":"passage"})");
  EXPECT_EQ(unknown.status, 422);
  EXPECT_EQ(json::parse(unknown.body).at("field").as_string(), "prompt_name");
}

TEST_F(InferenceApiTest, RerankGivesTheBestFirst) {
  serve();
  const std::string request = R"({"query":"red dress","texts":["blue coat","red dress","red coat"],"raw_scores":true,"return_text":true})";
  const RawResponse answer = server_.post("/rerank", request);
  ASSERT_EQ(answer.status, 200) << answer.body;
  const json::array ranks = json::parse(answer.body).as_array();
  ASSERT_EQ(ranks.size(), 3U);
  std::vector<std::int64_t> order;
  for (const auto& rank : ranks) order.push_back(rank.at("index").as_int64());
  EXPECT_THAT(order, ElementsAre(1, 2, 0));
  EXPECT_EQ(ranks[0].at("text").as_string(), "red dress");
  EXPECT_EQ(static_cast<float>(ranks[0].at("score").to_number<double>()), support::fake_logit("red dress", "red dress"));

  const RawResponse plain = server_.post("/rerank", R"({"query":"red dress","texts":["red dress"]})");
  const json::value first = json::parse(plain.body).at(0);
  EXPECT_FALSE(first.as_object().contains("text"));
  EXPECT_NEAR(first.at("score").to_number<double>(), 1 / (1 + std::exp(-support::fake_logit("red dress", "red dress"))), 1e-6);
}

TEST_F(InferenceApiTest, InfoHasWhatTeiTellsAndAllModelsExactly) {
  serve();
  const json::value info = json::parse(server_.get("/info").body);
  EXPECT_EQ(info.at("model_id").as_string(), "fake-encoder");
  EXPECT_EQ(info.at("model_dtype").as_string(), "float32");
  EXPECT_EQ(info.at("model_type").at("embedding").at("pooling").as_string(), "cls");
  for (const char* name : {"max_concurrent_requests", "max_input_length", "max_batch_tokens", "max_client_batch_size", "tokenization_workers"}) {
    EXPECT_GT(info.at(name).as_int64(), 0) << name;
  }
  EXPECT_TRUE(info.at("auto_truncate").as_bool());
  EXPECT_TRUE(info.at("version").is_string());
  EXPECT_EQ(info.at("dimension").as_int64(), 8);
  EXPECT_EQ(info.at("weights_hash").as_string(), texts_.info().weights_hash);
  const json::value& models = info.at("models");
  EXPECT_EQ(models.at("embedding").at("precision").as_string(), "f32");
  EXPECT_EQ(models.at("reranker").at("activation").as_string(), "sigmoid");
  EXPECT_EQ(models.at("reranker").at("tokens_per_second").to_number<double>(), 20'000);
  EXPECT_EQ(models.at("image").at("max_input_length").as_int64(), 77);
  EXPECT_EQ(models.at("generator").at("model_id").as_string(), "fake-generator");
}

TEST_F(InferenceApiTest, ProbesTellWarmingAndDraining) {
  server_.serve({.text = &texts_}, {}, false);
  EXPECT_EQ(server_.get("/live").status, 200);
  for (const char* probe : {"/ready", "/health"}) {
    const RawResponse cold = server_.get(probe);
    EXPECT_EQ(cold.status, 503) << probe;
    EXPECT_EQ(json::parse(cold.body).at("error_type").as_string(), "Unhealthy");
  }
  server_.mark_warm();
  EXPECT_EQ(server_.get("/health").status, 200);
  EXPECT_EQ(server_.get("/ready").status, 200);
  EXPECT_THAT(server_.get("/metrics").body, HasSubstr("scalestyle_http_requests_total"));
  server_.begin_drain();
  EXPECT_EQ(server_.get("/ready").status, 503);
  EXPECT_EQ(server_.get("/live").status, 200);
}

TEST_F(InferenceApiTest, OpenAiEmbeddings) {
  serve();
  const RawResponse answer = server_.post(
      "/v1/embeddings", R"({"model":"text-embedding-ada-002","input":"The food was delicious and the waiter...","encoding_format":"float"})");
  ASSERT_EQ(answer.status, 200) << answer.body;
  const json::value body = json::parse(answer.body);
  EXPECT_EQ(body.at("object").as_string(), "list");
  EXPECT_EQ(body.at("model").as_string(), "fake-encoder");
  EXPECT_EQ(body.at("data").at(0).at("object").as_string(), "embedding");
  EXPECT_EQ(body.at("data").at(0).at("index").as_int64(), 0);
  const auto expected = support::vector_of_text("The food was delicious and the waiter...", 8);
  EXPECT_EQ(floats(body.at("data").at(0).at("embedding")), expected);
  EXPECT_EQ(body.at("usage").at("prompt_tokens").as_int64(), 40);
  EXPECT_EQ(body.at("usage").at("total_tokens").as_int64(), 40);

  const RawResponse packed = server_.post("/v1/embeddings",
                                          R"({"input":["x","The food was delicious and the waiter..."],"encoding_format":"base64","dimensions":8})");
  const auto bytes = base64_decode(std::string_view(json::parse(packed.body).at("data").at(1).at("embedding").as_string()));
  ASSERT_TRUE(bytes);
  std::vector<float> unpacked(bytes->size() / sizeof(float));
  std::memcpy(unpacked.data(), bytes->data(), bytes->size());
  EXPECT_EQ(unpacked, expected);

  const RawResponse wrong = server_.post("/v1/embeddings", R"({"input":[[1,2]],"model":"m"})");
  EXPECT_EQ(wrong.status, 422);
  const json::value error = json::parse(wrong.body).at("error");
  EXPECT_EQ(error.at("type").as_string(), "invalid_request_error");
  EXPECT_EQ(error.at("param").as_string(), "input[0]");
  EXPECT_TRUE(error.at("message").is_string());
}

TEST_F(InferenceApiTest, OpenAiChatWholeAndStreamed) {
  serve();
  const std::string messages = R"("model":"m","messages":[{"role":"developer","content":"You are a helpful assistant."},)"
                               R"({"role":"user","content":[{"type":"text","text":"Hello!"}]}])";
  const json::value whole = json::parse(server_.post("/v1/chat/completions", "{" + messages + R"(,"max_tokens":3,"seed":7})").body);
  EXPECT_EQ(whole.at("object").as_string(), "chat.completion");
  EXPECT_EQ(whole.at("choices").at(0).at("message").at("role").as_string(), "assistant");
  EXPECT_EQ(whole.at("choices").at(0).at("message").at("content").as_string(), "It is a");
  EXPECT_EQ(whole.at("choices").at(0).at("finish_reason").as_string(), "length");
  EXPECT_EQ(whole.at("usage").at("completion_tokens").as_int64(), 3);
  ASSERT_EQ(generator_.requests().size(), 1U);
  EXPECT_EQ(generator_.requests()[0].messages[0].role, ports::ChatMessage::Role::kSystem);
  EXPECT_EQ(generator_.requests()[0].messages[1].text, "Hello!");
  EXPECT_EQ(generator_.requests()[0].seed, 7U);

  auto client = server_.connect();
  client.send(support::InferenceServer::post_text("/v1/chat/completions",
                                                  "{" + messages + R"(,"stream":true,"stream_options":{"include_usage":true}})"));
  const auto head = client.read();
  ASSERT_TRUE(head);
  EXPECT_EQ(head->headers.at("Content-Type"), "text/event-stream");
  std::string events;
  while (auto chunk = client.read_chunk()) {
    if (chunk->empty()) break;
    events += *chunk;
  }
  std::string text;
  std::string last;
  bool usage = false;
  for (std::size_t at = 0; at < events.size();) {
    const std::size_t end = events.find("\n\n", at);
    last = events.substr(at + 6, end - at - 6);
    at = end + 2;
    if (last == "[DONE]") break;
    const json::value chunk = json::parse(last);
    EXPECT_EQ(chunk.at("object").as_string(), "chat.completion.chunk");
    usage = usage || chunk.as_object().contains("usage");
    if (chunk.at("choices").as_array().empty()) continue;
    if (const auto* piece = chunk.at("choices").at(0).at("delta").as_object().if_contains("content")) text += piece->as_string();
  }
  EXPECT_EQ(last, "[DONE]");
  EXPECT_TRUE(usage);
  EXPECT_EQ(text, "It is a good match for your search.");
  EXPECT_EQ(json::parse(server_.get("/v1/models").body).at("data").as_array().size(), 4U);
}

TEST_F(InferenceApiTest, GenerateAnswersWhole) {
  serve();
  const RawResponse answer =
      server_.post("/generate", R"({"inputs":"My name is Olivier and I","parameters":{"max_new_tokens":2,"temperature":0.5,"top_p":0.95,"seed":3}})");
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(json::parse(answer.body).at("generated_text").as_string(), "It is");
  EXPECT_EQ(generator_.requests()[0].temperature, 0.5F);
  EXPECT_EQ(server_.post("/generate", R"({"inputs":"x","parameters":{"max_new_tokens":0}})").status, 422);
}

TEST_F(InferenceApiTest, PicturesHaveVectorsOrErrorsOfTheirOwn) {
  serve();
  const auto packed = [](const std::string& bytes) { return text::base64_encode(bytes); };
  const std::string body = R"({"images":[")" + packed("one") + R"(","data:image/png;base64,)" + packed("two damaged") + R"(","?!",")" +
                           packed("no picture") + R"("]})";
  const RawResponse answer = server_.post("/embed_image", body);
  ASSERT_EQ(answer.status, 200) << answer.body;
  const json::array results = json::parse(answer.body).at("results").as_array();
  ASSERT_EQ(results.size(), 4U);
  EXPECT_EQ(floats(results[0].at("embedding")), support::vector_of_text("one", 8));
  EXPECT_EQ(results[1].at("code").as_string(), "invalid_argument");
  EXPECT_EQ(results[2].at("code").as_string(), "invalid_argument");
  EXPECT_EQ(results[3].at("code").as_string(), "unsupported");
  const RawResponse texts = server_.post("/embed_image", R"({"texts":["striped shirt"]})");
  EXPECT_EQ(floats(json::parse(texts.body).at("results").at(0).at("embedding")), support::vector_of_text("striped shirt", 8));
}

struct Fault {
  std::string target;
  std::string body;
  int status;
  std::string type;
  std::string field;
};

TEST_F(InferenceApiTest, FaultsOfRequestsAreTold) {
  InferenceApi::Options options;
  options.routes.limits = {.max_texts = 2, .max_text_bytes = 2'000, .max_images = 1, .max_image_bytes = 100};
  options.max_text_body_bytes = 10'000;
  serve(std::move(options));
  const std::string long_text(2'001, 'x');
  std::string deep;
  for (int i = 0; i < 200; ++i) deep += '[';
  const std::vector<Fault> faults{
      {"/embed", "", 422, "Validation", "body"},
      {"/embed", "[1]", 422, "Validation", "body"},
      {"/embed", R"({"inputs":)" + deep, 422, "Validation", "body"},
      {"/embed", "{\"inputs\":\"\xFF\xFE\"}", 422, "Validation", "body"},
      {"/embed", "{}", 422, "Validation", "inputs"},
      {"/embed", R"({"inputs":[]})", 422, "Validation", "inputs"},
      {"/embed", R"({"inputs":7})", 422, "Validation", "inputs"},
      {"/embed", R"({"inputs":["a",7]})", 422, "Validation", "inputs[1]"},
      {"/embed", R"({"inputs":["a","b","c"]})", 413, "Validation", "inputs"},
      {"/embed", R"({"inputs":["a",")" + long_text + R"("]})", 413, "Validation", "inputs[1]"},
      {"/embed", R"({"inputs":"a","truncate":"yes"})", 422, "Validation", "truncate"},
      {"/embed", R"({"inputs":"a","normalize":false})", 422, "Validation", "normalize"},
      {"/embed", R"({"inputs":"a","truncation_direction":"left"})", 422, "Validation", "truncation_direction"},
      {"/embed", R"({"inputs":")" + std::string(600, 'y') + R"(","truncate":false})", 413, "Validation", "inputs[0]"},
      {"/rerank", R"({"texts":["a"]})", 422, "Validation", "query"},
      {"/rerank", R"({"query":"a","texts":"b"})", 422, "Validation", "texts"},
      {"/rerank", R"({"query":"a","texts":[]})", 422, "Validation", "texts"},
      {"/embed_image", R"({"images":["","" ]})", 413, "Validation", "images"},
      {"/embed_image", R"({"images":[1]})", 422, "Validation", "images[0]"},
      {"/embed_image", R"({"images":["YQ=="],"texts":["a"]})", 422, "Validation", "images"},
      {"/nothing", "{}", 404, "Validation", "target"},
      {"/info", "{}", 405, "Validation", ""},
      {"/embed", std::string(10'001, ' '), 413, "Validation", "body"},
  };
  for (const Fault& fault : faults) {
    const RawResponse answer = server_.post(fault.target, fault.body);
    const std::string shown = fault.target + " " + fault.body.substr(0, 60) + " → " + answer.body;
    ASSERT_EQ(answer.status, fault.status) << shown;
    const json::object error = json::parse(answer.body).as_object();
    EXPECT_EQ(error.at("error_type").as_string(), fault.type) << shown;
    EXPECT_FALSE(error.at("error").as_string().empty()) << shown;
    EXPECT_EQ(error.contains("field") ? std::string(error.at("field").as_string()) : std::string(), fault.field) << shown;
  }
  EXPECT_EQ(server_.post("/embed", R"({"inputs":"a"})", "Content-Type: text/plain\r\n").status, 415);
  EXPECT_EQ(server_.post("/embed", R"({"inputs":"a"})", "Content-Encoding: gzip\r\n").status, 415);
  for (const char* timeout : {"0", "-1", "soon", "99999999999", "1.5"}) {
    const RawResponse answer = server_.post("/embed", R"({"inputs":"a"})", std::string("X-Request-Timeout-Ms: ") + timeout + "\r\n");
    EXPECT_EQ(answer.status, 422) << timeout;
    EXPECT_EQ(json::parse(answer.body).at("field").as_string(), "X-Request-Timeout-Ms");
  }
  EXPECT_TRUE(texts_.batches().size() <= 1) << "a wrong request is not computed";
}

TEST_F(InferenceApiTest, AModelThatIsNotServedIs424) {
  server_.serve({.text = &texts_});
  for (const auto& [target, body] : {std::pair<std::string, std::string>{"/rerank", R"({"query":"a","texts":["b"]})"},
                                     {"/embed_image", R"({"texts":["b"]})"},
                                     {"/generate", R"({"inputs":"b"})"}}) {
    const RawResponse answer = server_.post(target, body);
    EXPECT_EQ(answer.status, 424) << target;
    EXPECT_EQ(json::parse(answer.body).at("error_type").as_string(), "Backend");
  }
  texts_.fail_with(core::Error{core::ErrorCode::kInternal, "no numbers"});
  EXPECT_EQ(server_.post("/embed", R"({"inputs":"a"})").status, 424);
}

TEST_F(InferenceApiTest, AFullQueueIs429) {
  serve_queued(8);
  texts_.hold();
  auto first = server_.connect();
  first.send(support::InferenceServer::post_text("/embed", R"({"inputs":"one"})"));
  texts_.wait_until_held(1);
  auto second = server_.connect();
  second.send(support::InferenceServer::post_text("/embed", R"({"inputs":"two, which waits"})"));
  while (batching_->waiting_tokens() == 0) std::this_thread::sleep_for(1ms);
  const RawResponse refused = server_.post("/embed", R"({"inputs":"three, for which there is no room"})");
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(json::parse(refused.body).at("error_type").as_string(), "Overloaded");
  EXPECT_EQ(refused.headers.count("Retry-After"), 1U);
  texts_.release();
  EXPECT_EQ(first.read().value_or(RawResponse{}).status, 200);
  EXPECT_EQ(second.read().value_or(RawResponse{}).status, 200);
}

// Two clients give up behind one that is being computed: by closing, and by their own time-out.
TEST_F(InferenceApiTest, WhatNobodyWaitsForIsNotComputed) {
  serve_queued(1'000);
  texts_.hold();
  auto first = server_.connect();
  first.send(support::InferenceServer::post_text("/embed", R"({"inputs":"one"})"));
  texts_.wait_until_held(1);
  {
    auto gone = server_.connect();
    gone.send(support::InferenceServer::post_text("/embed", R"({"inputs":"gone"})"));
    while (batching_->waiting_tokens() == 0) std::this_thread::sleep_for(1ms);
  }
  const RawResponse late = server_.post("/embed", R"({"inputs":"late"})", "X-Request-Timeout-Ms: 30\r\n");
  EXPECT_EQ(late.status, 504);
  auto last = server_.connect();
  last.send(support::InferenceServer::post_text("/embed", R"({"inputs":"last"})"));
  while (batching_->waiting_tokens() < 9) std::this_thread::sleep_for(1ms);
  while (server_.get("/metrics").body.find("status=\"gone\"") == std::string::npos) std::this_thread::sleep_for(5ms);
  texts_.release();
  EXPECT_EQ(first.read().value_or(RawResponse{}).status, 200);
  EXPECT_EQ(last.read().value_or(RawResponse{}).status, 200);
  EXPECT_THAT(texts_.batches(), ElementsAre(ElementsAre("one"), ElementsAre("last")));
}

TEST_F(InferenceApiTest, WhatWaitsIsComputedTogether) {
  serve_queued(10'000);
  texts_.hold();
  auto first = server_.connect();
  first.send(support::InferenceServer::post_text("/embed", R"({"inputs":"one"})"));
  texts_.wait_until_held(1);
  std::vector<support::RawClient> clients;
  for (const char* text : {"two", "three", "two"}) {
    const std::size_t before = batching_->waiting_tokens();
    clients.push_back(server_.connect());
    clients.back().send(support::InferenceServer::post_text("/embed", std::string(R"({"inputs":")") + text + R"("})"));
    while (batching_->waiting_tokens() == before) std::this_thread::sleep_for(1ms);
  }
  texts_.release();
  EXPECT_EQ(first.read().value_or(RawResponse{}).status, 200);
  const auto two = clients[0].read();
  ASSERT_TRUE(two);
  EXPECT_EQ(floats(json::parse(two->body).at(0)), support::vector_of_text("two", 8));
  EXPECT_EQ(floats(json::parse(clients[1].read().value().body).at(0)), support::vector_of_text("three", 8));
  EXPECT_EQ(clients[2].read().value().body, two->body);
  EXPECT_THAT(texts_.batches(), ElementsAre(ElementsAre("one"), ElementsAre("two", "three")));
}

TEST_F(InferenceApiTest, ADeadlineGivesThePrefixThatIsScored) {
  serve();
  pairs_.score_at_most(2);
  const std::string body = R"({"query":"red","texts":["red","blue","red coat"],"raw_scores":true})";
  const RawResponse part = server_.post("/rerank", body, "X-Request-Timeout-Ms: 5000\r\n");
  ASSERT_EQ(part.status, 200) << part.body;
  EXPECT_EQ(part.headers.at("X-Partial"), "deadline");
  EXPECT_EQ(json::parse(part.body).as_array().size(), 2U);
  EXPECT_EQ(server_.post("/rerank", body).status, 504) << "who set no time wants all";
}

TEST(InferenceLog, SaysTheTraceOfARequest) {
  ::testing::internal::CaptureStderr();
  {
    support::InferenceServer server(1, telemetry::LogLevel::kDebug);
    support::FakeTextEncoder texts(server.threads().pool());
    server.serve({.text = &texts});
    EXPECT_EQ(server.post("/embed", R"({"inputs":"a"})", "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n").status, 200);
    server.stop();
  }
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("trace_id=0af7651916cd43dd8448eb211c80319c"));
}

}  // namespace
}  // namespace scalestyle::http
