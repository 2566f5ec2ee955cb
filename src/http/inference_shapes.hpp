#pragma once
// Answers of the inference role as JSON, in the shapes of TEI, OpenAI and TGI (see inference_bodies.hpp) and our own. Floats are
// decimals that read back as the same float: a vector is the same bits on both ends.
// Thread safety: free functions and plain values.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "http/message.hpp"
#include "ports/image_encoder.hpp"
#include "ports/pair_scorer.hpp"
#include "ports/text_encoder.hpp"
#include "ports/text_generator.hpp"

namespace scalestyle::http {

// An error as TEI tells it: {"error","error_type"}, and "field" where a member of the body is at fault.
struct InferenceError {
  int status = 424;
  std::string_view type = "Backend";  // Unhealthy | Backend | Overloaded | Validation | Tokenizer
  std::string message{};
  std::string field{};
};

// kInvalidArgument is 422 Validation, or 413 where `is_limit`; kResourceExhausted 429 Overloaded, or 413 where `is_limit`;
// kDeadlineExceeded 504 Overloaded; kCancelled and kUnavailable 503 Unhealthy; the rest 424 Backend.
[[nodiscard]] InferenceError to_inference_error(const core::Error& error, bool is_limit = false);
// By the status of an error that the connection itself tells.
[[nodiscard]] std::string_view inference_error_type(int status);

// As TEI, or as OpenAI: {"error":{"message","type","param","code"}}.
enum class InferenceDialect : std::uint8_t { kTei, kOpenAi };
[[nodiscard]] Response inference_error_response(const InferenceError& error, InferenceDialect dialect);

// /embed: an array of vectors.
[[nodiscard]] std::string embeddings_json(const ports::EmbeddingBatch& batch);
// /v1/embeddings.
[[nodiscard]] std::string openai_embeddings_json(const ports::EmbeddingBatch& batch, std::string_view model, bool base64);

// /rerank: the best first; equal scores by index. `texts` only where they are to be given back.
[[nodiscard]] std::string ranks_json(const std::vector<ports::PairScore>& scores, bool raw_scores, std::span<const std::string> texts);

// /embed_image: {"results":[{"embedding":[…]} | {"error","error_type","code"}]}, one a picture or text.
[[nodiscard]] std::string picture_results_json(const std::vector<core::Result<std::vector<float>>>& vectors);
[[nodiscard]] std::string picture_texts_json(const ports::EmbeddingBatch& batch);

// /generate.
[[nodiscard]] std::string generated_json(const ports::GeneratedText& text);
// /v1/chat/completions, whole and piece by piece. `created` in seconds since 1970.
struct ChatIdentity {
  std::string id;
  std::string model;
  std::int64_t created = 0;
};
[[nodiscard]] std::string chat_completion_json(const ports::GeneratedText& text, const ChatIdentity& identity);
[[nodiscard]] std::string chat_chunk_json(std::string_view piece, bool first, const ChatIdentity& identity);
[[nodiscard]] std::string chat_end_json(const ports::GeneratedText& text, const ChatIdentity& identity);
[[nodiscard]] std::string chat_usage_json(const ports::GeneratedText& text, const ChatIdentity& identity);
[[nodiscard]] std::string chat_error_json(const core::Error& error);

// What is served: null where it is not.
struct ServedModels {
  const ports::EncoderInfo* text = nullptr;
  const ports::ScorerInfo* pairs = nullptr;
  const ports::EncoderInfo* pictures = nullptr;
  const ports::GeneratorInfo* generator = nullptr;
  double pair_tokens_per_second = 0;
};
struct InferenceLimitsShown {
  std::string_view version;
  std::string_view pooling;  // of the text model: "cls", "mean"
  std::size_t max_batch_tokens = 0;
  std::size_t max_client_batch_size = 0;
  std::size_t max_concurrent_requests = 0;
  std::size_t max_images = 0;
  std::size_t workers = 0;
};
// /info: TEI's members say what the text model is (the reranker, where there is no other); `models` has all that we serve, exactly.
[[nodiscard]] std::string inference_info_json(const ServedModels& models, const InferenceLimitsShown& limits);
// /v1/models.
[[nodiscard]] std::string models_list_json(const ServedModels& models);

}  // namespace scalestyle::http
