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
  double refusal_pause_ms = 0;      // closed loop: a client that was refused waits so long before it asks again
  std::uint64_t server_pid = 0;     // the process whose processor time is reported; 0: nobody's

  [[nodiscard]] core::Status validate() const;
};

// Of requests of one kind.
struct KindReport {
  std::uint64_t answers = 0;        // answered well, degraded ones included
  std::uint64_t degraded = 0;
  std::uint64_t refused = 0;        // told to come back later; neither answers nor errors
  std::uint64_t errors = 0;
  std::uint64_t reranked = 0;       // answers whose list a cross-encoder judged, however deep
  std::uint64_t fully_reranked = 0;  // as deep as was planned for them
  std::uint64_t rerank_depth = 0;   // rows judged, of all answers together
  std::map<std::string, std::uint64_t> reasons;  // of degraded answers; one may have several
  std::map<std::string, std::uint64_t> error_kinds;
  // Ascending. A degraded answer is quicker than a whole one: the two are not to be mixed.
  std::vector<double> latencies_ms;  // of answers that were not degraded
  std::vector<double> degraded_ms;   // of those that were
};

struct LoadReport {
  std::uint64_t answers = 0;   // counted requests that were answered well, degraded ones included
  std::uint64_t degraded = 0;
  std::uint64_t empty = 0;
  std::uint64_t errors = 0;
  std::uint64_t refused = 0;
  std::map<std::string, std::uint64_t> error_kinds;
  std::vector<double> latencies_ms;  // of `answers`, ascending
  std::vector<KindReport> kinds;     // one a kind of the exchange's; the same requests again
  double elapsed_seconds = 0;
  double cpu_seconds = 0;            // this process, user and system
  double server_cpu_seconds = 0;     // of LoadOptions::server_pid, in the same time; 0 without one
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
    bool is_refused = false;              // then nothing else counts
    std::vector<std::string> reasons{};   // of degradation
    std::uint64_t reranked = 0;           // rows
    bool is_fully_reranked = false;
  };
  virtual ~Exchange() = default;
  // The next request, whole: head and body. Nothing: the run ends.
  [[nodiscard]] virtual std::optional<std::string> next_request() = 0;
  // `kind` is that of the request.
  [[nodiscard]] virtual Verdict judge(const HttpAnswer& answer, std::size_t kind) = 0;

  // Requests are of so many kinds, which are counted by themselves.
  [[nodiscard]] virtual std::size_t kinds() const { return 1; }
  // Of the last request that was given: below kinds().
  [[nodiscard]] virtual std::size_t last_kind() const { return 0; }
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

// The user and system time of another process so far. kNotFound where there is none.
[[nodiscard]] core::Result<double> cpu_seconds_of(std::uint64_t pid);

// The user and system time of this process so far.
[[nodiscard]] double own_cpu_seconds();

// Nearest rank of ascending values; 0 of none.
[[nodiscard]] double percentile(const std::vector<double>& ascending, double share);

}  // namespace scalestyle::load
