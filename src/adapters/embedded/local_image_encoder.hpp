#pragma once
// ImageEncoder in this process: decoding, preprocessing and both towers of CLIP on the compute pool.
// Special tokens written in a text are plain words. A picture's vector does not depend on the others of its batch, nor on
// the number of threads. Thread safety: as the port.

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/worker_pool.hpp"
#include "nn/precision.hpp"
#include "ports/image_encoder.hpp"

namespace scalestyle::nn {
class Team;
}

namespace scalestyle::adapters::embedded {

class LocalImageEncoder final : public ports::ImageEncoder {
 public:
  struct Options {
    // config.json, model.safetensors, preprocessor_config.json and the tokenizer's files.
    std::filesystem::path model_dir;
    std::string model_name;
    nn::Precision precision = nn::Precision::kF32;
    std::string weights_sha256{};  // of model.safetensors where the caller has verified the file; computed when empty
  };

  // Loads model, tokenizer and preprocessing (blocking). `pool` and `clock` must outlive the encoder.
  // Errors: those of nn::ClipModel::load, text::ClipTokenizer::load and image::read_clip_preprocessing;
  // kFailedPrecondition when their vocabularies or picture sizes differ.
  [[nodiscard]] static core::Result<std::unique_ptr<LocalImageEncoder>> create(const Options& options, core::WorkerPool& pool,
                                                                               const core::Clock& clock);
  ~LocalImageEncoder() override;

  [[nodiscard]] const ports::EncoderInfo& info() const override { return info_; }
  [[nodiscard]] core::Task<core::Result<std::vector<core::Result<std::vector<float>>>>> encode_images(
      std::vector<ports::EncodedImage> images, core::Deadline deadline) override;
  [[nodiscard]] core::Task<core::Result<ports::EmbeddingBatch>> encode_texts(std::vector<std::string> texts,
                                                                             core::Deadline deadline) override;

  [[nodiscard]] std::size_t weight_bytes() const;

 private:
  struct Parts;  // model, tokenizer, preprocessing, idle workspaces
  LocalImageEncoder(std::unique_ptr<Parts> parts, ports::EncoderInfo info, core::WorkerPool& pool, const core::Clock& clock);

  // Embeds pictures on this thread, in order; the error is of the batch.
  [[nodiscard]] core::Status encode_piece(std::span<const ports::EncodedImage> images,
                                          std::span<core::Result<std::vector<float>>> results, core::Deadline deadline,
                                          nn::Team* team);

  std::unique_ptr<Parts> parts_;
  ports::EncoderInfo info_;
  core::WorkerPool& pool_;
  const core::Clock& clock_;
};

}  // namespace scalestyle::adapters::embedded
