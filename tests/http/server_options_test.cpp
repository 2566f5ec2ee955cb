#include "http/server_options.hpp"

#include <gtest/gtest.h>

namespace scalestyle::http {
namespace {

TEST(ServerOptions, DefaultsAreValidAndEveryLimitIsChecked) {
  EXPECT_TRUE(ServerOptions{}.validate());
  const auto field = [](auto change) {
    ServerOptions options;
    change(options);
    const auto checked = options.validate();
    return checked ? std::string() : checked.error().field;
  };
  using std::chrono::milliseconds;
  EXPECT_EQ(field([](ServerOptions& o) { o.host.clear(); }), "host");
  EXPECT_EQ(field([](ServerOptions& o) { o.admin_port = o.port; }), "admin_port");
  EXPECT_EQ(field([](ServerOptions& o) { o.tls_certificate = "server.crt"; }), "tls_key");
  EXPECT_EQ(field([](ServerOptions& o) { o.tls_key = "server.key"; }), "tls_certificate");
  EXPECT_EQ(field([](ServerOptions& o) { o.max_handshakes = 0; }), "max_handshakes");
  EXPECT_EQ(field([](ServerOptions& o) { o.handshake_timeout = milliseconds(0); }), "handshake_timeout");
  EXPECT_EQ(field([](ServerOptions& o) { o.max_connections = 0; }), "max_connections");
  EXPECT_EQ(field([](ServerOptions& o) { o.max_connections_per_address = 2'000'000; }), "max_connections_per_address");
  EXPECT_EQ(field([](ServerOptions& o) { o.max_target_bytes = 10; }), "max_target_bytes");
  EXPECT_EQ(field([](ServerOptions& o) { o.max_header_bytes = 10; }), "max_header_bytes");
  EXPECT_EQ(field([](ServerOptions& o) { o.max_body_bytes = std::size_t{1} << 40U; }), "max_body_bytes");
  EXPECT_EQ(field([](ServerOptions& o) { o.max_requests_per_connection = 0; }), "max_requests_per_connection");
  EXPECT_EQ(field([](ServerOptions& o) { o.idle_timeout = milliseconds(0); }), "idle_timeout");
  EXPECT_EQ(field([](ServerOptions& o) { o.header_timeout = milliseconds(-1); }), "header_timeout");
  EXPECT_EQ(field([](ServerOptions& o) { o.body_timeout = milliseconds(0); }), "body_timeout");
  EXPECT_EQ(field([](ServerOptions& o) { o.write_timeout = milliseconds(0); }), "write_timeout");
  EXPECT_EQ(field([](ServerOptions& o) { o.answer_grace = milliseconds(100'000); }), "answer_grace");
  EXPECT_EQ(field([](ServerOptions& o) { o.drain_timeout = milliseconds(0); }), "drain_timeout");
}

}  // namespace
}  // namespace scalestyle::http
