#pragma once
// Cross-encoder: query and document as one input, one relevance logit out, on our own kernels.
//
//   "bert" (ms-marco-MiniLM-L-6-v2):    tanh(bert.pooler.dense(h[CLS])), then classifier
//   "xlm-roberta" (bge-reranker-base):  tanh(classifier.dense(h[<s>])), then classifier.out_proj
//
// The layers are those of BertEncoder, with its promises: pairs of a batch stand behind each other without padding, the
// last layer is computed for the first row only, and a pair's logit is the same bits alone, in any batch, with any
// thread count. The head is computed in f32 in every precision.
// Sources: Nogueira and Cho, arXiv 1901.04085; Conneau et al. (XLM-R), arXiv 1911.02116; Xiao et al. (BGE), arXiv 2309.07597.
//
// Thread safety: a const scorer is shared by threads; each has its own Workspace. score() starts no thread and, once its
// workspace has grown to the work seen, allocates nothing.

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "core/result.hpp"
#include "nn/bert_batch.hpp"
#include "nn/bert_config.hpp"
#include "nn/precision.hpp"
#include "nn/team.hpp"

namespace scalestyle::nn {

struct CrossEncoderOptions {
  Precision precision = Precision::kInt8;
  // SHA-256 of model.safetensors where the caller has verified the file; computed (and the file read) when empty.
  std::string weights_sha256{};
};

// The logit on the scale (0, 1] on which scores are boosted and compared: its sigmoid, for models of either activation.
// Never falls as the logit rises; from about 8 on neighbouring logits share a float, and the logit alone tells the order.
[[nodiscard]] float calibrated_score(float logit);

class CrossEncoder {
 public:
  using Workspace = BertWorkspace;

  // `model_dir` holds `config.json` and `model.safetensors`, hub style. Errors: kNotFound, kDataLoss, kUnsupported
  // (another architecture, activation, or several labels), naming file and key or tensor.
  [[nodiscard]] static core::Result<std::unique_ptr<const CrossEncoder>> load(const std::filesystem::path& model_dir,
                                                                              const CrossEncoderOptions& options);
  ~CrossEncoder();
  CrossEncoder(const CrossEncoder&) = delete;
  CrossEncoder& operator=(const CrossEncoder&) = delete;

  // Writes one logit a pair, in the pairs' order. Memory is bounded: long batches are computed in chunks.
  // Errors: kInvalidArgument for an empty pair, one above max_tokens(), an id or a segment the model does not have, or
  // `logits` of another size; nothing is computed then. kDataLoss when a logit is not a number.
  // With a team this thread leads it: helpers share the matrix products, to the same bits. The team is not closed.
  [[nodiscard]] core::Status score(std::span<const TokenInput> pairs, std::span<float> logits, Workspace& workspace,
                                   Team* team = nullptr) const;

  [[nodiscard]] BertType type() const;
  [[nodiscard]] ScoreActivation activation() const;
  [[nodiscard]] std::size_t max_tokens() const;
  [[nodiscard]] std::size_t vocabulary_size() const;
  [[nodiscard]] Precision precision() const;
  [[nodiscard]] const std::string& weights_hash() const;
  // Packed weights held in memory, without the mapped embedding table.
  [[nodiscard]] std::size_t weight_bytes() const;
  // Multiply-adds × 2 of the layers' matrix products for one pair of so many tokens: what benchmarks divide by.
  [[nodiscard]] double operations(std::size_t tokens) const;

 private:
  struct Impl;
  explicit CrossEncoder(std::unique_ptr<const Impl> impl);
  std::unique_ptr<const Impl> impl_;
};

}  // namespace scalestyle::nn
