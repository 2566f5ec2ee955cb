// A server that demands TLS and a user.

#include <string>

#include "milvus_servers.hpp"

namespace scalestyle::adapters::milvus {
namespace {

using core::ErrorCode;
using core::GenerationId;

class MilvusSecurityTest : public testing::Test {
 protected:
  void SetUp() override {
    auto started = support::RealServer::start(kMilvus, {"secured"});
    if (!started && started.error().code == ErrorCode::kNotFound) GTEST_SKIP() << started.error().message;
    ASSERT_TRUE(started) << started.error().message;
    server_ = std::move(*started);
  }
  [[nodiscard]] MilvusClient::Options options() const {
    MilvusClient::Options good;
    good.tls = true;
    good.ca_file = server_->value("ca_file");
    good.username = "root";
    good.password = "Milvus";
    return good;
  }
  ErrorCode refusal(const MilvusClient::Options& options) {
    MilvusConnection connection(server_->value("port"), options);
    const auto index = connection.index({});
    const auto status = core::sync_wait(index->open(GenerationId("g1"), connection.within(std::chrono::seconds(5))));
    EXPECT_FALSE(status);
    if (status) return ErrorCode::kInternal;
    EXPECT_EQ(status.error().message.find("Milvus\""), std::string::npos);
    EXPECT_EQ(connection.client().trouble().empty(), status.error().code == ErrorCode::kNotFound) << status.error().message;
    return status.error().code;
  }

  std::unique_ptr<support::RealServer> server_;
};

TEST_F(MilvusSecurityTest, OnlyWithItsCertificateAndItsUser) {
  const auto vectors = support::random_vectors(20, 8, 1);
  {
    MilvusConnection connection(server_->value("port"), options());
    const auto version = core::sync_wait(connection.client().server_version(connection.within(std::chrono::seconds(30))));
    ASSERT_TRUE(version) << version.error().message;
    EXPECT_TRUE(version->starts_with("v2.3.5")) << *version;
    write_collection(*connection.writer({.index = MilvusIndexType::kFlat}), "g1", vectors);
    const auto index = connection.index({});
    ASSERT_TRUE(core::sync_wait(index->open(GenerationId("g1"), core::Deadline::never())));
    const auto vector = core::sync_wait(index->vector_of(GenerationId("g1"), vectors.ids[3], core::Deadline::never()));
    ASSERT_TRUE(vector) << vector.error().message;
  }
  auto by_token = options();
  by_token.token = by_token.username + ":" + by_token.password;
  by_token.username.clear();
  by_token.password.clear();
  MilvusConnection connection(server_->value("port"), by_token);
  const auto index = connection.index({});
  EXPECT_TRUE(core::sync_wait(index->open(GenerationId("g1"), core::Deadline::never())));

  auto wrong = options();
  wrong.password = "wrong";
  EXPECT_EQ(refusal(wrong), ErrorCode::kPermissionDenied);
  wrong = options();
  wrong.username.clear();
  wrong.password.clear();
  EXPECT_EQ(refusal(wrong), ErrorCode::kPermissionDenied);
  wrong = options();
  wrong.ca_file = server_->value("other_ca_file");
  EXPECT_EQ(refusal(wrong), ErrorCode::kUnavailable);
  wrong.ca_file.clear();  // of the system, which does not know it
  EXPECT_EQ(refusal(wrong), ErrorCode::kUnavailable);
  wrong = options();
  wrong.tls = false;
  wrong.ca_file.clear();
  EXPECT_EQ(refusal(wrong), ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace scalestyle::adapters::milvus
