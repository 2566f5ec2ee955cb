// The client against a real server that speaks TLS only and has users with few rights.

#include <gmock/gmock.h>

#include <chrono>
#include <string>

#include "adapters/redis/real_redis.hpp"

namespace scalestyle::adapters::redis {
namespace {

using core::ErrorCode;
using testing::HasSubstr;
using testing::StartsWith;
using namespace std::chrono_literals;

struct Tls {
  static constexpr const char* kName = "tls";
};

class TlsTest : public RealRedisTest<Tls> {
 protected:
  static RedisClient::Options options_for(const std::string& user, const std::string& host = "127.0.0.1") {
    return {.nodes = {host + ":" + server_->value("port")}, .username = user, .password = server_->value(user + "_password"),
            .tls = true, .ca_file = server_->value("ca_file")};
  }
  // The error of a first command.
  static core::Error refusal(const RedisClient::Options& options) {
    RunningClient client(options);
    const auto value = client.call({"GET", "hm:a"});
    if (value) return {.code = ErrorCode::kInternal, .message = "it was answered"};
    EXPECT_EQ(client->trouble(), value.error().message);
    EXPECT_THAT(value.error().message, StartsWith("redis " + options.nodes.front() + ": "));
    return value.error();
  }
};

TEST_F(TlsTest, ByAddressAndByName) {
  for (const std::string host : {"127.0.0.1", "localhost"}) {
    RunningClient client(options_for("app", host));
    EXPECT_EQ(client.text({"SET", "hm:a", host}), "OK");
    EXPECT_EQ(client.text({"GET", "hm:a"}), host);
    const std::string big(3u << 20, 'x');
    EXPECT_EQ(client.text({"SET", "hm:big", big}), "OK");
    EXPECT_EQ(client.text({"GET", "hm:big"}), big);
  }
}

TEST_F(TlsTest, AnotherAuthorityIsRefused) {
  auto options = options_for("app");
  options.ca_file = server_->value("other_ca_file");
  const auto error = refusal(options);
  EXPECT_EQ(error.code, ErrorCode::kUnavailable);
  EXPECT_THAT(error.message, HasSubstr("TLS: the server's certificate is refused: "));
  options.ca_file.clear();
  EXPECT_THAT(refusal(options).message, HasSubstr("TLS: the server's certificate is refused: ")) << "the system's authorities";
}

TEST_F(TlsTest, ACertificateForAnotherHostIsRefused) {
  const auto address = refusal(options_for("app", "127.0.0.2"));
  EXPECT_EQ(address.code, ErrorCode::kUnavailable);
  EXPECT_THAT(address.message, HasSubstr("IP address mismatch"));
  // A name to the client, and to the resolver another way to write 127.0.0.1.
  const auto name = refusal(options_for("app", "127.1"));
  EXPECT_EQ(name.code, ErrorCode::kUnavailable);
  EXPECT_THAT(name.message, HasSubstr("hostname mismatch"));
}

TEST_F(TlsTest, PlainBytesAreNotAnswered) {
  auto options = options_for("app");
  options.tls = false;
  options.ca_file.clear();
  EXPECT_EQ(refusal(options).code, ErrorCode::kUnavailable);
}

TEST_F(TlsTest, AWrongPasswordIsRefused) {
  auto options = options_for("app");
  options.password = "guess";
  auto error = refusal(options);
  EXPECT_EQ(error.code, ErrorCode::kPermissionDenied);
  EXPECT_THAT(error.message, HasSubstr("WRONGPASS"));
  options.username.clear();
  options.password.clear();
  error = refusal(options);
  EXPECT_EQ(error.code, ErrorCode::kPermissionDenied);
  EXPECT_THAT(error.message, HasSubstr("NOAUTH"));
}

TEST_F(TlsTest, AUserMayTouchItsKeysAlone) {
  RunningClient client(options_for("app"));
  EXPECT_EQ(client.text({"SET", "hm:mine", "1"}), "OK");
  auto value = client.call({"SET", "other", "1"});
  ASSERT_FALSE(value);
  EXPECT_EQ(value.error().code, ErrorCode::kPermissionDenied);
  EXPECT_THAT(value.error().message, HasSubstr("NOPERM"));
  EXPECT_EQ(client.call(RedisCommand{.arguments = {"FLUSHALL"}}).error().code, ErrorCode::kPermissionDenied);
  EXPECT_EQ(client->trouble(), "");
}

TEST_F(TlsTest, FactsOfAUserWithFewRights) {
  for (const std::string user : {"app", "admin"}) {
    RunningClient client(options_for(user));
    const auto facts = core::sync_wait(client->facts(client.within(10s)));
    ASSERT_TRUE(facts) << facts.error().message;
    EXPECT_EQ(facts->eviction_policy, "noeviction") << user;
    EXPECT_FALSE(facts->version.empty()) << user;
  }
}

TEST_F(TlsTest, TheServerGoesAndComesBack) {
  RunningClient client(options_for("app"));
  EXPECT_EQ(client.text({"SET", "hm:a", "1"}), "OK");
  ASSERT_TRUE(server_->run("kill", {server_->value("port")}));
  ASSERT_TRUE(server_->run("restart"));
  EXPECT_TRUE(eventually([&] { return client.text({"SET", "hm:a", "2"}) == "OK"; }));
}

}  // namespace
}  // namespace scalestyle::adapters::redis
