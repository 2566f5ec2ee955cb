#pragma once
// TextEncoder behind HTTP: our own inference role, a text-embeddings-inference server, or any server with OpenAI's embeddings.
//
// What its vectors are is fixed when it is made (`expected`, from the generation whose vectors they are compared with): it needs no
// server to start, and never gives a vector of another model. An endpoint is asked who it is before it is used, and again whenever it
// comes back: one of another model, other weights or another dimension is left alone, with a line in the log. The first one that
// tells weights and precision fixes them for all: equal texts give equal vectors wherever they go.
// Texts go in batches that the server takes. Completes on the HTTP client's I/O thread. Thread safety: as the port.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "adapters/remote_inference/model_answers.hpp"
#include "adapters/remote_inference/model_client.hpp"
#include "ports/text_encoder.hpp"

namespace scalestyle::adapters::remote_inference {

enum class InferenceApiKind : std::uint8_t { kTei, kOpenAi };
[[nodiscard]] core::Result<InferenceApiKind> parse_inference_api(std::string_view name);  // "tei" | "openai"

// What a model may be called: by its maker's name behind the last slash, or as `server_model` says.
[[nodiscard]] bool is_model(std::string_view told, std::string_view wanted, std::string_view server_model);

// Weights and precision as the first endpoint told them; all others must tell the same. Thread safety: any thread.
class PinnedModel {
 public:
  PinnedModel(std::string weights_hash, std::string precision) : weights_hash_(std::move(weights_hash)), precision_(std::move(precision)) {}
  // Empty where they agree, as far as both are known; else why not.
  [[nodiscard]] std::string disagreement(const RemoteInfo& info);

 private:
  std::mutex mutex_;
  std::string weights_hash_;  // guarded by mutex_, as the next; empty: not known
  std::string precision_;
};

class HttpTextEncoder final : public ports::TextEncoder {
 public:
  struct Options {
    ModelServers servers{};
    InferenceApiKind api = InferenceApiKind::kTei;
    ports::EncoderInfo expected{};    // model and dimension must be known
    std::string server_model{};       // what the server calls the model; empty: expected.model, with any maker's name before it
    bool exact_precision = false;     // the endpoints must have expected.precision: of vectors that are kept
  };

  // The dependencies must outlive the encoder. Errors: kInvalidArgument for no server, or an expectation without model or dimension.
  [[nodiscard]] static core::Result<std::unique_ptr<HttpTextEncoder>> create(Options options, ModelClient::Dependencies dependencies);
  HttpTextEncoder(const HttpTextEncoder&) = delete;
  HttpTextEncoder& operator=(const HttpTextEncoder&) = delete;

  // Who the first of the servers that answers says it is, for who expects nothing yet; its dimension is looked up by a vector where it
  // does not tell. Errors: as encode(); kFailedPrecondition where it has no such model.
  [[nodiscard]] static core::Task<core::Result<ports::EncoderInfo>> ask(Options options, ModelClient::Dependencies dependencies,
                                                                        core::Deadline deadline);

  [[nodiscard]] const ports::EncoderInfo& info() const override { return options_.expected; }
  [[nodiscard]] core::Task<core::Result<ports::EmbeddingBatch>> encode(std::vector<std::string> texts, core::Deadline deadline) override;

  // Checks the endpoints that may be back: to be called every second or so by who owns it. As ModelClient::connect().
  [[nodiscard]] core::Task<core::Status> connect(core::Deadline deadline) { return client_.connect(deadline); }
  [[nodiscard]] const EndpointPool& endpoints() const { return client_.endpoints(); }

 private:
  HttpTextEncoder(Options options, ModelClient::Dependencies dependencies);
  [[nodiscard]] core::Task<core::Result<RemoteInfo>> ask_endpoint(std::string url, core::Deadline deadline);
  [[nodiscard]] core::Task<core::Status> check_endpoint(std::string url, core::Deadline deadline);
  [[nodiscard]] ModelClient::Request embed_request(std::span<const std::string> texts) const;
  [[nodiscard]] core::Status read_answer(const ports::HttpResponse& response, std::size_t count, ports::EmbeddingBatch& batch) const;

  Options options_;
  PinnedModel pinned_;
  std::atomic<std::size_t> batch_limit_;
  ModelClient client_;
};

}  // namespace scalestyle::adapters::remote_inference
