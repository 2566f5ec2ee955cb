#include "adapters/embedded/allowed_hosts.hpp"

#include <gtest/gtest.h>

namespace scalestyle::adapters {
namespace {

TEST(AllowedHosts, NoneByDefault) {
  EXPECT_TRUE(AllowedHosts().empty());
  EXPECT_TRUE(AllowedHosts::parse("").value().empty());
  EXPECT_TRUE(AllowedHosts::parse(" , ,").value().empty());
  EXPECT_FALSE(AllowedHosts::parse("").value().allows("https", "shop.example", 443));
}

TEST(AllowedHosts, ExactHostsAndThoseBelow) {
  const auto hosts = AllowedHosts::parse("Shop.example, *.cdn.example,https://third.example:8443").value();
  EXPECT_TRUE(hosts.allows("https", "shop.example", 443));
  EXPECT_TRUE(hosts.allows("https", "a.cdn.example", 443));
  EXPECT_TRUE(hosts.allows("https", "b.a.cdn.example", 443));
  EXPECT_TRUE(hosts.allows("https", "third.example", 8443));
  EXPECT_FALSE(hosts.allows("https", "www.shop.example", 443));
  EXPECT_FALSE(hosts.allows("https", "cdn.example", 443)) << "not below itself";
  EXPECT_FALSE(hosts.allows("https", ".cdn.example", 443));
  EXPECT_FALSE(hosts.allows("https", "evilcdn.example", 443));
  EXPECT_FALSE(hosts.allows("https", "a.cdn.example.evil", 443));
  EXPECT_FALSE(hosts.allows("https", "shop.example", 8443)) << "another port";
  EXPECT_FALSE(hosts.allows("https", "third.example", 443));
  EXPECT_FALSE(hosts.allows("http", "shop.example", 443)) << "another scheme";
  EXPECT_FALSE(hosts.allows("http", "shop.example", 80));
}

TEST(AllowedHosts, PlainHttpOnlyWhereItIsSaid) {
  const auto hosts = AllowedHosts::parse("http://old.example,http://*.lan.example:8080").value();
  EXPECT_TRUE(hosts.allows("http", "old.example", 80));
  EXPECT_TRUE(hosts.allows("http", "x.lan.example", 8080));
  EXPECT_FALSE(hosts.allows("https", "old.example", 443));
}

TEST(AllowedHosts, WhatIsNoHostIsNamed) {
  for (const char* text : {"*", "*.", "a..b", ".a", "a.", "a/b", "ftp://a", "http://", "a:0", "a:x", "a:70000", "a:", "[::1]", "*.*.a", "a b",
                           "user@a", "\xC3\xA4.example"}) {
    const auto refused = AllowedHosts::parse(std::string("good.example,") + text);
    ASSERT_FALSE(refused) << text;
    EXPECT_EQ(refused.error().code, core::ErrorCode::kInvalidArgument);
    EXPECT_EQ(refused.error().field, "image_url_hosts");
    EXPECT_NE(refused.error().message.find(text), std::string::npos) << refused.error().message;
  }
}

}  // namespace
}  // namespace scalestyle::adapters
