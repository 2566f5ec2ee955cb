#pragma once
// The two servers that the tests of this folder speak to, each started when the first test asks for it; and a client of one,
// with the thread of its calls.

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "adapters/milvus/milvus_client.hpp"
#include "adapters/milvus/milvus_collection_writer.hpp"
#include "adapters/milvus/milvus_vector_index.hpp"
#include "core/clock.hpp"
#include "core/task.hpp"
#include "support/real_server.hpp"
#include "support/sample_generation.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::adapters::milvus {

inline constexpr const char* kMilvus = "milvus.sh";
inline constexpr const char* kMilvusLite = "milvus_lite.sh";

// Null, with the reason on standard error, where it cannot be had; a server that fails to start fails the test.
[[nodiscard]] support::RealServer* milvus_server(const std::string& script);

// A prefix that no other test of this program uses.
[[nodiscard]] std::string new_prefix();

class MilvusConnection {
 public:
  explicit MilvusConnection(const std::string& port, MilvusClient::Options options = {});
  ~MilvusConnection();
  MilvusConnection(const MilvusConnection&) = delete;
  MilvusConnection& operator=(const MilvusConnection&) = delete;

  [[nodiscard]] MilvusClient& client() { return *client_; }
  [[nodiscard]] const core::Clock& clock() const { return clock_; }
  [[nodiscard]] std::string metrics() { return metrics_.render(); }
  [[nodiscard]] core::Deadline within(std::chrono::milliseconds time) const { return core::Deadline::after(time, clock_); }

  [[nodiscard]] std::unique_ptr<MilvusVectorIndex> index(MilvusVectorIndex::Options options,
                                                         ports::GenerationUse* use = nullptr) {
    return MilvusVectorIndex::create(std::move(options), {*client_, clock_, use}).value();
  }
  [[nodiscard]] std::unique_ptr<MilvusCollectionWriter> writer(MilvusCollectionWriter::Options options) {
    return MilvusCollectionWriter::create(std::move(options), {*client_, clock_}).value();
  }

 private:
  core::SystemClock clock_;
  telemetry::Metrics metrics_;
  std::unique_ptr<MilvusClient> client_;
  std::thread thread_;
};

// Rows without attributes.
[[nodiscard]] std::vector<MilvusRow> rows_of(const support::IndexedVectors& vectors);
[[nodiscard]] ports::EncoderInfo sample_encoder(std::size_t dimension);

// A whole collection of them.
void write_collection(MilvusCollectionWriter& writer, const std::string& generation, const support::IndexedVectors& vectors);

// Repeats `attempt` until it is true, for half a minute at most.
[[nodiscard]] bool eventually(const std::function<bool()>& attempt);

// Tests on each of the servers: the script is the parameter.
class MilvusTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    server_ = milvus_server(GetParam());
    if (server_ == nullptr) GTEST_SKIP() << GetParam() << ": the server cannot be had on this machine";
    connection_ = std::make_unique<MilvusConnection>(server_->value("port"));
  }
  [[nodiscard]] bool is_lite() const { return std::string(GetParam()) == kMilvusLite; }

  support::RealServer* server_ = nullptr;
  std::unique_ptr<MilvusConnection> connection_;
  const std::string prefix_ = new_prefix();
};

inline std::string server_name(const testing::TestParamInfo<const char*>& info) {
  return std::string(info.param) == kMilvus ? "Milvus" : "MilvusLite";
}

}  // namespace scalestyle::adapters::milvus
