#pragma once
// The language model of the settings, wired: in this process or any OpenAI-compatible server, and the reasons that it words.

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/result.hpp"
#include "core/settings.hpp"
#include "core/timer_queue.hpp"
#include "ports/http_client.hpp"
#include "ports/text_generator.hpp"
#include "runtime.hpp"
#include "search/reason_service.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::app {

// `names` and the settings of generation.
[[nodiscard]] std::vector<std::string> with_generation_settings(std::vector<std::string> names);

// kInvalidArgument with the setting as field.
[[nodiscard]] core::Result<search::ReasonOptions> reason_options(const core::Settings& settings);

// The language model of the settings in this process; loading blocks. Errors: as GeneratorStack::open().
[[nodiscard]] core::Result<std::unique_ptr<ports::TextGenerator>> load_generator(const core::Settings& settings, Compute& compute);

class GeneratorStack {
 public:
  // Nothing is loaded where generation_enabled is false. Loading blocks.
  // Errors: a model that is missing or damaged, naming the command that fetches it, or larger than the memory that is left;
  // an address that cannot be one; kInvalidArgument.
  [[nodiscard]] static core::Result<std::unique_ptr<GeneratorStack>> open(const core::Settings& settings, Compute& compute,
                                                                          core::TimerQueue& timers, telemetry::Metrics& metrics);
  GeneratorStack(const GeneratorStack&) = delete;
  GeneratorStack& operator=(const GeneratorStack&) = delete;
  ~GeneratorStack() { stop_thread(); }

  // Null where generation is off.
  [[nodiscard]] search::ReasonService* reasons() { return reasons_.get(); }

  // Ends the thread of a server's connections; generations in progress end with kCancelled. Once no more are begun.
  void stop_thread() { io_ = {}; }

 private:
  GeneratorStack() = default;
  [[nodiscard]] core::Status open_server(const core::Settings& settings, Compute& compute);

  std::unique_ptr<ports::HttpClient> client_;  // null: in this process
  std::unique_ptr<ports::TextGenerator> generator_;
  std::unique_ptr<search::ReasonService> reasons_;
  std::jthread io_;  // of client_
};

}  // namespace scalestyle::app
