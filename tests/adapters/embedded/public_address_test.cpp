#include "adapters/embedded/public_address.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <array>
#include <string>

namespace scalestyle::adapters {
namespace {

core::Status check(const std::string& text) {
  std::array<std::byte, 16> bytes{};
  const bool six = text.find(':') != std::string::npos;
  EXPECT_EQ(::inet_pton(six ? AF_INET6 : AF_INET, text.c_str(), bytes.data()), 1) << text;
  return check_public_address(std::span(bytes).first(six ? 16 : 4));
}

TEST(PublicAddress, ThoseOfThePublicInternet) {
  for (const char* text : {"1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
                           "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.0", "192.167.255.255",
                           "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255", "2606:4700::1111", "2001:4860:4860::8888",
                           "2001:200::1", "2a00::1", "3ffe:ffff::1"}) {
    EXPECT_TRUE(check(text)) << text;
  }
}

TEST(PublicAddress, AllOthersAreRefusedByName) {
  for (const char* text : {"0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.255",
                           "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.0.1",
                           "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.255", "240.0.0.1",
                           "255.255.255.255",
                           "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "64:ff9b::a00:1", "64:ff9b:1::1", "100::1",
                           "2001::1", "2001:db8::1", "2001:1ff:ffff::1", "2002:7f00:1::1", "3fff:fff::1", "fc00::1", "fd00:ec2::254",
                           "fe80::1", "fec0::1", "ff02::1", "4000::1"}) {
    const auto refused = check(text);
    ASSERT_FALSE(refused) << text;
    EXPECT_EQ(refused.error().code, core::ErrorCode::kPermissionDenied);
  }
  EXPECT_NE(check("169.254.169.254").error().message.find("169.254.169.254"), std::string::npos);
  EXPECT_FALSE(check_public_address({})) << "of another family";
}

}  // namespace
}  // namespace scalestyle::adapters
