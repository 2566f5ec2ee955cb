#pragma once
// TextEncoder: texts to unit vectors. Embedded: nn/ in process. Distributed: the inference role or any
// text-embeddings-inference server.

#include <cstddef>
#include <string>
#include <vector>

#include "core/deadline.hpp"
#include "core/result.hpp"
#include "core/task.hpp"

namespace scalestyle::ports {

// What decides the bits of an embedding: two encoders with equal info give equal vectors.
struct EncoderInfo {
  std::string model;         // "bge-small-en-v1.5"
  std::string weights_hash;  // SHA-256 of the weights file, hex; empty when a remote server does not tell
  std::string precision;     // "f32" | "bf16" | "int8"
  std::size_t dimension = 0;
  std::size_t max_tokens = 0;  // longer texts are truncated

  friend bool operator==(const EncoderInfo&, const EncoderInfo&) = default;
};

struct EmbeddingBatch {
  std::size_t dimension = 0;
  std::vector<float> values;  // row-major [texts, dimension], each row of unit length
  std::size_t tokens = 0;     // work done, special tokens included
};

// Thread safety: every method may be called from any thread, concurrently.
class TextEncoder {
 public:
  virtual ~TextEncoder() = default;

  [[nodiscard]] virtual const EncoderInfo& info() const = 0;

  // Embeds `texts` as they are (the caller adds a model's query prefix). Result rows are in the order of `texts`; a
  // row does not depend on the other rows. An empty batch gives an empty result. Completes on the compute pool
  // (embedded) or the I/O loop (distributed); never blocks the caller.
  // Errors: kDeadlineExceeded, kCancelled, kResourceExhausted (queue full), kUnavailable (server away),
  // kInvalidArgument (text that is not UTF-8).
  [[nodiscard]] virtual core::Task<core::Result<EmbeddingBatch>> encode(std::vector<std::string> texts,
                                                                        core::Deadline deadline) = 0;
};

}  // namespace scalestyle::ports
