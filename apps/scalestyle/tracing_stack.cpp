#include "tracing_stack.hpp"

#include <charconv>
#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <utility>

#include "adapters/embedded/http_client_curl.hpp"
#include "adapters/remote_inference/server_address.hpp"
#include "events/event_id.hpp"
#include "version.hpp"

namespace scalestyle::app {

namespace {

// At the end of the process a collector that hangs is waited for as long as this and the exporter's flush_timeout.
constexpr std::chrono::milliseconds kPostTimeout{3'000};

// Seconds alone; the header's other form, a date, is not read.
std::optional<std::chrono::seconds> seconds_of(std::string_view text) {
  std::int32_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size() || seconds < 0) return std::nullopt;
  return std::chrono::seconds(seconds);
}

class HttpTransport final : public telemetry::OtlpTransport {
 public:
  HttpTransport(std::string url, ports::HttpClient& client) : url_(std::move(url)), client_(client) {}

  core::Task<core::Result<Answer>> post(std::string json, core::Deadline deadline) override {
    ports::HttpRequest request;
    request.method = ports::HttpMethod::kPost;
    request.url = url_;
    request.headers.push_back({"Content-Type", "application/json"});
    request.body = std::move(json);
    request.allow_plain_http = url_.starts_with("http://");
    const core::Result<ports::HttpResponse> response = co_await client_.send(std::move(request), deadline);
    if (!response) co_return std::unexpected(response.error());
    Answer answer;
    answer.status = response->status;
    answer.retry_after = seconds_of(response->header("Retry-After"));
    co_return answer;
  }

 private:
  const std::string url_;
  ports::HttpClient& client_;
};

core::Result<std::string> traces_url(const core::Settings& settings) {
  std::string url = settings.text("otlp_endpoint");
  while (url.ends_with('/')) url.pop_back();
  CORE_CHECK(adapters::remote_inference::check_server_address(url, "otlp_endpoint"));
  return url + "/v1/traces";
}

}  // namespace

std::vector<std::string> with_tracing_settings(std::vector<std::string> names) {
  for (const char* name : {"otlp_endpoint", "trace_sample", "trace_slow_ms"}) names.emplace_back(name);
  return names;
}

core::Result<std::unique_ptr<TracingStack>> TracingStack::open(const core::Settings& settings, std::string_view role, Services services) {
  std::unique_ptr<TracingStack> stack(new TracingStack);
  telemetry::Tracer::Options options;
  options.sample = settings.number("trace_sample");
  options.slow = std::chrono::milliseconds(settings.integer("trace_slow_ms"));
  CORE_CHECK(options.validate());
  if (!settings.is_set("otlp_endpoint")) return stack;
  CORE_TRY(std::string url, traces_url(settings));
  CORE_TRY(auto client, adapters::HttpClientCurl::create({}, services.clock));
  stack->transport_ = std::make_unique<HttpTransport>(std::move(url), *client);
  telemetry::OtlpExporter::Options exporting;
  exporting.resource = {.service_version = std::string(kVersion), .instance_id = events::make_event_id(), .role = std::string(role)};
  exporting.post_timeout = kPostTimeout;
  stack->exporter_ = std::make_unique<telemetry::OtlpExporter>(
      telemetry::OtlpExporter::Dependencies{.transport = *stack->transport_, .clock = services.clock, .metrics = services.metrics,
                                            .log = services.log},
      std::move(exporting));
  stack->tracer_ = std::make_unique<telemetry::Tracer>(
      telemetry::Tracer::Dependencies{.sink = *stack->exporter_, .clock = services.clock, .metrics = services.metrics}, options);
  stack->io_ = std::jthread([transfers = client.get()](const std::stop_token& stop) { transfers->run(stop); });
  stack->client_ = std::move(client);
  stack->sender_ = std::thread([exporter = stack->exporter_.get()] { exporter->run(); });
  return stack;
}

void TracingStack::stop() {
  if (exporter_) exporter_->stop();
  if (sender_.joinable()) sender_.join();
  io_ = {};
}

}  // namespace scalestyle::app
