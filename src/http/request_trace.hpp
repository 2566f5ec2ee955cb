#pragma once
// RequestTrace: the trace of one request of a server, from its headers to the span that tells how it ended.
//
// Where tracing is on every request has a trace, whose root is the server's span: method, route, status, request id, and what the
// application sets (telemetry::Trace). Where it is off, a request that came with a traceparent carries that on.
// Source: W3C Trace Context; OpenTelemetry semantic conventions for HTTP servers.
// Thread safety: I/O thread only.

#include <memory>

#include "core/task.hpp"
#include "http/application.hpp"
#include "http/message.hpp"
#include "telemetry/trace.hpp"

namespace scalestyle::http {

class RequestTrace {
 public:
  // `tracer`: null where tracing is off. Gives the request its trace.
  RequestTrace(telemetry::Tracer* tracer, Request& request);

  // Of the tasks that serve the request; null: none.
  [[nodiscard]] std::shared_ptr<core::TaskContext> context() const { return scope_; }
  [[nodiscard]] const telemetry::TraceScope* scope() const { return scope_.get(); }

  // Tells the client which span answered it, where one is recorded.
  void show(Response& response) const;
  void end(const FinishedCall& call);

 private:
  telemetry::Tracer* tracer_;
  Method method_;
  core::SteadyTime received_;
  std::shared_ptr<telemetry::TraceScope> scope_;
};

}  // namespace scalestyle::http
