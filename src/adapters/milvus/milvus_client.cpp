#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <charconv>

#include "adapters/milvus/milvus_client_impl.hpp"
#include "core/files.hpp"

namespace scalestyle::adapters::milvus {

using core::ErrorCode;

namespace {

constexpr std::size_t kMaxCaFileBytes = std::size_t{4} << 20U;

core::Status refuse(std::string message, std::string field) {
  return core::fail(ErrorCode::kInvalidArgument, std::move(message), std::move(field));
}

std::string base64(const std::string& text) {
  std::string coded((text.size() + 2) / 3 * 4 + 1, '\0');
  const int length = EVP_EncodeBlock(static_cast<unsigned char*>(static_cast<void*>(coded.data())),
                                     static_cast<const unsigned char*>(static_cast<const void*>(text.data())),
                                     static_cast<int>(text.size()));
  coded.resize(static_cast<std::size_t>(length));
  return coded;
}

bool printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; });
}

bool is_address(std::string_view address) {
  const std::size_t colon = address.rfind(':');
  if (colon == std::string_view::npos || colon == 0 || !printable(address) || address.find("//") != std::string_view::npos)
    return false;
  const std::string_view digits = address.substr(colon + 1);
  unsigned port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  return error == std::errc() && end == digits.data() + digits.size() && port >= 1 && port <= 65535;
}

ErrorCode code_of(grpc::StatusCode code) {
  switch (code) {
    case grpc::StatusCode::CANCELLED: return ErrorCode::kCancelled;
    case grpc::StatusCode::DEADLINE_EXCEEDED: return ErrorCode::kDeadlineExceeded;
    case grpc::StatusCode::UNAUTHENTICATED:
    case grpc::StatusCode::PERMISSION_DENIED: return ErrorCode::kPermissionDenied;
    case grpc::StatusCode::RESOURCE_EXHAUSTED: return ErrorCode::kResourceExhausted;
    case grpc::StatusCode::INVALID_ARGUMENT: return ErrorCode::kInvalidArgument;
    case grpc::StatusCode::UNIMPLEMENTED: return ErrorCode::kUnsupported;
    case grpc::StatusCode::DATA_LOSS: return ErrorCode::kDataLoss;
    case grpc::StatusCode::NOT_FOUND: return ErrorCode::kNotFound;
    default: return ErrorCode::kUnavailable;
  }
}

core::Result<std::shared_ptr<grpc::ChannelCredentials>> credentials_of(const MilvusClient::Options& options) {
  if (!options.tls) return grpc::InsecureChannelCredentials();
  grpc::SslCredentialsOptions ssl;
  if (!options.ca_file.empty()) {
    auto text = core::read_text_file(options.ca_file, kMaxCaFileBytes);
    if (!text) {
      return core::fail(ErrorCode::kInvalidArgument,
                        fmt::format("the certificates of Milvus cannot be read: {}", text.error().message), "milvus_ca_file");
    }
    ssl.pem_root_certs = std::move(*text);
  }
  return grpc::SslCredentials(ssl);
}

grpc::ChannelArguments arguments_of(const MilvusClient::Options& options) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(static_cast<int>(options.max_message_bytes));
  // Back soon after the server is.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 2'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, static_cast<int>(options.keep_alive.count()));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 5'000);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // no connection shared with another client of this process
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return arguments;
}

}  // namespace

core::Status MilvusClient::Options::validate() const {
  if (!is_address(address)) return refuse(fmt::format("\"{}\" is no host:port", address), "milvus_address");
  if (!ca_file.empty() && !tls) return refuse("a CA file is of no use without TLS: set milvus_tls=true", "milvus_ca_file");
  if (username.empty() != password.empty()) return refuse("a user and a password belong together", "milvus_username");
  if (!username.empty() && !token.empty()) return refuse("either a user or a token, not both", "milvus_token");
  if (username.find(':') != std::string::npos) return refuse("a user name has no colon", "milvus_username");
  if (!printable(username) || !printable(password)) return refuse("user and password must be printable ASCII", "milvus_username");
  if (!printable(token)) return refuse("a token must be printable ASCII", "milvus_token");
  if (max_calls < 1 || max_calls > 10'000) return refuse("1 … 10,000 calls may be under way", "milvus_max_calls");
  if (attempts < 1 || attempts > 10) return refuse("a call has 1 … 10 attempts", "milvus_attempts");
  if (max_message_bytes < 1 << 20U || max_message_bytes > std::size_t{1} << 30U) {
    return refuse("a message has 1 MiB … 1 GiB", "milvus_max_message_bytes");
  }
  if (first_retry_delay.count() < 1 || first_retry_delay.count() > 10'000) {
    return refuse("the first delay is 1 … 10,000 ms", "milvus_first_retry_delay_ms");
  }
  if (call_timeout.count() < 1 || call_timeout.count() > 3'600'000) {
    return refuse("a call may take 1 ms … 1 h", "milvus_timeout_ms");
  }
  if (keep_alive.count() < 1'000 || keep_alive.count() > 3'600'000) return refuse("1 s … 1 h", "milvus_keep_alive_ms");
  return {};
}

core::Result<std::unique_ptr<MilvusClient>> MilvusClient::create(Options options, Dependencies dependencies) {
  CORE_CHECK(options.validate());
  CORE_TRY(auto credentials, credentials_of(options));
  auto channel = grpc::CreateCustomChannel(options.address, credentials, arguments_of(options));
  auto impl = std::make_unique<Impl>(std::move(options), dependencies, std::move(channel));
  return std::unique_ptr<MilvusClient>(new MilvusClient(std::move(impl)));
}

MilvusClient::MilvusClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
MilvusClient::~MilvusClient() = default;
void MilvusClient::run() { impl_->run(); }
void MilvusClient::stop() { impl_->stop(); }
std::string MilvusClient::trouble() const { return impl_->trouble(); }

core::Task<core::Result<std::string>> MilvusClient::server_version(core::Deadline deadline) {
  const auto method = SCALESTYLE_MILVUS_METHOD(GetVersion, GetVersionRequest, proto::milvus::GetVersionResponse);
  proto::milvus::GetVersionRequest request;
  CORE_CO_TRY(const auto response, co_await impl_->call(method, std::move(request), deadline));
  co_return response.version();
}

MilvusClient::Impl::Impl(Options options, Dependencies dependencies, std::shared_ptr<grpc::Channel> channel)
    : options_(std::move(options)),
      clock_(dependencies.clock),
      metrics_(dependencies.metrics),
      refused_(metrics_.counter({"scalestyle_milvus_refused_total", "Calls to Milvus refused because too many were under way."})),
      channel_(std::move(channel)),
      stub_(proto::milvus::MilvusService::NewStub(channel_)) {
  if (!options_.username.empty()) authorization_ = base64(options_.username + ":" + options_.password);
  if (!options_.token.empty()) authorization_ = base64(options_.token);
}

MilvusClient::Impl::~Impl() {
  stop();
  run();  // where nobody did, or to the end: gRPC insists on an empty queue
}

void MilvusClient::Impl::run() {
  void* tag = nullptr;
  bool ok = false;
  while (queue_.Next(&tag, &ok)) complete(*static_cast<Completion*>(tag));
}

void MilvusClient::Impl::complete(Completion& completion) {
  std::shared_ptr<Completion> held;
  {
    const std::lock_guard lock(mutex_);
    under_way_.erase(&completion);
    held = std::move(completion.self);
  }
  held->done.set(true);
}

void MilvusClient::Impl::stop() {
  std::vector<std::shared_ptr<Completion>> ending;
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return;
    stopped_ = true;  // nothing begins after this, as the queue demands
    for (Completion* each : under_way_) ending.push_back(each->self);
  }
  for (const auto& each : ending) each->cancel();
  queue_.Shutdown();
}

core::Status MilvusClient::Impl::admit(std::string_view method, const std::shared_ptr<Completion>& completion) {
  if (stopped_) return core::fail(ErrorCode::kCancelled, fmt::format("{}: the client was stopped", where(method)));
  if (under_way_.size() >= options_.max_calls) {
    refused_.add();
    return core::fail(ErrorCode::kResourceExhausted,
                      fmt::format("{}: {} calls are under way, which is the limit", where(method), options_.max_calls));
  }
  under_way_.insert(completion.get());
  completion->self = completion;
  return {};
}

core::Task<core::Status> MilvusClient::Impl::sleep(std::chrono::milliseconds duration) {
  auto alarm = std::make_shared<RunningAlarm>();
  {
    const std::lock_guard lock(mutex_);
    CORE_CO_CHECK(admit("wait", alarm));
    const gpr_timespec until = gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(duration.count(), GPR_TIMESPAN));
    alarm->alarm.Set(&queue_, until, static_cast<Completion*>(alarm.get()));
  }
  const std::stop_token stop = co_await core::current_stop_token();
  const auto on_stop = [alarm] { alarm->cancel(); };
  const std::stop_callback stop_callback(stop, on_stop);
  static_cast<void>(co_await alarm->done);
  bool is_over = stop.stop_requested();
  if (!is_over) {
    const std::lock_guard lock(mutex_);
    is_over = stopped_;
  }
  if (is_over) co_return core::fail(ErrorCode::kCancelled, "the wait was ended");
  co_return core::Status();
}

void MilvusClient::Impl::prepare(grpc::ClientContext& context, core::Deadline deadline) const {
  const auto left = deadline.remaining(clock_);
  context.set_deadline(gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_nanos(left.count(), GPR_TIMESPAN)));
  if (!authorization_.empty()) context.AddMetadata("authorization", authorization_);
}

std::string MilvusClient::Impl::where(std::string_view method) const {
  return fmt::format("milvus {}, {}", options_.address, method);
}

core::Error MilvusClient::Impl::late(std::string_view method, std::string_view when) const {
  return core::fail(ErrorCode::kDeadlineExceeded, fmt::format("{}: the deadline passed {}", where(method), when)).error();
}

core::Error MilvusClient::Impl::transport_error(std::string_view method, const grpc::Status& status) const {
  const ErrorCode code = code_of(status.error_code());
  if (code == ErrorCode::kDeadlineExceeded) return late(method, "before the answer was there");
  return core::fail(code, fmt::format("{}: {}", where(method), short_reason(status.error_message()))).error();
}

void MilvusClient::Impl::note(std::string_view method, core::SteadyTime began, const core::Error* error) {
  const double seconds = std::chrono::duration<double>(clock_.steady_now() - began).count();
  const std::lock_guard lock(notes_mutex_);
  auto found = method_metrics_.find(method);
  if (found == method_metrics_.end()) {
    const telemetry::MetricName name{"scalestyle_milvus_call_seconds", "Calls to Milvus, repetitions included.",
                                     {{"method", std::string(method)}}};
    found = method_metrics_.emplace(std::string(method), MethodMetrics{metrics_.histogram(name)}).first;
  }
  found->second.seconds.observe(seconds);
  if (error == nullptr) {
    trouble_.clear();
    return;
  }
  const bool is_servers = error->code == ErrorCode::kUnavailable || error->code == ErrorCode::kDeadlineExceeded ||
                          error->code == ErrorCode::kPermissionDenied;
  if (is_servers) trouble_ = error->message;
  auto& failures = found->second.failures;
  auto counter = failures.find(error->code);
  if (counter == failures.end()) {
    const telemetry::MetricName name{"scalestyle_milvus_failures_total", "Calls to Milvus that failed.",
                                     {{"method", std::string(method)}, {"cause", std::string(core::to_string(error->code))}}};
    counter = failures.emplace(error->code, metrics_.counter(name)).first;
  }
  counter->second.add();
}

std::string MilvusClient::Impl::trouble() const {
  const std::lock_guard lock(notes_mutex_);
  return trouble_;
}

}  // namespace scalestyle::adapters::milvus
