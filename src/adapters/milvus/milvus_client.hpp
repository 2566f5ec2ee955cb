#pragma once
// MilvusClient: calls to a Milvus server (or cluster, through its proxy) over one gRPC channel. What the calls are is in
// milvus_client_impl.hpp, for the .cpp files of this folder alone.
//
// A call is sent at once and never blocks its caller; it ends at its deadline, which the server is told, and when its task is
// cancelled. Calls that may be repeated are, a few times, while the server is unavailable and the deadline allows it. The
// channel connects by itself, again after it broke. So many calls are under way at most; more are refused.
//
// gRPC keeps a few threads of its own; none of them runs our code.
// Thread safety: every method may be called from any thread. Tasks complete on the I/O thread (run()).

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "core/clock.hpp"
#include "core/deadline.hpp"
#include "core/result.hpp"
#include "core/task.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::adapters::milvus {

class MilvusClient {
 public:
  struct Options {
    std::string address = "127.0.0.1:19530";  // host:port
    bool tls = false;                         // certificate and host name are verified
    std::string ca_file{};                    // PEM; empty: the system's
    std::string username{};                   // with a password; empty: no user
    std::string password{};
    std::string token{};                      // an API key, instead of a user
    std::size_t max_calls = 256;              // under way at once; 1 … 10,000
    std::size_t max_message_bytes = std::size_t{64} << 20U;  // of an answer
    std::size_t attempts = 3;                      // of a call that may be repeated; 1 … 10
    std::chrono::milliseconds first_retry_delay{50};  // doubles with each attempt
    std::chrono::milliseconds call_timeout{10'000};   // of a call, within its deadline
    std::chrono::milliseconds keep_alive{20'000};     // a silent connection with calls under way is asked whether it lives

    // kInvalidArgument with the setting as field ("milvus_address", …).
    [[nodiscard]] core::Status validate() const;
  };
  struct Dependencies {
    const core::Clock& clock;
    telemetry::Metrics& metrics;
  };

  // Connects to nothing yet. Errors: those of validate(), kInvalidArgument for a CA file that cannot be read.
  [[nodiscard]] static core::Result<std::unique_ptr<MilvusClient>> create(Options options, Dependencies dependencies);
  ~MilvusClient();
  MilvusClient(const MilvusClient&) = delete;
  MilvusClient& operator=(const MilvusClient&) = delete;

  // The I/O thread's body: returns once stop() was called and all calls have ended. Once.
  void run();
  // Ends all calls (kCancelled); later ones end so at once. May be repeated.
  void stop();

  // What the server calls its version: for start-up checks and people. Errors: as every call's (milvus_status.hpp), and
  // kDeadlineExceeded, kCancelled, kResourceExhausted (too many calls under way).
  [[nodiscard]] core::Task<core::Result<std::string>> server_version(core::Deadline deadline);

  // Empty while calls are answered; else what is wrong, for readiness and people.
  [[nodiscard]] std::string trouble() const;

  struct Impl;
  [[nodiscard]] Impl& impl() { return *impl_; }

 private:
  explicit MilvusClient(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace scalestyle::adapters::milvus
