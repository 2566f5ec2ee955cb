#pragma once
// PairScorer behind HTTP: /rerank of our own inference role or of a text-embeddings-inference server, asked for raw scores.
//
// Texts go in slices, the first ones first, each a fraction of a second of work: what a deadline leaves is a prefix. Our own role scores
// as much of a slice as its time allows and says so (X-Partial); of other servers a slice that is late is lost. Equal texts are sent
// once. As for HttpTextEncoder, an endpoint is asked who it is first, and all must have the same weights and precision.
// Thread safety: as the port.

#include <atomic>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "adapters/remote_inference/http_text_encoder.hpp"
#include "ports/pair_scorer.hpp"

namespace scalestyle::adapters::remote_inference {

class HttpPairScorer final : public ports::PairScorer {
 public:
  struct Options {
    ModelServers servers{};
    ports::ScorerInfo expected{};  // the model must be known; the rest as far as it is
    std::string server_model{};    // what the server calls it; empty: expected.model, with any maker's name before it
    double slice_seconds = 0.1;    // of work at the rate of late
  };

  // The dependencies must outlive the scorer. Errors: kInvalidArgument for no server, or an expectation without a model.
  [[nodiscard]] static core::Result<std::unique_ptr<HttpPairScorer>> create(Options options, ModelClient::Dependencies dependencies);
  HttpPairScorer(const HttpPairScorer&) = delete;
  HttpPairScorer& operator=(const HttpPairScorer&) = delete;

  // Who the first of the servers that answers says it is.
  [[nodiscard]] static core::Task<core::Result<ports::ScorerInfo>> ask(Options options, ModelClient::Dependencies dependencies,
                                                                       core::Deadline deadline);

  [[nodiscard]] const ports::ScorerInfo& info() const override { return options_.expected; }
  [[nodiscard]] double tokens_per_second() const override { return rate_.load(); }
  [[nodiscard]] core::Task<core::Result<ports::PairScores>> score(std::string query, std::vector<std::string> texts,
                                                                  core::Deadline deadline) override;
  [[nodiscard]] core::Task<core::Status> connect(core::Deadline deadline) { return client_.connect(deadline); }
  [[nodiscard]] const EndpointPool& endpoints() const { return client_.endpoints(); }

 private:
  struct Slice;

  HttpPairScorer(Options options, ModelClient::Dependencies dependencies);
  [[nodiscard]] core::Task<core::Result<RemoteInfo>> ask_endpoint(std::string url, core::Deadline deadline);
  [[nodiscard]] core::Task<core::Status> check_endpoint(std::string url, core::Deadline deadline);
  [[nodiscard]] std::size_t slice_size(std::size_t query_bytes, std::span<const std::string> texts) const;
  [[nodiscard]] core::Task<core::Status> score_slice(const std::string& query, Slice& slice, core::Deadline deadline);
  void note_rate(const Slice& slice, double seconds);

  Options options_;
  PinnedModel pinned_;
  std::atomic<std::size_t> batch_limit_;
  std::atomic<double> rate_{0};
  ModelClient client_;
};

}  // namespace scalestyle::adapters::remote_inference
