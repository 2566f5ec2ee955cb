#pragma once
// What serve, evaluate and ingest share: the clock, the compute threads, the encoder.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "adapters/embedded/local_text_encoder.hpp"
#include "core/clock.hpp"
#include "core/result.hpp"
#include "core/settings.hpp"
#include "core/worker_pool.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::app {

// The lanes of a server's computing, the most urgent first. Each is a pool with as many threads as there are processors to
// compute on; the threads of a later lane have a smaller claim on these. So the kernel takes a processor away from a later
// lane, in the middle of whatever that computes, as soon as an earlier one has work, and gives it back after that.
enum class Lane : std::uint8_t {
  kQuery,       // what every search does: its text embedded, scans, words, ranking, pages
  kPicture,     // pictures embedded
  kRerank,      // cross-encoders; texts written by a language model
  kBackground,  // texts of changed articles embedded, generations read
};
inline constexpr std::size_t kLanes = 4;

// How nice a thread of the lane is to others: nice(2), 0 … 19.
[[nodiscard]] int niceness(Lane lane);
// This thread's claim on processors becomes that of a lane; it cannot be raised again.
void be_nice(Lane lane);

// The pools and their threads: started here, joined at the end of the scope.
class Compute {
 public:
  // Without `with_lanes`, one pool is every lane.
  explicit Compute(std::size_t threads, bool with_lanes = false);
  Compute(const Compute&) = delete;
  Compute& operator=(const Compute&) = delete;
  ~Compute();

  // Finishes what is queued and joins the threads; once.
  void stop();

  [[nodiscard]] core::WorkerPool& pool(Lane lane = Lane::kQuery);
  [[nodiscard]] bool has_lanes() const { return lanes_.size() > 1; }
  // Jobs that wait for a thread, in all lanes.
  [[nodiscard]] std::size_t queued() const;
  [[nodiscard]] const core::Clock& clock() const { return clock_; }

 private:
  struct Pool {
    std::unique_ptr<core::WorkerPool> pool;
    std::vector<std::thread> threads;
  };
  core::SystemClock clock_;
  std::vector<Pool> lanes_;  // one, or kLanes
};

// The jobs that wait for a thread, whenever `metrics` are rendered. `compute` outlives the last render.
void show_pool(telemetry::Metrics& metrics, Compute& compute);

// `compute_threads`, or one a core this process may run on.
[[nodiscard]] std::size_t compute_threads(const core::Settings& settings);

// Applies the `isa` setting.
[[nodiscard]] core::Status choose_kernels(const core::Settings& settings);

// The encoder of the `model` setting in the given precision, computing in `lane`; verifies the weights against the model manifest.
[[nodiscard]] core::Result<std::unique_ptr<adapters::embedded::LocalTextEncoder>> load_encoder(
    const core::Settings& settings, const std::string& precision, Compute& compute, Lane lane = Lane::kQuery);

// The instruction that the model's card puts before queries, where the `query_prefix` setting wants it; else empty.
[[nodiscard]] core::Result<std::string> query_prefix(const core::Settings& settings);

// That instruction whatever the setting, for who asks for it by name; empty where the card has none.
[[nodiscard]] core::Result<std::string> model_query_prompt(const core::Settings& settings);
// How the `model` makes one vector of its tokens': "cls", "mean".
[[nodiscard]] core::Result<std::string> text_pooling(const core::Settings& settings);
// What vectors of the `model` setting in that precision are, without loading it: but for the hash of its weights, which is empty.
[[nodiscard]] core::Result<ports::EncoderInfo> text_model_info(const core::Settings& settings, const std::string& precision);

// The `data` setting; kInvalidArgument when it is not set.
[[nodiscard]] core::Result<std::filesystem::path> data_folder(const core::Settings& settings);

}  // namespace scalestyle::app
