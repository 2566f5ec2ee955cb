#pragma once
// The models behind HTTP that the settings name: `inference_url`, `rerank_url`, `vision_url`. Their connections and their thread;
// and a look, every second, at servers that were away.

#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "adapters/embedded/http_client_curl.hpp"
#include "adapters/remote_inference/http_image_encoder.hpp"
#include "adapters/remote_inference/http_pair_scorer.hpp"
#include "adapters/remote_inference/http_text_encoder.hpp"
#include "core/clock.hpp"
#include "core/result.hpp"
#include "core/settings.hpp"
#include "core/task.hpp"
#include "core/timer_queue.hpp"
#include "guard_stack.hpp"
#include "http/dependency_state.hpp"
#include "telemetry/log.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::app {

// `names` and the settings of models behind HTTP.
[[nodiscard]] std::vector<std::string> with_inference_settings(std::vector<std::string> names);

class InferenceStack {
 public:
  struct Dependencies {
    core::TimerQueue& timers;
    const core::Clock& clock;
    telemetry::Metrics& metrics;
    telemetry::Logger* log = nullptr;
    GuardStack* guards = nullptr;  // of calls during searches; null: nothing guards them
  };

  // Starts the thread of the connections where a setting names a server, and asks all servers who they are, without waiting for
  // their answers; else there is nothing.
  // kInvalidArgument with the setting as field.
  [[nodiscard]] static core::Result<std::unique_ptr<InferenceStack>> open(const core::Settings& settings,
                                                                          Dependencies dependencies);
  InferenceStack(const InferenceStack&) = delete;
  InferenceStack& operator=(const InferenceStack&) = delete;
  ~InferenceStack() { stop(); }

  [[nodiscard]] bool has_texts() const { return !texts_.urls.empty(); }
  [[nodiscard]] bool has_pairs() const { return !pairs_.urls.empty(); }
  [[nodiscard]] bool has_pictures() const { return !pictures_.urls.empty(); }

  // The encoder of the `model` setting, for queries against vectors of `generation` (where that is known). A server that answers
  // within two seconds of open() tells what its vectors are; without one they are those of the generation, and no server of another model
  // or other weights is used when it comes.
  [[nodiscard]] core::Result<std::unique_ptr<adapters::remote_inference::HttpTextEncoder>> text_encoder(
      const std::string& precision, const std::optional<ports::EncoderInfo>& generation);
  // One whose vectors are kept with those that `documents` made: exactly that model, weights and precision. No server is looked
  // for before it is needed.
  [[nodiscard]] core::Result<std::unique_ptr<adapters::remote_inference::HttpTextEncoder>> document_encoder(
      const ports::EncoderInfo& documents);
  // The scorer of the `reranker` setting, which is not "none". Null where nobody asked for one and the servers that answer in time
  // have none: then lists are not reranked, which is no failure.
  [[nodiscard]] core::Result<std::unique_ptr<adapters::remote_inference::HttpPairScorer>> pair_scorer();
  // The encoder of the `vision_model` setting, as text_encoder(). Where neither a server nor the generation tells what its
  // vectors are: kUnavailable.
  [[nodiscard]] core::Result<std::unique_ptr<adapters::remote_inference::HttpImageEncoder>> image_encoder(
      const std::optional<ports::EncoderInfo>& generation);

  // The breakers of calls during searches; null where there are none.
  [[nodiscard]] GuardStack* guards() const { return use_.guards; }

  // Begins to look after servers that are away. The models made here must live until stop().
  void watch();
  // Ends calls in progress (kCancelled), the looking and the thread. May be repeated. Before the timers' thread ends.
  void stop();

  // Whether each model's servers serve, for /ready; must not wait.
  [[nodiscard]] std::vector<http::DependencyState> states() const;

 private:
  using Connect = std::function<core::Task<core::Status>(core::Deadline)>;
  struct Watched {
    std::string name;
    const adapters::remote_inference::EndpointPool* endpoints = nullptr;
    Connect connect;
    bool is_running = false;
  };

  InferenceStack(const core::Settings& settings, Dependencies dependencies) : settings_(settings), use_(dependencies) {}
  [[nodiscard]] adapters::remote_inference::ModelClient::Dependencies client() const;
  [[nodiscard]] core::Result<adapters::remote_inference::HttpTextEncoder::Options> text_options(const std::string& precision) const;
  [[nodiscard]] adapters::remote_inference::HttpPairScorer::Options pair_options() const;
  [[nodiscard]] core::Status ask_all();
  void look();
  void arm();
  template <class Model>
  void keep_watch(std::string name, Model& model) {
    watched_.push_back({.name = std::move(name), .endpoints = &model.endpoints(), .connect = [&model](core::Deadline deadline) {
                          return model.connect(deadline);
                        }});
  }

  const core::Settings& settings_;  // while models are made
  Dependencies use_;
  adapters::remote_inference::ModelServers texts_;
  adapters::remote_inference::ModelServers pairs_;
  adapters::remote_inference::ModelServers pictures_;
  adapters::remote_inference::InferenceApiKind api_ = adapters::remote_inference::InferenceApiKind::kTei;
  std::unique_ptr<adapters::HttpClientCurl> http_;  // null without a server
  std::jthread io_;
  // What servers say that they are; without a value where there is none of them.
  std::shared_future<core::Result<ports::EncoderInfo>> told_of_texts_;
  std::shared_future<core::Result<ports::ScorerInfo>> told_of_pairs_;
  std::shared_future<core::Result<ports::EncoderInfo>> told_of_pictures_;
  std::vector<Watched> watched_;  // does not grow once watch() was called
  mutable std::mutex mutex_;
  bool stopping_ = false;  // guarded by mutex_, as is what runs
};

}  // namespace scalestyle::app
