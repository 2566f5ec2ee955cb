#pragma once
// CLIP (ViT-B/32 and others of its shape; FashionCLIP): pictures and texts in, unit vectors of one space out, on our own
// kernels. A picture's and a text's dot product is their cosine.
//
// Tokens of a batch stand behind each other without padding, and no arithmetic crosses from one picture or text to another
// or depends on the row a token happens to have: a vector is the same bytes alone, in any batch, with any thread count.
// Source: Radford et al., arXiv 2103.00020.
//
// Thread safety: a const model is shared by threads; each has its own ClipWorkspace. Encoding starts no thread and, once
// its workspace has grown to the work seen, allocates nothing.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "core/result.hpp"
#include "nn/bert_batch.hpp"
#include "nn/precision.hpp"
#include "nn/team.hpp"

namespace scalestyle::nn {

struct ClipOptions {
  Precision precision = Precision::kF32;
  // SHA-256 of model.safetensors where the caller has verified the file; computed (and the file read) when empty.
  std::string weights_sha256{};
};

// Grows to the work seen and is reused, for pictures and for texts; serves any number of models, one after another. One
// thread at a time.
class ClipWorkspace {
 public:
  ClipWorkspace();
  ~ClipWorkspace();
  ClipWorkspace(ClipWorkspace&&) noexcept;
  ClipWorkspace& operator=(ClipWorkspace&&) noexcept;
  [[nodiscard]] std::size_t size_bytes() const;

 private:
  friend class ClipModel;
  struct State;
  std::unique_ptr<State> state_;
};

class ClipModel {
 public:
  // `model_dir` holds `config.json` and `model.safetensors`, hub style. Errors: kNotFound, kDataLoss, kUnsupported (another
  // architecture or activation), naming file and key or tensor.
  [[nodiscard]] static core::Result<std::unique_ptr<const ClipModel>> load(const std::filesystem::path& model_dir,
                                                                           const ClipOptions& options);
  ~ClipModel();
  ClipModel(const ClipModel&) = delete;
  ClipModel& operator=(const ClipModel&) = delete;

  // pixels: [n, 3, image_size(), image_size()], red, green and blue planes, scaled and normalised as the model's
  // preprocessor_config.json says; out: [n, dimension()]. Memory is bounded: long batches are computed in chunks.
  // Errors: kInvalidArgument for a size that does not fit or a pixel that is not finite, nothing is computed then;
  // kDataLoss when a vector is not finite: the weights are damaged.
  // With a team this thread leads it: helpers share the matrix products, to the same bits. The team is not closed.
  [[nodiscard]] core::Status encode_images(std::span<const float> pixels, std::span<float> out, ClipWorkspace& workspace,
                                           Team* team = nullptr) const;

  // Texts as token ids, start-of-text to end-of-text; what stands behind the first end-of-text token is padding and changes
  // nothing. out: [texts, dimension()]. Errors: kInvalidArgument for a text without end-of-text token, above max_tokens(),
  // with an id outside the vocabulary, or `out` of another size; nothing is computed then. kDataLoss as above.
  [[nodiscard]] core::Status encode_texts(std::span<const TokenSequence> texts, std::span<float> out,
                                          ClipWorkspace& workspace, Team* team = nullptr) const;

  [[nodiscard]] std::size_t dimension() const;
  [[nodiscard]] std::size_t image_size() const;  // width and height in pixels
  [[nodiscard]] std::size_t max_tokens() const;
  [[nodiscard]] std::size_t vocabulary_size() const;
  [[nodiscard]] std::int32_t end_token() const;
  [[nodiscard]] Precision precision() const;
  [[nodiscard]] const std::string& weights_hash() const;
  // Packed weights held in memory, without the mapped token table.
  [[nodiscard]] std::size_t weight_bytes() const;
  // Multiply-adds × 2 of all matrix products for one picture, and for one text of so many tokens: what benchmarks divide by.
  [[nodiscard]] double image_operations() const;
  [[nodiscard]] double text_operations(std::size_t tokens) const;

 private:
  struct Impl;
  explicit ClipModel(std::unique_ptr<const Impl> impl);

  std::unique_ptr<const Impl> impl_;
};

}  // namespace scalestyle::nn
