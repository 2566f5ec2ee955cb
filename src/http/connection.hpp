#pragma once
// One client's connection: reads requests one after another, answers each before it reads the next (so pipelined
// requests are answered in order), keeps the limits and time-outs. Private to the server.
//
// Invariants: (1) everything here runs on the I/O thread, except the completion of a work, which posts to it through
// the Gate; (2) a work's callback owns nothing of Asio's, so it may outlive the server; (3) at most one work at a time;
// (4) a connection that ends drops its work, which cancels it unless it has effects: then it runs on without us.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_set>

#include "core/clock.hpp"
#include "http/address_connections.hpp"
#include "http/application.hpp"
#include "http/server_options.hpp"
#include "telemetry/log.hpp"
#include "telemetry/metrics.hpp"
#include "telemetry/trace.hpp"

namespace boost::asio {
class io_context;
}

namespace scalestyle::http {

class TlsCertificates;

// The way back to the I/O thread for works that complete elsewhere.
struct Gate {
  std::mutex mutex;
  boost::asio::io_context* io = nullptr;  // guarded by mutex; null once the server is gone
};

class Connection {
 public:
  virtual ~Connection() = default;
  virtual void begin_drain() = 0;                     // close when idle, else after the answer in progress
  virtual void close() = 0;                           // at once
  virtual void check_time(core::SteadyTime now) = 0;  // give up what is late
};

// What the connections of a server share. I/O thread only.
struct ConnectionHost {
  boost::asio::io_context& io;
  const ServerOptions& options;
  Application& application;
  const core::Clock& clock;
  telemetry::Logger& log;
  std::shared_ptr<Gate> gate;
  telemetry::Tracer* tracer = nullptr;
  std::thread::id io_thread{};
  bool draining = false;
  std::unordered_set<Connection*> connections{};
  AddressConnections by_address{};
  TlsCertificates* tls = nullptr;  // null: plain connections
  std::size_t handshakes = 0;      // in progress
  telemetry::Counter failed_handshakes{};
  std::size_t shedding = 0;  // refused connections that are being told so
  std::size_t large_body_bytes = 0;  // reserved, of ServerOptions::max_large_bodies_bytes
  std::string date{};        // of this second
  core::WallTime date_second{};
};

// The Date header's value now.
[[nodiscard]] std::string_view current_date(ConnectionHost& host);

// AF_INET6 or AF_INET of an accepted socket.
[[nodiscard]] int address_family(int socket_descriptor);

// The address of an accepted socket's other end; empty where it is gone already.
[[nodiscard]] std::string peer_address(int socket_descriptor);

// Serves the accepted socket, which it takes over, until either side closes it.
void serve_connection(ConnectionHost& host, int socket_descriptor, Audience audience);

// Why a connection is not served.
enum class ShedCause : std::uint8_t {
  kFull,         // the server's limit: 503
  kAddressFull,  // that of the client's address: 429
};

// Answers without reading a request, and closes. With TLS it only closes: a handshake would cost more than a request.
void shed_connection(ConnectionHost& host, int socket_descriptor, ShedCause cause);

}  // namespace scalestyle::http
