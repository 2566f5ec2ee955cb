#pragma once
// InferenceRoutes: what the inference role computes, one work a request. Texts are cut to what a model reads, unless the request says
// `truncate: false`; vectors have unit length. Large bodies are read on the compute pool, small ones at once.
// Thread safety: perform() on the I/O thread; works complete anywhere. Must outlive its works.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/clock.hpp"
#include "core/timer_queue.hpp"
#include "core/worker_pool.hpp"
#include "http/application.hpp"
#include "http/inference_bodies.hpp"
#include "http/inference_shapes.hpp"
#include "ports/image_encoder.hpp"
#include "ports/pair_scorer.hpp"
#include "ports/text_encoder.hpp"
#include "ports/text_generator.hpp"
#include "telemetry/log.hpp"

namespace scalestyle::http {

enum class InferenceRoute : std::uint8_t {
  kEmbed,
  kRerank,
  kOpenAiEmbeddings,
  kChat,
  kGenerate,
  kEmbedImage,
  kInfo,
  kHealth,
  kModels,
  kLive,
  kReady,
  kMetrics,
};

// Null: that model is not served, its routes answer 424.
struct InferenceModels {
  ports::TextEncoder* text = nullptr;
  ports::PairScorer* pairs = nullptr;
  ports::ImageEncoder* pictures = nullptr;
  ports::TextGenerator* generator = nullptr;
};

// A request that is to be computed.
struct InferenceCall {
  InferenceRoute route = InferenceRoute::kEmbed;
  std::string body{};
  core::Deadline deadline = core::Deadline::never();
  bool client_deadline = false;  // the client said it: what is there when it ends is an answer, where a part is one
  std::string request_id{};
  std::string trace_id{};  // empty: of no trace
};

class InferenceRoutes {
 public:
  struct Options {
    InferenceLimits limits{};
    // What `prompt_name` may say, and what is put before each text.
    std::vector<std::pair<std::string, std::string>> prompts{};
  };
  struct Dependencies {
    InferenceModels models;
    core::WorkerPool& pool;
    core::TimerQueue& timers;
    const core::Clock& clock;
    telemetry::Logger& log;
  };

  InferenceRoutes(Dependencies dependencies, Options options) : use_(dependencies), options_(std::move(options)) {}

  [[nodiscard]] static InferenceDialect dialect(InferenceRoute route) {
    return route == InferenceRoute::kOpenAiEmbeddings || route == InferenceRoute::kChat ? InferenceDialect::kOpenAi : InferenceDialect::kTei;
  }
  [[nodiscard]] Work perform(InferenceCall call);

 private:
  using Answer = core::Task<core::Result<Response>>;

  [[nodiscard]] Answer answer(InferenceCall call);
  [[nodiscard]] Answer embed(InferenceCall call);
  [[nodiscard]] Answer rerank(InferenceCall call);
  [[nodiscard]] Answer embed_image(InferenceCall call);
  [[nodiscard]] Answer generate(InferenceCall call);
  [[nodiscard]] Answer chat(InferenceCall call, GenerateBody body);
  [[nodiscard]] core::Task<core::Result<ports::EmbeddingBatch>> embed_texts(EmbedBody body, core::Deadline deadline);
  [[nodiscard]] core::Task<core::Status> check_length(const std::vector<std::string>& texts, core::Deadline deadline);
  [[nodiscard]] core::Task<core::Status> check_pairs(const RerankBody& body, core::Deadline deadline);
  [[nodiscard]] core::Status check_wish(const EmbedBody& body) const;
  [[nodiscard]] ChatIdentity next_chat();

  Dependencies use_;
  Options options_;
  std::atomic<std::uint64_t> chats_{0};
};

}  // namespace scalestyle::http
