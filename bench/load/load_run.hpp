#pragma once
// One run of the load generator: closed loop (each client asks again when it has its answer) or open loop (requests
// start at fixed times whatever the server does, and wait counts: no coordinated omission).

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "http_connection.hpp"
#include "query_source.hpp"

namespace scalestyle::load {

struct LoadOptions {
  std::string host = "127.0.0.1";
  std::string port = "8080";
  std::string path_template = "/api/recommendation/search?query={query}&k=10";  // {query} is replaced, escaped
  std::size_t clients = 1;          // connections; in open loop the most there may be
  double rate = 0;                  // requests a second; 0: closed loop
  double duration_seconds = 10;
  std::uint64_t requests = 0;       // stop after so many counted ones; 0: duration alone
  std::uint64_t warmup_requests = 0;  // asked first, closed loop, and not counted
  double deadline_ms = 5000;        // an answer later than this after its request was sent is an error
  bool allow_remote = false;
  bool allow_empty = false;         // data: [] passes as a good answer

  [[nodiscard]] core::Status validate() const;
};

struct LoadReport {
  std::uint64_t answers = 0;   // counted requests that were answered well, degraded ones included
  std::uint64_t degraded = 0;
  std::uint64_t empty = 0;
  std::uint64_t errors = 0;
  std::map<std::string, std::uint64_t> error_kinds;
  std::vector<double> latencies_ms;  // of `answers`, ascending
  double elapsed_seconds = 0;
  double cpu_seconds = 0;            // this process, user and system
  double latest_start_ms = 0;        // open loop: how late a request started at worst

  [[nodiscard]] double percentile(double share) const;  // nearest rank; 0 without answers
};

// What is asked and how its answers are judged.
class Exchange {
 public:
  struct Verdict {
    std::string error{};  // empty: a good answer
    bool is_degraded = false;
    bool is_empty = false;
  };
  virtual ~Exchange() = default;
  // The next request, whole: head and body. Nothing: the run ends.
  [[nodiscard]] virtual std::optional<std::string> next_request() = 0;
  [[nodiscard]] virtual Verdict judge(const HttpAnswer& answer) = 0;
};

// What a search answer says. Looks at the text only: a parser would cost the CPU that is being measured.
struct AnswerCheck {
  bool is_success = false;
  bool is_degraded = false;
  bool has_data = false;
};
[[nodiscard]] AnswerCheck check_answer(std::string_view body);

// Runs on the calling thread until done. Errors: options, address not loopback (unless allowed), no connection at all.
[[nodiscard]] core::Result<LoadReport> run_load(const LoadOptions& options, QuerySource& queries);
[[nodiscard]] core::Result<LoadReport> run_load(const LoadOptions& options, Exchange& exchange);

// The user and system time of this process so far.
[[nodiscard]] double own_cpu_seconds();

// Nearest rank of ascending values; 0 of none.
[[nodiscard]] double percentile(const std::vector<double>& ascending, double share);

}  // namespace scalestyle::load
