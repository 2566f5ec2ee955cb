#pragma once
// How the .cpp files of this folder call Milvus. Heavy: gRPC and the generated messages.

#include <grpcpp/alarm.h>
#include <grpcpp/grpcpp.h>

#include <map>
#include <mutex>
#include <stop_token>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "adapters/milvus/milvus_client.hpp"
#include "adapters/milvus/milvus_status.hpp"
#include "core/retry_budget.hpp"
#include "telemetry/trace.hpp"
#include <milvus.grpc.pb.h>

namespace scalestyle::adapters::milvus {

namespace proto = ::milvus::proto;
using Stub = proto::milvus::MilvusService::Stub;

// What the completion queue gives back. Its waiter resumes on the I/O thread.
struct Completion {
  virtual ~Completion() = default;
  virtual void cancel() = 0;  // from any thread, at any time

  core::OneShot<bool> done;
  std::shared_ptr<Completion> self{};  // while the queue has it; guarded by Impl::mutex_
};

template <class Response>
struct RunningCall final : Completion {
  void cancel() override { context.TryCancel(); }

  grpc::ClientContext context;
  std::unique_ptr<grpc::ClientAsyncResponseReader<Response>> reader{};
  Response response;
  grpc::Status status;
};

struct RunningAlarm final : Completion {
  void cancel() override { alarm.Cancel(); }
  grpc::Alarm alarm;
};

// Deprecated for `code`, which servers do not always set.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
inline MilvusVerdict verdict_of(const proto::common::Status& status) {
  return {.code = status.code(), .error_code = static_cast<std::int32_t>(status.error_code()), .reason = status.reason()};
}
#pragma GCC diagnostic pop
template <class Response>
MilvusVerdict verdict_of(const Response& response) {
  return verdict_of(response.status());
}

struct MilvusClient::Impl {
  Impl(Options options, Dependencies dependencies, std::shared_ptr<grpc::Channel> channel);
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  // A method of the service, by its asynchronous stub.
  template <class Request, class Response>
  struct Method {
    std::string_view name;
    std::unique_ptr<grpc::ClientAsyncResponseReader<Response>> (Stub::*call)(grpc::ClientContext*, const Request&,
                                                                             grpc::CompletionQueue*);
    bool is_repeatable = true;             // doing it twice does no harm
    std::chrono::milliseconds timeout{0};  // of the call, within its deadline; 0: the client's
  };

  // One call under way, and what is needed to repeat it.
  template <class Request, class Response>
  struct Pending {
    Method<Request, Response> method;
    Request request;
    core::Deadline deadline = core::Deadline::never();
    core::SteadyTime began{};
    core::Result<std::shared_ptr<RunningCall<Response>>> running{};
  };

  // Sends the request; finish() waits for it. Several may be begun before the first is finished.
  template <class Request, class Response>
  Pending<Request, Response> begin(Method<Request, Response> method, Request request, core::Deadline deadline) {
    Pending<Request, Response> pending{.method = method, .request = std::move(request)};
    const bool has_own = pending.method.timeout.count() > 0;
    pending.deadline = deadline.within(has_own ? pending.method.timeout : options_.call_timeout, clock_);
    pending.began = clock_.steady_now();
    pending.running = send(pending);
    return pending;
  }

  // The response whose verdict is good.
  template <class Request, class Response>
  core::Task<core::Result<Response>> finish(Pending<Request, Response> pending) {
    retry_budget_.count_call();
    core::Result<Response> outcome = core::fail(core::ErrorCode::kInternal, "the call was not made");
    const std::shared_ptr<core::TaskContext> context = co_await core::current_context();
    telemetry::ActiveSpan span(context, pending.method.name, telemetry::SpanKind::kClient);
    span.set("db.system.name", "milvus");
    span.set_begin(pending.began);
    for (std::size_t attempt = 1;; ++attempt) {
      outcome = co_await wait_for(pending);
      const bool may_repeat = !outcome && outcome.error().code == core::ErrorCode::kUnavailable && pending.method.is_repeatable &&
                              attempt < options_.attempts;
      if (!may_repeat) break;
      const auto pause = options_.first_retry_delay * (1LL << (attempt - 1));
      if (pending.deadline.remaining(clock_) <= pause || !retry_budget_.take()) break;
      if (auto slept = co_await sleep(pause); !slept) break;
      pending.running = send(pending);
    }
    note(pending.method.name, pending.began, outcome ? nullptr : &outcome.error());
    span.note(outcome);
    co_return outcome;
  }

  template <class Request, class Response>
  core::Task<core::Result<Response>> call(Method<Request, Response> method, Request request, core::Deadline deadline) {
    auto pending = begin(method, std::move(request), deadline);
    co_return co_await finish(std::move(pending));
  }

  // kCancelled when the task or the client is stopped meanwhile.
  core::Task<core::Status> sleep(std::chrono::milliseconds duration);

  void run();
  void stop();
  [[nodiscard]] std::string trouble() const;
  [[nodiscard]] std::string where(std::string_view method) const;
  [[nodiscard]] const core::Clock& clock() const { return clock_; }

 private:
  template <class Request, class Response>
  core::Result<std::shared_ptr<RunningCall<Response>>> send(const Pending<Request, Response>& pending) {
    if (pending.deadline.expired(clock_)) return std::unexpected(late(pending.method.name, "before it was sent"));
    auto call = std::make_shared<RunningCall<Response>>();
    prepare(call->context, pending.deadline);
    const std::lock_guard lock(mutex_);
    CORE_CHECK(admit(pending.method.name, call));
    call->reader = (stub_.get()->*pending.method.call)(&call->context, pending.request, &queue_);
    call->reader->Finish(&call->response, &call->status, static_cast<Completion*>(call.get()));
    return call;
  }

  template <class Request, class Response>
  core::Task<core::Result<Response>> wait_for(Pending<Request, Response>& pending) {
    if (!pending.running) co_return std::unexpected(pending.running.error());
    const std::shared_ptr<RunningCall<Response>> call = *pending.running;
    const std::stop_token stop = co_await core::current_stop_token();
    const auto on_stop = [call] { call->cancel(); };
    const std::stop_callback stop_callback(stop, on_stop);
    static_cast<void>(co_await call->done);
    if (!call->status.ok()) co_return std::unexpected(transport_error(pending.method.name, call->status));
    const MilvusVerdict verdict = verdict_of(call->response);
    if (!verdict.ok()) co_return std::unexpected(status_of(verdict, where(pending.method.name)).error());
    co_return std::move(call->response);
  }

  void prepare(grpc::ClientContext& context, core::Deadline deadline) const;
  // Notes that the queue has it, or refuses. Under mutex_.
  [[nodiscard]] core::Status admit(std::string_view method, const std::shared_ptr<Completion>& completion);
  [[nodiscard]] core::Error late(std::string_view method, std::string_view when) const;
  [[nodiscard]] core::Error transport_error(std::string_view method, const grpc::Status& status) const;
  void note(std::string_view method, core::SteadyTime began, const core::Error* error);
  void complete(Completion& completion);

  struct MethodMetrics {
    telemetry::Histogram seconds;
    std::map<core::ErrorCode, telemetry::Counter> failures{};
  };

  const Options options_;
  const core::Clock& clock_;
  telemetry::Metrics& metrics_;
  telemetry::Counter refused_;
  core::RetryBudget retry_budget_{{.per_call = 0.1, .reserve = 10}};  // of all methods together
  std::string authorization_;  // of the metadata; empty: none
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<Stub> stub_;
  grpc::CompletionQueue queue_;

  std::mutex mutex_;
  std::unordered_set<Completion*> under_way_;  // guarded by mutex_
  bool stopped_ = false;                       // guarded by mutex_

  mutable std::mutex notes_mutex_;
  std::string trouble_;                                              // guarded by notes_mutex_
  std::map<std::string, MethodMetrics, std::less<>> method_metrics_;  // guarded by notes_mutex_
};

// A method that may be repeated, by its name.
#define SCALESTYLE_MILVUS_METHOD(method, request, response) \
  MilvusClient::Impl::Method<proto::milvus::request, response>{#method, &Stub::Async##method}

}  // namespace scalestyle::adapters::milvus
