#include "milvus_servers.hpp"

#include <atomic>
#include <cstdio>
#include <map>

namespace scalestyle::adapters::milvus {

namespace {

struct Started {
  std::unique_ptr<support::RealServer> server;
  bool was_tried = false;
};

std::map<std::string, Started>& servers() {
  static std::map<std::string, Started> all;
  return all;
}

// Stops them before the program's other objects go, also when a test failed.
class StopServers final : public testing::Environment {
 public:
  void TearDown() override { servers().clear(); }
};
[[maybe_unused]] const testing::Environment* const stop_servers = testing::AddGlobalTestEnvironment(new StopServers);

}  // namespace

support::RealServer* milvus_server(const std::string& script) {
  Started& started = servers()[script];
  if (!started.was_tried) {
    started.was_tried = true;
    auto server = support::RealServer::start(script);
    if (server) {
      started.server = std::move(*server);
    } else {
      std::fprintf(stderr, "%s\n", server.error().message.c_str());
      EXPECT_EQ(server.error().code, core::ErrorCode::kNotFound) << server.error().message;
    }
  }
  return started.server.get();
}

std::string new_prefix() {
  static std::atomic<int> next{0};
  return "t" + std::to_string(++next) + "_";
}

MilvusConnection::MilvusConnection(const std::string& port, MilvusClient::Options options) {
  options.address = "127.0.0.1:" + port;
  client_ = MilvusClient::create(std::move(options), {clock_, metrics_}).value();
  thread_ = std::thread([this] { client_->run(); });
}

MilvusConnection::~MilvusConnection() {
  client_->stop();
  thread_.join();
}

std::vector<MilvusRow> rows_of(const support::IndexedVectors& vectors) {
  std::vector<MilvusRow> rows;
  for (std::size_t row = 0; row < vectors.ids.size(); ++row) {
    MilvusRow made{.id = vectors.ids[row]};
    made.vector.assign(vectors.row(row).begin(), vectors.row(row).end());
    rows.push_back(std::move(made));
  }
  return rows;
}

ports::EncoderInfo sample_encoder(std::size_t dimension) {
  return {.model = "some-model",
          .weights_hash = std::string(64, 'b'),
          .precision = "int8",
          .dimension = dimension,
          .max_tokens = 512};
}

void write_collection(MilvusCollectionWriter& writer, const std::string& generation, const support::IndexedVectors& vectors) {
  const core::GenerationId id(generation);
  const auto never = core::Deadline::never();
  const auto begun = core::sync_wait(writer.begin(id, sample_encoder(vectors.dimension), never));
  ASSERT_TRUE(begun) << begun.error().message;
  const auto inserted = core::sync_wait(writer.insert(id, rows_of(vectors), never));
  ASSERT_TRUE(inserted) << inserted.error().message;
  const auto completed = core::sync_wait(writer.complete(id, vectors.ids.size(), never));
  ASSERT_TRUE(completed) << completed.error().message;
}

bool eventually(const std::function<bool()>& attempt) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!attempt()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return true;
}

}  // namespace scalestyle::adapters::milvus
