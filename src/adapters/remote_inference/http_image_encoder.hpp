#pragma once
// ImageEncoder behind HTTP: /embed_image of our own inference role. No server of others has such a route.
//
// What its vectors are is fixed when it is made, and endpoints are checked, as for HttpTextEncoder. Pictures go as Base64, a few a
// request. Thread safety: as the port.

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "adapters/remote_inference/http_text_encoder.hpp"
#include "ports/image_encoder.hpp"

namespace scalestyle::adapters::remote_inference {

class HttpImageEncoder final : public ports::ImageEncoder {
 public:
  struct Options {
    ModelServers servers{};
    ports::EncoderInfo expected{};  // model and dimension must be known
    std::size_t max_request_bytes = std::size_t{24} << 20U;  // of pictures in one request, before they are Base64; one larger goes alone
  };

  // The dependencies must outlive the encoder. Errors: kInvalidArgument for no server, or an expectation without model or dimension.
  [[nodiscard]] static core::Result<std::unique_ptr<HttpImageEncoder>> create(Options options, ModelClient::Dependencies dependencies);
  HttpImageEncoder(const HttpImageEncoder&) = delete;
  HttpImageEncoder& operator=(const HttpImageEncoder&) = delete;

  // Who the first of the servers that answers says it is.
  [[nodiscard]] static core::Task<core::Result<ports::EncoderInfo>> ask(Options options, ModelClient::Dependencies dependencies,
                                                                        core::Deadline deadline);

  [[nodiscard]] const ports::EncoderInfo& info() const override { return options_.expected; }
  [[nodiscard]] core::Task<core::Result<std::vector<core::Result<std::vector<float>>>>> encode_images(
      std::vector<ports::EncodedImage> images, core::Deadline deadline) override;
  [[nodiscard]] core::Task<core::Result<ports::EmbeddingBatch>> encode_texts(std::vector<std::string> texts,
                                                                             core::Deadline deadline) override;
  [[nodiscard]] core::Task<core::Status> connect(core::Deadline deadline) { return client_.connect(deadline); }
  [[nodiscard]] const EndpointPool& endpoints() const { return client_.endpoints(); }

 private:
  using Results = std::vector<core::Result<std::vector<float>>>;

  HttpImageEncoder(Options options, ModelClient::Dependencies dependencies);
  [[nodiscard]] core::Task<core::Result<RemoteInfo>> ask_endpoint(std::string url, core::Deadline deadline);
  [[nodiscard]] core::Task<core::Status> check_endpoint(std::string url, core::Deadline deadline);
  [[nodiscard]] core::Task<core::Result<Results>> send(std::string body, std::size_t count, core::Deadline deadline);

  Options options_;
  PinnedModel pinned_;
  std::atomic<std::size_t> batch_limit_;
  ModelClient client_;
};

}  // namespace scalestyle::adapters::remote_inference
