#pragma once
// Server: HTTP/1.1 over TCP. One thread, given by the caller to run(), does all input and output; works of the
// application complete elsewhere and come back to it.
//
// With ServerOptions::tls_certificate its connections are TLS; a changed certificate is taken into use within a second or two.
// With admin_port what is for operators only is answered on that port, on which everything else is answered too.
//
// A slow, silent or hostile client costs at most its connection, for a bounded time; see ServerOptions.

#include <cstdint>
#include <functional>
#include <memory>

#include "core/clock.hpp"
#include "core/result.hpp"
#include "http/application.hpp"
#include "http/server_options.hpp"
#include "telemetry/log.hpp"
#include "telemetry/metrics.hpp"
#include "telemetry/trace.hpp"

namespace scalestyle::http {

class Server {
 public:
  struct Dependencies {
    Application& application;
    const core::Clock& clock;
    telemetry::Metrics& metrics;
    telemetry::Logger& log;
    telemetry::Tracer* tracer = nullptr;  // null: no request is traced
  };

  // Listens on return; connections wait until run(). The dependencies must outlive the server.
  // Errors: kInvalidArgument (an option, a host that is no address, or a certificate that cannot be used), kUnavailable (port
  // taken or not allowed: told).
  [[nodiscard]] static core::Result<std::unique_ptr<Server>> open(const ServerOptions& options, Dependencies dependencies);

  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] std::uint16_t admin_port() const;  // port() where there is one for all

  // Serves on the calling thread; returns when a drain has ended. Once.
  void run();

  // Stops accepting, closes idle connections, lets requests in progress finish (at most drain_timeout), then run()
  // returns. Any thread; more than once does nothing more.
  void begin_drain();

  // SIGTERM and SIGINT begin a drain, and `notify` is called on the I/O thread with the signal's number. Before run().
  void drain_on_signals(std::function<void(int)> notify);

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace scalestyle::http
