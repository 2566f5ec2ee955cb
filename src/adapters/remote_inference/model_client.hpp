#pragma once
// ModelClient: calls to one model behind several equal servers: where each goes (EndpointPool), what its outcome says of the server,
// and whether it is sent once more to another.
//
// A call goes on with its deadline (X-Request-Timeout-Ms, and enforced here). It is sent again only to an endpoint that has not had
// it, within its deadline and the budget of retries: all calls of models are idempotent. A server that says it is full (429) is left
// for another in the same way, but does not count as failed. A wrong request (4xx) is nobody's failure and not sent again.
// Completes on the HTTP client's I/O thread. Thread safety: as the ports.

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "adapters/remote_inference/endpoint_pool.hpp"
#include "core/clock.hpp"
#include "core/result.hpp"
#include "core/task.hpp"
#include "ports/http_client.hpp"

namespace scalestyle::adapters::remote_inference {

struct ModelServers {
  std::vector<std::string> urls;              // "http://host:8000": what comes before /embed
  std::string api_key{};                      // sent as a bearer token; in no message
  EndpointOptions endpoints{};
  std::chrono::milliseconds check_timeout{2'000};  // for asking an endpoint who it is
  // A call that had less time than this says nothing about the server when it ends.
  std::chrono::milliseconds telling_timeout{50};
  std::uint64_t max_answer_bytes = std::uint64_t{64} << 20U;
};

class ModelClient {
 public:
  struct Dependencies {
    ports::HttpClient& http;
    const core::Clock& clock;
    telemetry::Metrics* metrics = nullptr;
    telemetry::Logger* log = nullptr;
  };
  struct Request {
    ports::HttpMethod method = ports::HttpMethod::kPost;
    std::string path;  // "/embed"
    std::string body{};
    std::chrono::milliseconds margin{0};  // of the time left, kept for the way back: not told to the server
  };
  // Reads an answer; an error is the server's failure.
  using Reader = std::function<core::Status(const ports::HttpResponse&)>;
  // Asks one endpoint who it is, with ask(). kFailedPrecondition: another model than wanted, which rejects it.
  using Check = std::function<core::Task<core::Status>(const std::string& url, core::Deadline deadline)>;

  // `name` labels metrics. `check` must live as long as this.
  ModelClient(std::string name, ModelServers servers, Dependencies dependencies, Check check);

  // Errors: kInvalidArgument (the server refuses the request), kResourceExhausted (all are full, or too many requests are under way),
  // kDeadlineExceeded, kCancelled, kUnavailable.
  [[nodiscard]] core::Task<core::Status> call(Request request, Reader read, core::Deadline deadline);

  // One request to one endpoint, with no account of it: for checks. Statuses that are no success are errors.
  [[nodiscard]] core::Task<core::Result<ports::HttpResponse>> ask(std::string url, Request request, core::Deadline deadline);

  // Checks every endpoint that has to be and may be now. An error when none serves afterwards: kUnavailable with the cause of each.
  [[nodiscard]] core::Task<core::Status> connect(core::Deadline deadline);

  [[nodiscard]] const EndpointPool& endpoints() const { return pool_; }
  [[nodiscard]] const core::Clock& clock() const { return use_.clock; }

 private:
  enum class Verdict { kAnswered, kRefused, kBusy, kFailed, kLate, kGone, kNotSent };

  [[nodiscard]] ports::HttpRequest http_request(const std::string& url, const Request& request, core::Deadline deadline) const;
  [[nodiscard]] core::Task<core::Status> check(EndpointPool::Lease& lease, core::Deadline deadline);
  [[nodiscard]] core::Task<core::Status> attempt(EndpointPool::Lease& lease, const Request& request, const Reader& read, core::Deadline deadline,
                                                 bool& another_may_help);
  [[nodiscard]] Verdict judge(const core::Result<ports::HttpResponse>& answer, std::chrono::nanoseconds given) const;
  [[nodiscard]] core::Error refusal(const std::string& url, const ports::HttpResponse& response) const;

  ModelServers servers_;
  Dependencies use_;
  Check check_;
  EndpointPool pool_;
};

}  // namespace scalestyle::adapters::remote_inference
