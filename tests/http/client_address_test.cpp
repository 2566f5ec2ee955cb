#include "http/client_address.hpp"

#include <gtest/gtest.h>

#include <string>

namespace scalestyle::http {
namespace {

std::string client(std::string_view trusted, std::string_view peer, std::string_view forwarded) {
  const auto proxies = TrustedProxies::parse(trusted);
  if (!proxies) return "wrong proxies";
  const auto address = proxies->client(peer, forwarded);
  return address ? limited_address(*address) : "none";
}

TEST(ClientAddress, AddressesAreReadAsTheyAreWritten) {
  for (const char* text : {"192.0.2.1", " 192.0.2.1\t", "192.0.2.1:8080", "::ffff:192.0.2.1", "[::ffff:192.0.2.1]:80"}) {
    const auto address = parse_address(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(limited_address(*address), "192.0.2.1") << text;
  }
  for (const char* text : {"2001:db8:1:2::7", "[2001:db8:1:2:ffff::1]:443", "2001:DB8:1:2:3:4:5:6"}) {
    const auto address = parse_address(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(limited_address(*address), "2001:db8:1:2::/64") << text << ": of one client's network all addresses are one";
  }
  for (const char* text : {"", "unknown", "1.2.3", "1.2.3.4.5", "_hidden", "[::1", "1.2.3.4 5.6.7.8", "::g", "999.1.1.1"}) {
    EXPECT_FALSE(parse_address(text)) << text;
  }
  EXPECT_FALSE(parse_address(std::string_view("1.2.3.4\0x", 9)));
}

TEST(ClientAddress, ThisMachineIsNotLimited) {
  EXPECT_EQ(client("", "127.0.0.1", ""), "");
  EXPECT_EQ(client("", "127.9.9.9", ""), "");
  EXPECT_EQ(client("", "::1", ""), "");
  EXPECT_EQ(client("", "::ffff:127.0.0.1", ""), "");
  EXPECT_EQ(client("", "198.51.100.7", ""), "198.51.100.7");
}

TEST(ClientAddress, OnlyTrustedProxiesAreBelieved) {
  EXPECT_EQ(client("", "198.51.100.7", "1.1.1.1"), "198.51.100.7");
  EXPECT_EQ(client("10.0.0.0/8", "198.51.100.7", "1.1.1.1"), "198.51.100.7");
  EXPECT_EQ(client("10.0.0.0/8", "10.1.2.3", "203.0.113.9"), "203.0.113.9");
  EXPECT_EQ(client("10.0.0.0/8", "10.1.2.3", "1.1.1.1, 203.0.113.9"), "203.0.113.9") << "what the client wrote itself";
  EXPECT_EQ(client("10.0.0.0/8", "10.1.2.3", "203.0.113.9, 10.7.7.7"), "203.0.113.9") << "two proxies of ours";
  EXPECT_EQ(client("10.0.0.0/8", "10.1.2.3", "127.0.0.1, 203.0.113.9"), "203.0.113.9");
  EXPECT_EQ(client("10.0.0.0/8", "10.1.2.3", "203.0.113.9, unknown"), "10.1.2.3");
  EXPECT_EQ(client("10.0.0.0/8", "10.1.2.3", ""), "10.1.2.3");
  EXPECT_EQ(client("10.0.0.0/8", "10.1.2.3", ",,,"), "10.1.2.3");
  EXPECT_EQ(client("127.0.0.1, 2001:db8::/32", "::ffff:127.0.0.1", "[2001:db8::5]:99, 127.0.0.1"), "2001:db8::/64");
  EXPECT_EQ(client("0.0.0.0/0", "10.1.2.3", "192.0.2.1, 192.0.2.2"), "192.0.2.1");
}

TEST(ClientAddress, ProxiesAreChecked) {
  for (const char* text : {"nonsense", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/8x", "2001:db8::/129", "10.0.0.1/-1", "10.0.0.1:80"}) {
    const auto proxies = TrustedProxies::parse(text);
    ASSERT_FALSE(proxies) << text;
    EXPECT_EQ(proxies.error().field, "trusted_proxies");
  }
  EXPECT_TRUE(TrustedProxies::parse(" 10.0.0.0/8 , ::1,,192.0.2.1/32,"));
  std::string many;
  for (int i = 0; i < 300; ++i) many += "10.0.0.1,";
  EXPECT_FALSE(TrustedProxies::parse(many));
  const auto odd = TrustedProxies::parse("192.0.2.128/25").value();
  EXPECT_TRUE(odd.contains(*parse_address("192.0.2.200")));
  EXPECT_FALSE(odd.contains(*parse_address("192.0.2.127")));
}

}  // namespace
}  // namespace scalestyle::http
