#include "adapters/remote_inference/model_client.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "adapters/remote_inference/model_answers.hpp"
#include "telemetry/trace.hpp"

namespace scalestyle::adapters::remote_inference {

using core::ErrorCode;

namespace {

ErrorCode code_of_status(int status) {
  switch (status) {
    case 400:
    case 413:
    case 415:
    case 422:
      return ErrorCode::kInvalidArgument;
    case 401:
    case 403:
      return ErrorCode::kPermissionDenied;
    case 429:
      return ErrorCode::kResourceExhausted;
    case 504:
      return ErrorCode::kDeadlineExceeded;
    default:
      return ErrorCode::kUnavailable;
  }
}

// Of the time left, kept for an answer's way back.
constexpr int kWayBackShare = 20;
constexpr std::chrono::milliseconds kLeastWayBack{2};

bool is_success(int status) { return status >= 200 && status < 300; }

// What the server may carry on (W3C Trace Context).
void send_along(const telemetry::ActiveSpan& span, std::vector<ports::HttpHeader>& headers) {
  std::string parent = span.traceparent();
  if (parent.empty()) return;
  headers.push_back({"traceparent", std::move(parent)});
  if (!span.tracestate().empty()) headers.push_back({"tracestate", std::string(span.tracestate())});
}

void note_answer(const core::Result<ports::HttpResponse>& answer, telemetry::ActiveSpan& span) {
  span.note(answer);
  if (!answer) return;
  span.set("http.response.status_code", std::int64_t{answer->status});
  if (!is_success(answer->status)) span.fail({});
}

}  // namespace

ModelClient::ModelClient(std::string name, ModelServers servers, Dependencies dependencies, Check check)
    : servers_(std::move(servers)),
      use_(dependencies),
      check_(std::move(check)),
      pool_(std::move(name), servers_.urls, servers_.endpoints, {.clock = use_.clock, .metrics = use_.metrics, .log = use_.log}) {
}

ports::HttpRequest ModelClient::http_request(const std::string& url, const Request& request, core::Deadline deadline) const {
  ports::HttpRequest http;
  http.method = request.method;
  http.url = url + request.path;
  http.headers.push_back({"Accept", "application/json"});
  if (request.method == ports::HttpMethod::kPost) http.headers.push_back({"Content-Type", "application/json"});
  if (!deadline.is_never()) {
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline.remaining(use_.clock));
    left -= std::max(left / kWayBackShare, kLeastWayBack);
    http.headers.push_back({"X-Request-Timeout-Ms", std::to_string(std::clamp<std::int64_t>(left.count(), 1, 300'000))});
  }
  http.body = request.body;
  http.bearer_token = servers_.api_key;
  http.max_body_bytes = servers_.max_answer_bytes;
  http.allow_plain_http = url.starts_with("http://");
  return http;
}

// The server's words may hold the key that it was given.
core::Error ModelClient::refusal(const std::string& url, const ports::HttpResponse& response) const {
  std::string reason = refusal_text(response.body);
  if (!servers_.api_key.empty() && reason.find(servers_.api_key) != std::string::npos) reason = "for a reason that holds the key";
  std::string message = fmt::format("{}: answered {}", url, response.status);
  if (!reason.empty()) message += " (" + reason + ")";
  return core::fail(code_of_status(response.status), std::move(message)).error();
}

ModelClient::Verdict ModelClient::judge(const core::Result<ports::HttpResponse>& answer, std::chrono::nanoseconds given,
                                        core::Deadline deadline) const {
  if (answer) {
    if (is_success(answer->status)) return Verdict::kAnswered;
    switch (code_of_status(answer->status)) {
      case ErrorCode::kInvalidArgument:
        return Verdict::kRefused;
      case ErrorCode::kResourceExhausted:
        return Verdict::kBusy;
      // Said although there was time: by a proxy before a server that hangs.
      case ErrorCode::kDeadlineExceeded:
        return deadline.remaining(use_.clock) < servers_.telling_timeout ? Verdict::kLate : Verdict::kFailed;
      default:
        return Verdict::kFailed;
    }
  }
  switch (answer.error().code) {
    case ErrorCode::kCancelled:
      return Verdict::kGone;
    case ErrorCode::kDeadlineExceeded:
      return given < servers_.telling_timeout ? Verdict::kLate : Verdict::kFailed;
    case ErrorCode::kInvalidArgument:
      return Verdict::kNotSent;
    // Too many requests of our own, or an answer larger than any that is right.
    case ErrorCode::kResourceExhausted:
      return answer.error().field == "requests" ? Verdict::kNotSent : Verdict::kFailed;
    default:
      return Verdict::kFailed;
  }
}

core::Task<core::Result<ports::HttpResponse>> ModelClient::ask(std::string url, Request request, core::Deadline deadline) {
  ports::HttpRequest http = http_request(url, request, deadline);
  core::Result<ports::HttpResponse> answer = co_await use_.http.send(std::move(http), deadline);
  if (answer && !is_success(answer->status)) co_return std::unexpected(refusal(url + request.path, *answer));
  co_return answer;
}

core::Task<core::Status> ModelClient::check(EndpointPool::Lease& lease, core::Deadline deadline) {
  const core::Deadline limit = deadline.within(servers_.check_timeout, use_.clock);
  const std::chrono::nanoseconds given = limit.remaining(use_.clock);
  core::Task<core::Status> checking = check_(lease.url(), limit);
  core::Status outcome = co_await std::move(checking);
  if (outcome) {
    lease.checked();
    co_return outcome;
  }
  const core::Error& error = outcome.error();
  if (error.code == ErrorCode::kCancelled || (error.code == ErrorCode::kDeadlineExceeded && given < servers_.telling_timeout)) {
    lease.abandon();
  } else if (error.code == ErrorCode::kFailedPrecondition) {
    lease.reject(error.message);
  } else {
    lease.fail(error.message);
  }
  co_return outcome;
}

// Ends the lease.
core::Task<core::Status> ModelClient::attempt(EndpointPool::Lease& lease, const Request& request, const Reader& read,
                                              core::Deadline deadline, bool& another_may_help) {
  const std::string url = lease.url() + request.path;
  const std::chrono::nanoseconds given = deadline.remaining(use_.clock);
  ports::HttpRequest http = http_request(lease.url(), request, deadline);
  const std::shared_ptr<core::TaskContext> context = co_await core::current_context();
  telemetry::ActiveSpan span(context, request.path, telemetry::SpanKind::kClient);
  span.set("url.full", std::string_view(url));
  send_along(span, http.headers);
  const core::Result<ports::HttpResponse> answer = co_await use_.http.send(std::move(http), deadline);
  note_answer(answer, span);
  span.end();
  const Verdict verdict = judge(answer, given, deadline);
  core::Status outcome;
  if (verdict == Verdict::kAnswered) {
    outcome = read(*answer);
    if (outcome) {
      lease.succeed();
      co_return outcome;
    }
    outcome = core::fail(ErrorCode::kUnavailable, fmt::format("{}: {}", url, outcome.error().message));
    lease.fail(outcome.error().message);
    another_may_help = true;
    co_return outcome;
  }
  outcome = answer ? core::Status(std::unexpected(refusal(url, *answer))) : core::Status(std::unexpected(answer.error()));
  another_may_help = verdict == Verdict::kBusy || verdict == Verdict::kFailed;
  switch (verdict) {
    case Verdict::kRefused:
    case Verdict::kBusy:
      lease.succeed();
      break;
    case Verdict::kFailed:
      lease.fail(outcome.error().message);
      break;
    default:
      lease.abandon();
      break;
  }
  co_return outcome;
}

core::Task<core::Status> ModelClient::call(Request request, Reader read, core::Deadline deadline) {
  pool_.count_call();
  std::vector<std::size_t> tried;
  core::Status last;
  while (true) {
    std::optional<EndpointPool::Lease> lease = pool_.acquire(tried);
    if (!lease) {
      if (!last) co_return last;
      co_return core::fail(ErrorCode::kUnavailable, "no inference endpoint serves: " + pool_.trouble());
    }
    tried.push_back(lease->index());
    if (lease->must_check()) {
      last = co_await check(*lease, deadline);
      if (!last) {
        if (last.error().code == ErrorCode::kCancelled) co_return last;
        if (deadline.expired(use_.clock)) co_return core::fail(ErrorCode::kDeadlineExceeded, last.error().message);
        if (last.error().code == ErrorCode::kFailedPrecondition) last.error().code = ErrorCode::kUnavailable;
        continue;  // nothing of the call was sent: going on to another costs no retry
      }
    }
    bool another_may_help = false;
    last = co_await attempt(*lease, request, read, deadline, another_may_help);
    if (last || !another_may_help || deadline.expired(use_.clock)) co_return last;
    if (tried.size() == pool_.size() || !pool_.take_retry()) co_return last;
  }
}

core::Task<core::Status> ModelClient::connect(core::Deadline deadline) {
  std::vector<std::size_t> tried;
  while (true) {
    std::optional<EndpointPool::Lease> lease = pool_.acquire_unchecked(tried);
    if (!lease) break;
    tried.push_back(lease->index());
    const core::Status outcome = co_await check(*lease, deadline);
    if (!outcome && outcome.error().code == ErrorCode::kCancelled) co_return outcome;
  }
  if (pool_.any_serving()) co_return core::Status();
  co_return core::fail(ErrorCode::kUnavailable, "no inference endpoint serves: " + pool_.trouble());
}

}  // namespace scalestyle::adapters::remote_inference
