#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <string>
#include <thread>

#include "adapters/milvus/milvus_client.hpp"
#include "adapters/milvus/milvus_collection_writer.hpp"
#include "adapters/milvus/milvus_vector_index.hpp"
#include "support/fake_generation_use.hpp"
#include "support/temporary_folder.hpp"

namespace scalestyle::adapters::milvus {
namespace {

using core::ErrorCode;

template <class Options>
std::string field_at_fault(const std::function<void(Options&)>& change) {
  Options options;
  EXPECT_TRUE(options.validate());
  change(options);
  const auto status = options.validate();
  EXPECT_FALSE(status);
  if (status) return {};
  EXPECT_EQ(status.error().code, ErrorCode::kInvalidArgument);
  return status.error().field;
}

TEST(MilvusOptions, OfTheClient) {
  using Options = MilvusClient::Options;
  for (const char* address :
       {"", "milvus", ":19530", "host:", "host:0", "host:65536", "host:1x", "http://host:19530", "ho st:1\n"}) {
    EXPECT_EQ(field_at_fault<Options>([&](Options& o) { o.address = address; }), "milvus_address") << address;
  }
  EXPECT_EQ(field_at_fault<Options>([](Options& o) { o.ca_file = "x"; }), "milvus_ca_file");
  EXPECT_EQ(field_at_fault<Options>([](Options& o) { o.username = "root"; }), "milvus_username");
  EXPECT_EQ(field_at_fault<Options>([](Options& o) { o.username = o.password = o.token = "x"; }), "milvus_token");
  EXPECT_EQ(field_at_fault<Options>([](Options& o) { o.token = "a\r\nb"; }), "milvus_token");
  EXPECT_EQ(field_at_fault<Options>([](Options& o) { o.max_calls = 0; }), "milvus_max_calls");
  EXPECT_EQ(field_at_fault<Options>([](Options& o) { o.attempts = 11; }), "milvus_attempts");
  EXPECT_EQ(field_at_fault<Options>([](Options& o) { o.call_timeout = {}; }), "milvus_timeout_ms");
}

TEST(MilvusOptions, OfIndexAndWriter) {
  using Index = MilvusVectorIndex::Options;
  using Writer = MilvusCollectionWriter::Options;
  EXPECT_EQ(field_at_fault<Index>([](Index& o) { o.collection_prefix = "9"; }), "milvus_prefix");
  EXPECT_EQ(field_at_fault<Index>([](Index& o) { o.ef = 0; }), "milvus_ef");
  EXPECT_EQ(field_at_fault<Index>([](Index& o) { o.nprobe = 0; }), "milvus_nprobe");
  EXPECT_EQ(field_at_fault<Writer>([](Writer& o) { o.collection_prefix = "a-b"; }), "milvus_prefix");
  EXPECT_EQ(field_at_fault<Writer>([](Writer& o) { o.m = 3; }), "milvus_m");
  EXPECT_EQ(field_at_fault<Writer>([](Writer& o) { o.ef_construction = 1000; }), "milvus_ef_construction");
  EXPECT_EQ(field_at_fault<Writer>([](Writer& o) { o.nlist = 0; }), "milvus_nlist");
  EXPECT_EQ(field_at_fault<Writer>([](Writer& o) { o.batch_bytes = 1; }), "milvus_batch_bytes");
}

TEST(MilvusOptions, NamesOfTypes) {
  for (const auto type : {MilvusIndexType::kHnsw, MilvusIndexType::kIvfFlat, MilvusIndexType::kFlat}) {
    EXPECT_EQ(milvus_index_type(to_string(type)), type);
  }
  EXPECT_EQ(milvus_index_type("ivf"), std::nullopt);
  for (const auto level : {MilvusConsistency::kStrong, MilvusConsistency::kBounded, MilvusConsistency::kEventually}) {
    EXPECT_EQ(milvus_consistency(to_string(level)), level);
  }
  EXPECT_EQ(milvus_consistency(""), std::nullopt);
}

class WithoutServer : public testing::Test {
 protected:
  core::SystemClock clock_;
  telemetry::Metrics metrics_;
};

TEST_F(WithoutServer, CertificatesThatCannotBeReadAreNamed) {
  const support::TemporaryFolder folder;
  MilvusClient::Options options;
  options.tls = true;
  options.ca_file = folder / "none.pem";
  const auto client = MilvusClient::create(options, {clock_, metrics_});
  ASSERT_FALSE(client);
  EXPECT_EQ(client.error().field, "milvus_ca_file");
  EXPECT_NE(client.error().message.find("none.pem"), std::string::npos);
}

// Nobody listens on port 1.
TEST_F(WithoutServer, CallsFailSoonAndAreRepeatedOnlySoOften) {
  MilvusClient::Options options;
  options.address = "127.0.0.1:1";
  const auto client = MilvusClient::create(options, {clock_, metrics_}).value();
  std::thread io([&] { client->run(); });
  const auto version = core::sync_wait(client->server_version(core::Deadline::never()));
  ASSERT_FALSE(version);
  EXPECT_EQ(version.error().code, ErrorCode::kUnavailable) << version.error().message;
  EXPECT_TRUE(version.error().message.starts_with("milvus 127.0.0.1:1, GetVersion: ")) << version.error().message;
  EXPECT_EQ(client->trouble(), version.error().message);
  const auto late = core::sync_wait(client->server_version(core::Deadline::at(clock_.steady_now())));
  EXPECT_EQ(late.error().code, ErrorCode::kDeadlineExceeded);
  const auto index = MilvusVectorIndex::create({}, {*client, clock_}).value();
  EXPECT_EQ(core::sync_wait(index->open(core::GenerationId("g1"), core::Deadline::never())).error().code,
            ErrorCode::kUnavailable);
  client->stop();
  io.join();
  EXPECT_EQ(core::sync_wait(client->server_version(core::Deadline::never())).error().code, ErrorCode::kCancelled);
  EXPECT_NE(metrics_.render().find("scalestyle_milvus_failures_total"), std::string::npos);
}

TEST_F(WithoutServer, AClientThatNeverRanCanGo) {
  const auto client = MilvusClient::create({}, {clock_, metrics_}).value();
  client->stop();
  client->stop();
}

TEST_F(WithoutServer, TheFakeOfGenerationUseForgetsInTime) {
  support::FakeGenerationUse use(clock_);
  const auto never = core::Deadline::never();
  EXPECT_FALSE(core::sync_wait(use.report("", core::GenerationId("g"), std::chrono::seconds(9), never)));
  EXPECT_TRUE(core::sync_wait(use.report("a", core::GenerationId("g"), std::chrono::seconds(9), never)));
  EXPECT_EQ(core::sync_wait(use.used(never))->size(), 1U);
  use.forget("a");
  EXPECT_TRUE(core::sync_wait(use.used(never))->empty());
}

}  // namespace
}  // namespace scalestyle::adapters::milvus
