#pragma once
// Bodies of the inference role's requests, in the shapes of text-embeddings-inference (TEI), OpenAI's API, text-generation-inference
// (TGI) and our own, read and checked. Members that we do not know are read over, as those servers do it.
// Sources: huggingface.github.io/text-embeddings-inference, platform.openai.com/docs/api-reference (embeddings, chat),
// huggingface.github.io/text-generation-inference.
//
// Every reader gives kInvalidArgument with the member as field for a body that is not such a JSON object in UTF-8, and
// kResourceExhausted with the member as field for more or longer texts than the limits allow.
// Thread safety: free functions and plain values.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "ports/text_generator.hpp"

namespace scalestyle::http {

struct InferenceLimits {
  std::size_t max_texts = 256;            // of a request; TEI's max_client_batch_size
  std::size_t max_text_bytes = 1 << 20;   // of a text; what a model does not read is cut
  std::size_t max_images = 16;
  std::size_t max_image_bytes = 10 << 20;
  std::size_t max_generated_tokens = 1'024;
};

// POST /embed, /v1/embeddings, and the texts of /embed_image.
struct EmbedBody {
  std::vector<std::string> texts;
  std::string prompt_name{};
  bool truncate = true;
  bool normalize = true;
  bool base64 = false;         // vectors as Base64 of little-endian floats
  std::size_t dimensions = 0;  // asked for; 0: the model's
};
[[nodiscard]] core::Result<EmbedBody> read_embed_body(std::string_view json, const InferenceLimits& limits);
[[nodiscard]] core::Result<EmbedBody> read_openai_embed_body(std::string_view json, const InferenceLimits& limits);

// POST /rerank.
struct RerankBody {
  std::string query;
  std::vector<std::string> texts;
  bool truncate = true;
  bool raw_scores = false;   // logits, not what the model's maker makes of them
  bool return_text = false;
};
[[nodiscard]] core::Result<RerankBody> read_rerank_body(std::string_view json, const InferenceLimits& limits);

// POST /embed_image: either pictures (Base64, or data: URLs) or texts.
struct EmbedImageBody {
  std::vector<core::Result<std::string>> images;  // decoded, or why not
  std::vector<std::string> texts;
};
[[nodiscard]] core::Result<EmbedImageBody> read_embed_image_body(std::string_view json, const InferenceLimits& limits);

// POST /generate and /v1/chat/completions.
struct GenerateBody {
  ports::GenerationRequest request;
  bool stream = false;
  bool stream_usage = false;  // the last piece of a stream says how many tokens there were
};
[[nodiscard]] core::Result<GenerateBody> read_generate_body(std::string_view json, const InferenceLimits& limits);
[[nodiscard]] core::Result<GenerateBody> read_chat_body(std::string_view json, const InferenceLimits& limits);

}  // namespace scalestyle::http
