// read_onnx, convert_bert, write_safetensors.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <string>

#include "core/files.hpp"
#include "ingest/models/bert_conversion.hpp"
#include "ingest/models/onnx_reader.hpp"
#include "ingest/models/safetensors_writer.hpp"
#include "models_samples.hpp"
#include "support/temporary_folder.hpp"

namespace scalestyle::ingest::models {
namespace {

using core::ErrorCode;
using samples::bytes_field;
using samples::number_field;
using samples::tiny_bert;

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text.data(), text.size())); }

core::Result<std::vector<F32Tensor>> convert(const std::string& onnx) {
  CORE_TRY(const auto shape, bert_shape_of_config(samples::kTinyConfig));
  CORE_TRY(const auto graph, read_onnx(bytes_of(onnx)));
  return convert_bert(graph, shape);
}

const F32Tensor& find(const std::vector<F32Tensor>& tensors, std::string_view name) {
  return *std::ranges::find(tensors, name, &F32Tensor::name);
}

TEST(ModelsOnnxReader, ReadsNodesAndInitializers) {
  const std::string onnx = tiny_bert().onnx();
  const auto graph = read_onnx(bytes_of(onnx));
  ASSERT_TRUE(graph) << graph.error().message;
  EXPECT_EQ(graph->opset_version, 11);
  ASSERT_EQ(graph->nodes.size(), 12U);
  EXPECT_EQ(graph->nodes[0].op_type, "MatMul");
  EXPECT_EQ(graph->nodes[1].inputs[0], "encoder.layer.0.attention.self.query.bias");
  EXPECT_EQ(graph->initializers.front().name, "embeddings.word_embeddings.weight");
  EXPECT_EQ(graph->initializers.front().shape, (std::vector<std::uint64_t>{5, 2}));
}

TEST(ModelsOnnxReader, RefusesHostileFiles) {
  const std::string huge_length = std::string("\x3a") + samples::varint(std::uint64_t{1} << 62) + "abc";
  const std::string endless_varint = std::string("\x08").append(11, '\xff');
  const std::string group("\x0b");
  const std::string field_zero = std::string("\x02\x00", 2);
  const auto with_tensor = [](const std::string& tensor) { return samples::model({}, {tensor}); };
  const std::string short_data = with_tensor(number_field(1, 3) + number_field(2, 1) + bytes_field(8, "w") +
                                             bytes_field(9, std::string(8, 'x')));
  const std::string overflow = with_tensor(number_field(1, 0xffffffff) + number_field(1, 0xffffffff) +
                                           number_field(1, 0xffffffff) + number_field(2, 1) +
                                           bytes_field(9, std::string(4, 'x')));
  const std::string negative = with_tensor(number_field(1, ~std::uint64_t{0}) + number_field(2, 1));
  const std::string packed_cut = with_tensor(bytes_field(1, "\xff") + number_field(2, 1));
  for (const std::string& onnx : {huge_length, endless_varint, group, field_zero, short_data, overflow, negative,
                                  packed_cut, std::string(), number_field(1, 6)}) {
    const auto graph = read_onnx(bytes_of(onnx));
    ASSERT_FALSE(graph);
    EXPECT_EQ(graph.error().code, ErrorCode::kDataLoss) << graph.error().message;
  }
  const std::string external = with_tensor(number_field(2, 1) + bytes_field(8, "w") + number_field(14, 1));
  const std::string unpacked = with_tensor(number_field(1, 1) + number_field(2, 1) + bytes_field(4, "abcd"));
  for (const std::string& onnx : {external, unpacked}) {
    const auto graph = read_onnx(bytes_of(onnx));
    ASSERT_FALSE(graph);
    EXPECT_EQ(graph.error().code, ErrorCode::kUnsupported) << graph.error().message;
  }
}

TEST(ModelsOnnxReader, AcceptsPackedShapes) {
  const std::string onnx = samples::model({}, {bytes_field(1, samples::varint(1) + samples::varint(300)) +
                                               number_field(2, 1) + bytes_field(9, std::string(1200, '\0'))});
  const auto graph = read_onnx(bytes_of(onnx));
  ASSERT_TRUE(graph) << graph.error().message;
  EXPECT_EQ(graph->initializers[0].shape, (std::vector<std::uint64_t>{1, 300}));
}

TEST(ModelsOnnxReader, TruncationsAndRandomDamageEndInErrorsOrOtherGraphs) {
  const std::string onnx = tiny_bert().onnx();
  for (std::size_t size = 0; size < onnx.size(); ++size) {
    EXPECT_FALSE(convert(onnx.substr(0, size))) << size;
  }
  std::mt19937 random(11);
  for (int round = 0; round < 20'000; ++round) {
    std::string damaged = onnx;
    for (unsigned flips = random() % 4 + 1; flips > 0; --flips) {
      char& byte = damaged[random() % damaged.size()];
      byte = static_cast<char>(byte ^ static_cast<char>(1U << (random() % 8)));
    }
    const auto tensors = convert(damaged);
    if (tensors) {  // only values can have changed unnoticed
      EXPECT_EQ(tensors->size(), 21U);
    }
  }
}

TEST(ModelsBertConversion, NamesAndTransposesLinearWeights) {
  const auto tensors = convert(tiny_bert().onnx());
  ASSERT_TRUE(tensors) << tensors.error().message;
  ASSERT_EQ(tensors->size(), 21U);
  const auto& query = find(*tensors, "encoder.layer.0.attention.self.query.weight");
  EXPECT_EQ(query.values, (std::vector<float>{100, 110, 101, 111}));
  const auto& intermediate = find(*tensors, "encoder.layer.0.intermediate.dense.weight");
  EXPECT_EQ(intermediate.shape, (std::vector<std::uint64_t>{3, 2}));
  EXPECT_EQ(intermediate.values, (std::vector<float>{500, 510, 501, 511, 502, 512}));
  const auto& output = find(*tensors, "encoder.layer.0.output.dense.weight");
  EXPECT_EQ(output.shape, (std::vector<std::uint64_t>{2, 3}));
  EXPECT_EQ(output.values, (std::vector<float>{600, 610, 620, 601, 611, 621}));
  EXPECT_EQ(find(*tensors, "embeddings.word_embeddings.weight").values[9], 9);
}

TEST(ModelsBertConversion, RefusesAnotherModelNamingTheTensor) {
  auto missing = tiny_bert();
  missing.tensors.erase(missing.tensors.begin() + 1);
  auto nameless = tiny_bert();
  nameless.nodes.erase(nameless.nodes.begin() + 1);
  auto twice = tiny_bert();
  twice.tensors.push_back(twice.tensors.front());
  auto other_shape = tiny_bert();
  other_shape.tensors[2] = samples::tensor("embeddings.token_type_embeddings.weight", {1, 2}, {0, 1});
  const std::pair<samples::TinyBert, std::string> cases[] = {
      {missing, "embeddings.position_embeddings.weight"},
      {nameless, "onnx::MatMul_1001"},
      {twice, "embeddings.word_embeddings.weight"},
      {other_shape, "embeddings.token_type_embeddings.weight"}};
  for (const auto& [bert, name] : cases) {
    const auto tensors = convert(bert.onnx());
    ASSERT_FALSE(tensors);
    EXPECT_EQ(tensors.error().code, ErrorCode::kDataLoss);
    EXPECT_NE(tensors.error().message.find(name), std::string::npos) << tensors.error().message;
  }
}

TEST(ModelsBertConversion, ConfigMustHoldTheShape) {
  EXPECT_EQ(bert_shape_of_config(samples::kTinyConfig)->intermediate, 3U);
  for (const char* config : {"", "[]", "{}", R"({"vocab_size": -1})", R"({"vocab_size": "5"})", R"({"vocab_size": 1e9})"}) {
    const auto shape = bert_shape_of_config(config);
    ASSERT_FALSE(shape) << config;
    EXPECT_EQ(shape.error().code, ErrorCode::kDataLoss);
  }
}

TEST(ModelsSafetensorsWriter, BytesAreTheSpecifiedOnesInAnyOrder) {
  const support::TemporaryFolder folder;
  std::vector<F32Tensor> tensors = {{"b\"x", {2, 1}, {1, 2}}, {"a", {1}, {3}}};
  ASSERT_TRUE(write_safetensors(folder / "one", tensors));
  std::vector<F32Tensor> swapped = {{"a", {1}, {3}}, {"b\"x", {2, 1}, {1, 2}}};
  ASSERT_TRUE(write_safetensors(folder / "two", swapped));
  const std::string bytes = core::read_text_file(folder / "one", 1 << 20).value();
  EXPECT_EQ(bytes, core::read_text_file(folder / "two", 1 << 20).value());
  std::uint64_t header_bytes = 0;
  std::memcpy(&header_bytes, bytes.data(), sizeof(header_bytes));
  EXPECT_EQ((header_bytes + 8) % 64, 0U);
  std::string header = bytes.substr(8, header_bytes);
  header.erase(header.find_last_not_of(' ') + 1);
  EXPECT_EQ(header, R"({"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                    R"("b\"x":{"dtype":"F32","shape":[2,1],"data_offsets":[4,12]}})");
  EXPECT_EQ(bytes.substr(8 + header_bytes), samples::float_bytes({3, 1, 2}));
}

TEST(ModelsSafetensorsWriter, RefusesInconsistentTensors) {
  const support::TemporaryFolder folder;
  std::vector<F32Tensor> twice = {{"a", {1}, {3}}, {"a", {1}, {3}}};
  std::vector<F32Tensor> wrong = {{"a", {2}, {3}}};
  std::vector<F32Tensor> overflow = {{"a", {std::uint64_t{1} << 63, 4}, {}}};
  for (auto* tensors : {&twice, &wrong, &overflow}) {
    const auto status = write_safetensors(folder / "file", *tensors);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, ErrorCode::kInvalidArgument);
  }
  std::vector<F32Tensor> good = {{"a", {1}, {3}}};
  EXPECT_FALSE(write_safetensors(folder / "missing" / "file", good));
}

}  // namespace
}  // namespace scalestyle::ingest::models
