#include "adapters/remote_inference/http_text_generator.hpp"

#include <fmt/format.h>

#include <utility>

#include "adapters/remote_inference/chat_stream.hpp"
#include "adapters/remote_inference/server_address.hpp"
#include "adapters/remote_inference/server_sent_events.hpp"
#include "telemetry/trace.hpp"

namespace scalestyle::adapters::remote_inference {

using core::ErrorCode;

namespace {

// One of the texts that may be under way, as long as it lives.
class Admission {
 public:
  Admission(std::atomic<std::size_t>& running, std::size_t most) : running_(running) {
    admitted_ = running_.fetch_add(1) < most;
  }
  Admission(const Admission&) = delete;
  Admission& operator=(const Admission&) = delete;
  ~Admission() { running_.fetch_sub(1); }
  [[nodiscard]] bool admitted() const { return admitted_; }

 private:
  std::atomic<std::size_t>& running_;
  bool admitted_ = false;
};

class ChatSink final : public ports::HttpBodySink {
 public:
  ChatSink(const std::function<bool(std::string_view)>& on_piece, std::string_view api_key)
      : chat_(on_piece), api_key_(api_key) {}

  core::Status begin(const ports::HttpResponse& head) override {
    const std::string_view type = head.header("Content-Type");
    if (type.starts_with("text/event-stream")) return {};
    return core::fail(ErrorCode::kUnavailable, fmt::format("the server answered with '{}', not with an event stream",
                                                           type.substr(0, 80)));
  }
  core::Status write(std::span<const std::byte> piece) override {
    const std::string_view bytes(static_cast<const char*>(static_cast<const void*>(piece.data())), piece.size());
    return events_.push(bytes, [this](const ServerSentEvent& event) { return take(event); });
  }
  [[nodiscard]] const ChatStream& chat() const { return chat_; }

 private:
  core::Status take(const ServerSentEvent& event) {
    core::Status outcome = chat_.take(event.data);
    const bool tells_key = !api_key_.empty() && event.data.find(api_key_) != std::string_view::npos;
    if (!outcome && tells_key) outcome.error().message = "the server failed while it answered, for a reason that holds the key";
    return outcome;
  }

  ServerSentEvents events_;
  ChatStream chat_;
  std::string_view api_key_;
};

ErrorCode code_of_status(int status) {
  switch (status) {
    case 400:
    case 413:
    case 422: return ErrorCode::kInvalidArgument;
    case 401:
    case 403: return ErrorCode::kPermissionDenied;
    case 429: return ErrorCode::kResourceExhausted;
    default: return ErrorCode::kUnavailable;
  }
}

}  // namespace

core::Result<std::unique_ptr<HttpTextGenerator>> HttpTextGenerator::create(const Options& options, ports::HttpClient& client) {
  CORE_CHECK(check_server_address(options.base_url, "generation_url"));
  if (options.model.empty()) {
    return core::fail(ErrorCode::kInvalidArgument, "a server of several models must be told which one", "generation_model");
  }
  CORE_TRY(std::string key, key_from_environment(options.api_key_variable));
  return std::unique_ptr<HttpTextGenerator>(new HttpTextGenerator(options, std::move(key), client));
}

HttpTextGenerator::HttpTextGenerator(const Options& options, std::string api_key, ports::HttpClient& client)
    : options_(options), url_(options.base_url), api_key_(std::move(api_key)), client_(client) {
  while (url_.ends_with('/')) url_.pop_back();
  url_ += "/chat/completions";
  info_.model = options_.model;
  info_.max_context = options_.max_context;
}

ports::HttpRequest HttpTextGenerator::http_request(std::string body, ports::HttpBodySink& sink) const {
  ports::HttpRequest request;
  request.method = ports::HttpMethod::kPost;
  request.url = url_;
  request.headers = {{"Content-Type", "application/json"}, {"Accept", "text/event-stream"}};
  request.body = std::move(body);
  request.bearer_token = api_key_;
  request.max_body_bytes = options_.max_answer_bytes;
  request.allow_plain_http = url_.starts_with("http://");
  request.sink = &sink;
  return request;
}

// Servers may repeat the key they were given.
std::string HttpTextGenerator::without_key(std::string text) const {
  for (std::size_t at = 0; !api_key_.empty() && (at = text.find(api_key_, at)) != std::string::npos;) {
    text.replace(at, api_key_.size(), "***");
    at += 3;
  }
  return text;
}

core::Error HttpTextGenerator::refusal(const ports::HttpResponse& response) const {
  const std::string reason = chat_error_text(without_key(response.body));  // before it is shortened
  std::string message = fmt::format("{}: answered {}", url_, response.status);
  if (!reason.empty()) message += " (" + reason + ")";
  const ErrorCode code = code_of_status(response.status);
  if (code == ErrorCode::kPermissionDenied) {
    message += api_key_.empty() ? fmt::format("; no key was sent, as {} is not set", options_.api_key_variable)
                                : fmt::format("; check the key in {}", options_.api_key_variable);
  }
  return core::fail(code, std::move(message)).error();
}

core::Task<core::Result<ports::GeneratedText>> HttpTextGenerator::generate(
    ports::GenerationRequest request, core::Deadline deadline, std::function<bool(std::string_view piece)> on_piece) {
  CORE_CO_CHECK(ports::check(request));
  const Admission admission(running_, options_.max_running);
  if (!admission.admitted()) {
    co_return core::fail(ErrorCode::kResourceExhausted,
                         fmt::format("{} texts are being generated already; try again later", options_.max_running));
  }
  CORE_CO_TRY(std::string body, chat_request_body(request, options_.model));
  ChatSink sink(on_piece, api_key_);
  ports::HttpRequest http = http_request(std::move(body), sink);
  const std::shared_ptr<core::TaskContext> context = co_await core::current_context();
  telemetry::ActiveSpan span(context, "/chat/completions", telemetry::SpanKind::kClient);
  span.set("url.full", std::string_view(url_));
  if (std::string parent = span.traceparent(); !parent.empty()) http.headers.push_back({"traceparent", std::move(parent)});
  core::Result<ports::HttpResponse> answer = co_await client_.send(std::move(http), deadline);
  if (answer) {
    span.set("http.response.status_code", std::int64_t{answer->status});
  } else {
    span.fail(core::to_string(answer.error().code));
  }
  span.end();
  ports::GeneratedText text = sink.chat().text();
  if (sink.chat().complete()) co_return text;  // whatever became of the connection after it
  if (!answer) {
    const bool late = answer.error().code == ErrorCode::kDeadlineExceeded;
    if (!late || text.text.empty()) co_return std::unexpected(std::move(answer).error());
    text.stopped = ports::StopCause::kDeadline;
    co_return text;
  }
  if (answer->status < 200 || answer->status > 299) co_return std::unexpected(refusal(*answer));
  co_return core::fail(ErrorCode::kUnavailable, fmt::format("{}: the stream ended before the text did", url_));
}

}  // namespace scalestyle::adapters::remote_inference
