#include "http/request_trace.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace scalestyle::http {

namespace {

std::string_view name_of(Method method) {
  switch (method) {
    case Method::kGet: return "GET";
    case Method::kHead: return "HEAD";
    case Method::kPost: return "POST";
    case Method::kPut: return "PUT";
    case Method::kPatch: return "PATCH";
    case Method::kDelete: return "DELETE";
    case Method::kOptions: return "OPTIONS";
    case Method::kOther: return "_OTHER";
  }
  return "_OTHER";
}

// Asked every few seconds by machines: a server that is not ready yet fails all of them.
bool is_probe(std::string_view route) {
  return route == "/live" || route == "/ready" || route == "/health" || route == "/metrics";
}

}  // namespace

RequestTrace::RequestTrace(telemetry::Tracer* tracer, Request& request)
    : tracer_(tracer), method_(request.method), received_(request.received) {
  const auto parent = telemetry::parse_traceparent(request.traceparent);
  const std::string_view state = parent ? telemetry::usable_tracestate(request.tracestate) : std::string_view();
  std::shared_ptr<telemetry::Trace> trace;
  if (tracer_ != nullptr) {
    trace = tracer_->begin(parent, state, received_);
  } else if (parent) {
    trace = std::make_shared<telemetry::Trace>(*parent, state);
  }
  if (trace == nullptr) return;
  const telemetry::SpanId root = trace->root();
  scope_ = std::make_shared<telemetry::TraceScope>(std::move(trace), root);
  request.trace = scope_;
}

void RequestTrace::show(Response& response) const {
  if (scope_ == nullptr || !scope_->trace->is_recording()) return;
  response.headers.emplace_back("traceparent", scope_->trace->traceparent(scope_->span));
}

void RequestTrace::end(const FinishedCall& call) {
  if (tracer_ == nullptr) return;
  telemetry::Trace& trace = *scope_->trace;
  trace.set("http.request.method", name_of(method_));
  trace.set("http.route", call.route);
  trace.set("scalestyle.request_id", call.request_id);
  if (call.status != 0) {
    trace.set("http.response.status_code", std::int64_t{call.status});
  } else {
    trace.set("scalestyle.client_gone", true);
  }
  std::string name(name_of(method_));
  if (call.route != "none") name.append(" ").append(call.route);
  const bool broken = call.stream && (*call.stream == StreamEnd::kLate || *call.stream == StreamEnd::kFailed);
  tracer_->end(trace, {.name = name,
                       .time = received_ + call.took,
                       .failed = call.status >= 500 || broken,
                       .never_kept = is_probe(call.route)});
}

}  // namespace scalestyle::http
