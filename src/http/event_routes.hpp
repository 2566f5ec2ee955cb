#pragma once
// EventRoutes: the routes under /api/events and /api/users, as works.
//
// A small body is read at once on the calling thread; a large one on the compute pool, so that no body holds up the
// I/O thread. Answers are written where the work ends, which may be the log's thread: 42 us for the largest batch.
// Everything but the export has effects: such a work should not be cancelled (Call::has_effects), and every
// 5xx that it gives tells whether anything was kept.
//
// Thread safety: perform() may be called from any thread. Must outlive every work.

#include <cstddef>
#include <string>
#include <string_view>

#include "core/clock.hpp"
#include "core/worker_pool.hpp"
#include "http/application.hpp"
#include "http/caller.hpp"
#include "http/json_body.hpp"
#include "http/parameters.hpp"
#include "http/route_table.hpp"
#include "search/event_service.hpp"
#include "telemetry/log.hpp"

namespace scalestyle::http {

// A request of one of these routes, its parameters checked, its body not yet.
struct RoutedRequest {
  const Route* route = nullptr;
  Parameters parameters{};
  std::string body{};
  std::string content_type{};  // as sent
  std::string request_id{};
  core::SteadyTime received{};
  core::Deadline deadline = core::Deadline::never();
  ports::TraceContext trace{};  // empty where it belongs to none
  Caller caller{};              // what it may ask in its body is not checked yet

  // 32 hexadecimal digits; empty where it belongs to no trace.
  [[nodiscard]] std::string_view trace_id() const {
    return trace.traceparent.empty() ? std::string_view() : std::string_view(trace.traceparent).substr(3, 32);
  }
};

// Up to this a body is read on the I/O thread: reading it (1 to 4 ns a byte) costs no more than a hand-over to the pool.
inline constexpr std::size_t kInlineBodyBytes = 16 * 1024;

// Something about the Content-Type or Content-Encoding of a body that we cannot read: unsupported_media_type with the
// header as field. JSON is application/json or, as beacons of browsers send it, text/plain; of no declared type too.
[[nodiscard]] std::optional<ApiError> body_header_fault(const Request& request);

class RateLimits;

class EventRoutes {
 public:
  struct Dependencies {
    search::EventService& events;
    core::WorkerPool& pool;
    const core::Clock& clock;
    telemetry::Logger& log;
    RateLimits* limits = nullptr;  // of users whom events name; null: nobody is limited
  };

  explicit EventRoutes(Dependencies dependencies) : use_(dependencies) {}

  [[nodiscard]] static bool handles(RouteId id) { return id >= RouteId::kClick && id <= RouteId::kPreferences; }

  [[nodiscard]] core::Deadline deadline(core::SteadyTime received) const {
    return core::Deadline::at(received + use_.events.options().deadline);
  }

  // The route must be one that this handles().
  [[nodiscard]] Work perform(RoutedRequest request);

 private:
  [[nodiscard]] Work click(RoutedRequest request);
  [[nodiscard]] Work batch(RoutedRequest request);
  [[nodiscard]] Work merge(RoutedRequest request);
  [[nodiscard]] Work set_preferences(RoutedRequest request);
  [[nodiscard]] Work forget(RoutedRequest request);
  [[nodiscard]] Work export_user(RoutedRequest request);
  [[nodiscard]] Work features(RoutedRequest request);

  [[nodiscard]] core::Task<core::Result<Body>> read(const RoutedRequest& request);
  [[nodiscard]] Response refuse(const RoutedRequest& request, const search::EventFailure& failure) const;
  [[nodiscard]] Response refuse(const RoutedRequest& request, const core::Error& error) const;
  [[nodiscard]] std::chrono::nanoseconds took(const RoutedRequest& request) const { return use_.clock.steady_now() - request.received; }

  Dependencies use_;
};

}  // namespace scalestyle::http
