#include "http/address_connections.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "http/running_server.hpp"

namespace scalestyle::http {
namespace {

constexpr const char* kPing = "GET /live HTTP/1.1\r\nHost: x\r\n\r\n";

TEST(AddressConnections, CountsEachAddressByItself) {
  AddressConnections counts(2);
  std::optional<AddressConnections::Place> first(std::in_place, counts, "192.0.2.1");
  EXPECT_FALSE(counts.is_full("192.0.2.1"));
  const AddressConnections::Place second(counts, "::ffff:192.0.2.1");
  EXPECT_TRUE(counts.is_full("192.0.2.1"));
  EXPECT_FALSE(counts.is_full("192.0.2.2"));
  first.reset();
  EXPECT_FALSE(counts.is_full("192.0.2.1"));
}

TEST(AddressConnections, ANetworkOfIpv6IsOneAddress) {
  AddressConnections counts(1);
  const AddressConnections::Place one(counts, "2001:db8:0:1::1");
  EXPECT_TRUE(counts.is_full("2001:db8:0:1:ffff::2"));
  EXPECT_FALSE(counts.is_full("2001:db8:0:2::1"));
}

TEST(AddressConnections, ThisMachineAndTrustedProxiesAreNotCounted) {
  AddressConnections counts(1, TrustedProxies::parse("10.0.0.0/8").value());
  const AddressConnections::Place here(counts, "127.0.0.1");
  const AddressConnections::Place there(counts, "::1");
  const AddressConnections::Place proxy(counts, "10.1.2.3");
  const AddressConnections::Place gone(counts, "");
  for (const char* peer : {"127.0.0.1", "::1", "10.1.2.3", ""}) EXPECT_FALSE(counts.is_full(peer)) << peer;
}

TEST(AddressConnections, WithoutALimitNothingIsCounted) {
  AddressConnections counts;
  const AddressConnections::Place one(counts, "192.0.2.1");
  EXPECT_FALSE(counts.is_full("192.0.2.1"));
}

// An address of this machine that other machines could have reached it by; nothing is sent.
std::optional<std::uint32_t> outer_address() {
  const int socket = ::socket(AF_INET, SOCK_DGRAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(9);
  address.sin_addr.s_addr = htonl(0xC0'00'02'01);  // 192.0.2.1: nobody's (RFC 5737)
  socklen_t length = sizeof address;
  const bool known = ::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
                     ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &length) == 0;
  ::close(socket);
  const std::uint32_t own = ntohl(address.sin_addr.s_addr);
  return known && own >> 24U != 127 && own != 0 ? std::optional(own) : std::nullopt;
}

TEST(AddressConnections, WhoHoldsTooManyIsToldSoAndOthersAreServed) {
  const auto outer = outer_address();
  if (!outer) GTEST_SKIP() << "this machine has no address but its own";
  ServerOptions options;
  options.host = "0.0.0.0";
  options.max_connections_per_address = 2;
  RunningServer server(options);
  std::vector<std::unique_ptr<support::RawClient>> held;
  for (int i = 0; i < 2; ++i) {
    held.push_back(std::make_unique<support::RawClient>(server.port(), *outer));
    held.back()->send(kPing);
    ASSERT_EQ(held.back()->read()->status, 200);
  }
  support::RawClient third(server.port(), *outer);
  third.send(kPing);
  const auto refused = third.read();
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->status, 429);
  EXPECT_EQ(refused->headers.at("Retry-After"), "1");
  EXPECT_EQ(boost::json::parse(refused->body).at("error").at("code").as_string(), "rate_limited");
  EXPECT_THAT(server.metrics().render(), testing::HasSubstr("scalestyle_http_connections_shed_total{limit=\"address\"} 1"));

  std::vector<std::unique_ptr<support::RawClient>> near;  // of the machine itself, which is not counted
  for (int i = 0; i < 4; ++i) {
    near.push_back(std::make_unique<support::RawClient>(server.port()));
    near.back()->send(kPing);
    EXPECT_EQ(near.back()->read()->status, 200);
  }
  held.pop_back();
  int status = 0;
  for (int i = 0; i < 500 && status != 200; ++i) {  // until the server has seen it go
    support::RawClient again(server.port(), *outer);
    again.send(kPing);
    const auto answer = again.read();
    status = answer ? answer->status : 0;
    if (status != 200) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_EQ(status, 200);
}

}  // namespace
}  // namespace scalestyle::http
