#include "http/server_options.hpp"

#include <fmt/format.h>

namespace scalestyle::http {

namespace {

core::Status check(std::size_t value, std::size_t minimum, std::size_t maximum, const char* name) {
  if (value >= minimum && value <= maximum) return {};
  return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("{} must be {} to {}, not {}", name, minimum, maximum, value),
                    name);
}

core::Status check(std::chrono::milliseconds value, std::chrono::milliseconds maximum, const char* name) {
  if (value.count() >= 1 && value <= maximum) return {};
  return core::fail(core::ErrorCode::kInvalidArgument,
                    fmt::format("{} must be 1 to {} ms, not {}", name, maximum.count(), value.count()), name);
}

}  // namespace

core::Status ServerOptions::validate() const {
  using std::chrono::milliseconds;
  constexpr milliseconds kHour{3'600'000};
  if (host.empty()) return core::fail(core::ErrorCode::kInvalidArgument, "host must not be empty", "host");
  if (admin_port && *admin_port != 0 && *admin_port == port) {
    return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("admin_port must be another port than port, {}", port),
                      "admin_port");
  }
  if (tls_certificate.empty() != tls_key.empty()) {
    return core::fail(core::ErrorCode::kInvalidArgument, "tls_certificate and tls_key belong together: give both or none",
                      tls_key.empty() ? "tls_key" : "tls_certificate");
  }
  CORE_CHECK(check(max_handshakes, 1, 1'000'000, "max_handshakes"));
  CORE_CHECK(check(handshake_timeout, milliseconds(600'000), "handshake_timeout"));
  CORE_CHECK(check(max_connections, 1, 1'000'000, "max_connections"));
  CORE_CHECK(check(max_connections_per_address, 0, 1'000'000, "max_connections_per_address"));
  CORE_CHECK(check(max_target_bytes, 64, 1024 * 1024, "max_target_bytes"));
  CORE_CHECK(check(max_header_bytes, 256, 1024 * 1024, "max_header_bytes"));
  CORE_CHECK(check(max_body_bytes, 0, 64 * 1024 * 1024, "max_body_bytes"));
  CORE_CHECK(check(max_large_bodies_bytes, 0, std::size_t{64} * 1024 * 1024 * 1024, "max_large_bodies_bytes"));
  CORE_CHECK(check(max_requests_per_connection, 1, 1'000'000'000, "max_requests_per_connection"));
  CORE_CHECK(check(idle_timeout, kHour, "idle_timeout"));
  CORE_CHECK(check(header_timeout, kHour, "header_timeout"));
  CORE_CHECK(check(body_timeout, kHour, "body_timeout"));
  CORE_CHECK(check(write_timeout, kHour, "write_timeout"));
  CORE_CHECK(check(answer_grace, milliseconds(60'000), "answer_grace"));
  CORE_CHECK(check(drain_timeout, milliseconds(300'000), "drain_timeout"));
  return {};
}

}  // namespace scalestyle::http
