#pragma once
// Application: what a server serves. The product's is Api; tests bring their own.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/deadline.hpp"
#include "core/result.hpp"
#include "core/task.hpp"
#include "http/api_error.hpp"
#include "http/message.hpp"

namespace scalestyle::http {

using Work = core::Task<core::Result<Response>>;

// What the audit of a call tells of it besides its end.
struct AuditNote {
  std::string key_id{};         // empty: none
  std::string_view action{};    // the operation's id
  std::string subject{};        // a keyed hash of whom it is about; empty: of nobody
  std::string article{};        // of the catalogue's changes, the one in the path
};

// How a request is to be answered: at once, or by a task that the connection starts, and drops when its client goes
// unless it has effects.
struct Call {
  std::string request_id;
  std::string_view route;  // the metrics' label: a route's pattern, or "none"
  core::Deadline deadline = core::Deadline::never();  // of the answer; of a streamed one until its end
  // The work changes something: it is not cancelled when the client goes or is told that its time is over, and an answer
  // that it does not give itself says that the outcome is unknown.
  bool has_effects = false;
  std::variant<Response, Work> work;
  std::vector<std::pair<std::string_view, std::string>> headers{};  // more of the answer's, whoever gives it
  std::shared_ptr<const AuditNote> audit{};  // null: the call is not audited
};

// How a streamed body ended.
enum class StreamEnd : std::uint8_t {
  kComplete,
  kGone,        // the client went away
  kLate,        // the next piece was not there within the call's deadline
  kFailed,      // the next piece was an error
  kSlowReader,  // the client did not take a piece in time
};

struct FinishedCall {
  std::string_view request_id;
  std::string_view route;
  int status = 0;  // 0: the client went away before the answer
  std::chrono::nanoseconds took{0};
  std::optional<StreamEnd> stream{};  // of a streamed body
  const AuditNote* audit = nullptr;   // Call::audit
  const telemetry::TraceScope* trace = nullptr;  // null: it belongs to none
};

// Thread safety: every method is called on the server's I/O thread, must not block and must not throw. Works may
// complete on any thread; an error that one ends with becomes an error envelope.
class Application {
 public:
  virtual ~Application() = default;

  [[nodiscard]] virtual Call begin(Request request) = 0;

  // How large the body of such a request may be; nothing: ServerOptions::max_body_bytes. Asked before the body is read.
  [[nodiscard]] virtual std::optional<std::size_t> body_limit(Method /*method*/, std::string_view /*target*/) {
    return std::nullopt;
  }

  // A request that the connection itself refuses, or whose work failed or was late.
  [[nodiscard]] virtual Response refuse(const ApiError& error, std::string_view request_id) = 0;

  virtual void finished(const FinishedCall& call) = 0;

  // From now on ready() answers are negative: the server is draining.
  virtual void begin_drain() = 0;
};

}  // namespace scalestyle::http
