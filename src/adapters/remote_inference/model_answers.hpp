#pragma once
// What model servers answer, read and checked: nothing that such a server says is believed further than this.
// Sources: huggingface.github.io/text-embeddings-inference (/embed, /rerank, /info), platform.openai.com/docs/api-reference/embeddings;
// /embed_image and `models` of /info are our own role's (http/inference_shapes.hpp).
//
// Errors of every reader: kDataLoss, saying what is wrong. Thread safety: free functions and plain values.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace scalestyle::adapters::remote_inference {

// `rows` vectors, as an array of arrays of numbers, appended to `out`. `dimension` 0: whatever the first one has, but the same for all;
// it is then set. Numbers are read as floats, correctly rounded: what our role wrote comes back bit for bit. A vector that is not of unit
// length is made so; one that is zero or not finite is an error.
[[nodiscard]] core::Status read_vectors(std::string_view json, std::size_t rows, std::size_t& dimension, std::vector<float>& out);

// The same out of OpenAI's shape, placed by `index`. `model`: which one the server says it used.
struct OpenAiVectors {
  std::vector<float> values;
  std::string model;
  std::size_t tokens = 0;
};
[[nodiscard]] core::Result<OpenAiVectors> read_openai_vectors(std::string_view json, std::size_t rows, std::size_t& dimension);

// Scores in the order of the texts: of all `count`, or, where `may_be_prefix`, of the first ones. The indices must be a permutation.
[[nodiscard]] core::Result<std::vector<float>> read_ranks(std::string_view json, std::size_t count, bool may_be_prefix);

// One result a picture: a vector, or the error that it has.
[[nodiscard]] core::Result<std::vector<core::Result<std::vector<float>>>> read_picture_results(std::string_view json, std::size_t count,
                                                                                               std::size_t dimension);

enum class ModelKind { kText, kPairs, kPictures };

struct RemoteInfo {
  std::string model;         // as the server names it
  std::string weights_hash;  // empty, as all below 0, where it does not tell
  std::string precision;     // "f32", "bf16", "f16", "int8"
  std::string activation;
  std::size_t dimension = 0;
  std::size_t max_tokens = 0;
  std::size_t max_batch = 0;   // texts, or pictures, of one request
  double tokens_per_second = 0;
};
// kFailedPrecondition where the server says that it has no model of that kind.
[[nodiscard]] core::Result<RemoteInfo> read_info(std::string_view json, ModelKind kind);

// What an answer that is no success says of its reason, for people: at most 200 characters of one line; empty when nothing.
[[nodiscard]] std::string refusal_text(std::string_view body);

// {"name":["…","…"]} without its closing brace, to which more members are added.
[[nodiscard]] std::string texts_member(std::string_view name, std::span<const std::string> texts);

}  // namespace scalestyle::adapters::remote_inference
