// Damaged files of graphs are refused by name, and never followed.

#include "adapters/graph/graph_file.hpp"

#include <gtest/gtest.h>
#include <zlib.h>

#include <cstring>
#include <string>

#include "adapters/graph/vector_graph.hpp"
#include "graph_support.hpp"
#include "support/temporary_folder.hpp"

namespace scalestyle::adapters::graph {
namespace {

constexpr std::size_t kHeaderBytes = 128;
constexpr std::size_t kPayloadChecksumAt = 32;
constexpr std::size_t kHeaderChecksumAt = 36;

class GraphFileTest : public ::testing::Test {
 protected:
  GraphFileTest() {
    auto vectors = clustered_vectors(300, 16, 1);
    std::ranges::copy(vectors.row(7), vectors.values.begin() + 16 * 8);  // one node of two rows
    forms_.emplace(vectors);
    EXPECT_TRUE(build_graph(forms_->quantized, {.neighbours = 4, .construction = 32}, file(), go_on));
    bytes_ = embedded::read_bytes(file());
  }
  [[nodiscard]] std::filesystem::path file() const { return folder_.path() / "vectors.graph"; }

  core::Result<VectorGraph> open(const std::string& bytes) {
    embedded::write_bytes(file(), bytes);
    return VectorGraph::open(file(), forms_->quantized);
  }
  void expect_damaged(const std::string& bytes, const std::string& words) {
    const auto opened = open(bytes);
    ASSERT_FALSE(opened) << words;
    EXPECT_EQ(opened.error().code, core::ErrorCode::kDataLoss) << opened.error().message;
    EXPECT_NE(opened.error().message.find(file().string()), std::string::npos) << opened.error().message;
    EXPECT_NE(opened.error().message.find(words), std::string::npos) << opened.error().message;
  }
  // With checksums that are right again.
  static std::string sealed(std::string bytes) {
    const auto crc_of = [](const char* data, std::size_t size) {
      return static_cast<std::uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(data), size));
    };
    const std::uint32_t payload = crc_of(bytes.data() + kHeaderBytes, bytes.size() - kHeaderBytes);
    std::memcpy(bytes.data() + kPayloadChecksumAt, &payload, sizeof payload);
    std::memset(bytes.data() + kHeaderChecksumAt, 0, 4);
    const std::uint32_t header = crc_of(bytes.data(), kHeaderBytes);
    std::memcpy(bytes.data() + kHeaderChecksumAt, &header, sizeof header);
    return bytes;
  }
  static std::string with_number(std::string bytes, std::size_t at, std::uint32_t number) {
    std::memcpy(bytes.data() + at, &number, sizeof number);
    return sealed(std::move(bytes));
  }

  support::TemporaryFolder folder_;
  std::optional<BothForms> forms_;
  std::string bytes_;
};

TEST_F(GraphFileTest, OpensAsItWasWritten) {
  const auto graph = open(bytes_);
  ASSERT_TRUE(graph) << graph.error().message;
  EXPECT_EQ(graph->shape().rows, 300U);
  EXPECT_EQ(graph->shape().nodes, 299U);
  EXPECT_EQ(graph->shape().neighbours, 4U);
  EXPECT_EQ(graph->shape().construction, 32U);
  EXPECT_GT(graph->shape().upper_nodes, 0U);
  EXPECT_EQ(sealed(bytes_), bytes_);
}

TEST_F(GraphFileTest, EveryTruncationIsTold) {
  for (std::size_t size = 0; size < bytes_.size(); size += size < 2 * kHeaderBytes ? 1 : 97) {
    const auto opened = open(bytes_.substr(0, size));
    ASSERT_FALSE(opened) << size;
    EXPECT_EQ(opened.error().code, core::ErrorCode::kDataLoss);
  }
  expect_damaged(bytes_ + std::string(64, '\0'), "expected");
}

TEST_F(GraphFileTest, EveryChangedByteIsTold) {
  for (std::size_t at = 0; at < bytes_.size(); at += at < kHeaderBytes ? 1 : 61) {
    std::string changed = bytes_;
    changed[at] = static_cast<char>(changed[at] ^ 0x40);
    EXPECT_FALSE(open(changed)) << at;
  }
}

TEST_F(GraphFileTest, NumbersThatLeadNowhereAreToldThoughChecksumsAreRight) {
  expect_damaged(with_number(bytes_, kHeaderBytes, 9), "9 neighbours");
  expect_damaged(with_number(bytes_, kHeaderBytes + 4, 299), "leads to node 299");
  expect_damaged(with_number(bytes_, kHeaderBytes + 4 + 8 * 4, 5), "says that it is node 5");
  expect_damaged(with_number(bytes_, 40, 301), "do not go together");              // nodes
  expect_damaged(with_number(bytes_, 44, 65), "do not go together");               // neighbours
  expect_damaged(with_number(bytes_, 52, 299), "do not go together");              // entry
  expect_damaged(with_number(bytes_, 56, 60), "not at the top level");             // top level
  expect_damaged(with_number(bytes_, bytes_.size() - 64, 4'000'000), "row");       // a member
  const auto newer = open(with_number(bytes_, 8, 2));
  ASSERT_FALSE(newer);
  EXPECT_EQ(newer.error().code, core::ErrorCode::kUnsupported);
}

TEST_F(GraphFileTest, AGraphOfOtherVectorsIsRefused) {
  embedded::write_bytes(file(), bytes_);
  const BothForms fewer(clustered_vectors(299, 16, 1));
  EXPECT_EQ(VectorGraph::open(file(), fewer.quantized).error().code, core::ErrorCode::kDataLoss);
  const BothForms wider(clustered_vectors(300, 17, 1));
  EXPECT_EQ(VectorGraph::open(file(), wider.quantized).error().code, core::ErrorCode::kDataLoss);
}

}  // namespace
}  // namespace scalestyle::adapters::graph
