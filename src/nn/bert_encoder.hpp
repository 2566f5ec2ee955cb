#pragma once
// BERT sentence encoder (BGE, all-MiniLM): token ids in, one unit vector a text out, on our own kernels.
//
// Texts of a batch stand behind each other without padding, and no arithmetic crosses from one text to another or
// depends on the row a token happens to have: a text's vector is the same bytes alone, in any batch, with any thread
// count. With CLS pooling the last layer is computed for the CLS row only (keys and values for all).
// Sources: Devlin et al., arXiv 1810.04805; Xiao et al. (BGE), arXiv 2309.07597; Reimers and Gurevych, arXiv 1908.10084.
//
// Thread safety: a const encoder is shared by threads; each has its own Workspace. encode() starts no thread and, once
// its workspace has grown to the work seen, allocates nothing.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "nn/bert_batch.hpp"
#include "nn/precision.hpp"
#include "nn/team.hpp"

namespace scalestyle::nn {

enum class Pooling : std::uint8_t { kCls, kMean };
[[nodiscard]] std::string_view to_string(Pooling pooling);

struct EncoderOptions {
  Precision precision = Precision::kInt8;
  // Absent: as `1_Pooling/config.json` beside the weights says; an error where that file is missing too.
  std::optional<Pooling> pooling{};
  bool normalize = true;
  // SHA-256 of model.safetensors where the caller has verified the file; computed (and the file read) when empty.
  std::string weights_sha256{};
};

class BertModel;

class BertEncoder {
 public:
  using Workspace = BertWorkspace;

  // `model_dir` holds `config.json` and `model.safetensors`, hub style; parameter names with or without `bert.`.
  // Errors: kNotFound, kDataLoss, kUnsupported (another architecture or activation), naming file and key or tensor.
  [[nodiscard]] static core::Result<std::unique_ptr<const BertEncoder>> load(const std::filesystem::path& model_dir,
                                                                             const EncoderOptions& options);
  ~BertEncoder();
  BertEncoder(const BertEncoder&) = delete;
  BertEncoder& operator=(const BertEncoder&) = delete;

  // Writes dimension() floats a text, in the texts' order. Memory is bounded: long batches are computed in chunks.
  // Errors: kInvalidArgument for an empty text, one above max_tokens(), an id outside the vocabulary, or `out` of
  // another size than texts × dimension(); nothing is computed then.
  // With a team this thread leads it: helpers share the matrix products, to the same bits. The team is not closed.
  [[nodiscard]] core::Status encode(std::span<const TokenSequence> texts, std::span<float> out, Workspace& workspace,
                                    Team* team = nullptr) const;

  [[nodiscard]] std::size_t dimension() const;
  [[nodiscard]] std::size_t max_tokens() const;
  [[nodiscard]] std::size_t vocabulary_size() const;
  [[nodiscard]] Precision precision() const;
  [[nodiscard]] Pooling pooling() const;
  [[nodiscard]] const std::string& weights_hash() const;
  // Packed weights held in memory, without the mapped embedding table.
  [[nodiscard]] std::size_t weight_bytes() const;
  // Multiply-adds × 2 of all matrix products for one text of so many tokens: what benchmarks divide by.
  [[nodiscard]] double operations(std::size_t tokens) const;

 private:
  BertEncoder(std::unique_ptr<const BertModel> model, Pooling pooling, bool normalize);

  std::unique_ptr<const BertModel> model_;
  Pooling pooling_;
  bool normalize_;
};

}  // namespace scalestyle::nn
