#pragma once
// Limits and time-outs of the HTTP server. Every default suits a public port behind a load balancer.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "core/result.hpp"

namespace scalestyle::http {

struct ServerOptions {
  std::string host = "127.0.0.1";  // an address (IPv4 or IPv6) or "localhost"
  std::uint16_t port = 8080;       // 0: any free port; Server::port() tells which

  std::optional<std::uint16_t> admin_port{};  // of what is for operators only (Route::admin); nothing: the same; 0: any free one

  std::string tls_certificate{};  // PEM files; both or none: plain HTTP. Followed while the server runs
  std::string tls_key{};
  std::size_t max_handshakes = 128;                    // of TLS in progress; more connections are closed
  std::chrono::milliseconds handshake_timeout{5'000};  // of TLS; then the connection is closed

  std::size_t max_connections = 1024;          // more get 503 and are closed
  std::size_t max_connections_per_address = 0;  // of one client address, but for this machine's own; more get 429; 0: no limit
  std::string trusted_proxies{};               // addresses and networks whose connections that does not count (TrustedProxies)
  std::size_t max_target_bytes = 16 * 1024;    // path and query; above: 414
  std::size_t max_header_bytes = 8 * 1024;     // all header fields; above: 431
  std::size_t max_body_bytes = 64 * 1024;      // unless the application says otherwise for a route; above: 413
  std::size_t max_large_bodies_bytes = 64 * 1024 * 1024;  // of all bodies above that, being read or used; more get 503
  std::size_t max_requests_per_connection = 100'000;

  std::chrono::milliseconds idle_timeout{60'000};    // between requests
  std::chrono::milliseconds header_timeout{10'000};  // from a request's first byte to the end of its header; then 408
  std::chrono::milliseconds body_timeout{10'000};    // for the whole body; then 408
  std::chrono::milliseconds write_timeout{10'000};   // for a whole response; then the connection is closed
  std::chrono::milliseconds answer_grace{250};       // past its deadline a request is given up with 503
  std::chrono::milliseconds drain_timeout{4'000};    // after begin_drain() what is still open is closed

  // kInvalidArgument with the option as field.
  [[nodiscard]] core::Status validate() const;
};

}  // namespace scalestyle::http
