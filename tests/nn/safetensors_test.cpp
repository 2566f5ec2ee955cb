#include "nn/safetensors.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>

#include "support/temporary_folder.hpp"

namespace scalestyle::nn {
namespace {

using ::testing::HasSubstr;

class Safetensors : public ::testing::Test {
 protected:
  // A file with this header and so many bytes 0, 1, 2, ... of data.
  core::Result<SafetensorsFile> open(const std::string& header, std::size_t data_bytes) const {
    const std::uint64_t length = header.size();
    std::string bytes(reinterpret_cast<const char*>(&length), sizeof length);
    bytes += header;
    for (std::size_t index = 0; index < data_bytes; ++index) bytes.push_back(static_cast<char>(index));
    return open_bytes(bytes);
  }
  core::Result<SafetensorsFile> open_bytes(const std::string& bytes) const {
    std::ofstream(path_, std::ios::binary) << bytes;
    return SafetensorsFile::open(path_);
  }
  void expect_damaged(const core::Result<SafetensorsFile>& file, const std::string& part) const {
    ASSERT_FALSE(file.has_value());
    EXPECT_EQ(file.error().code, core::ErrorCode::kDataLoss);
    EXPECT_THAT(file.error().message, HasSubstr(path_.string()));
    EXPECT_THAT(file.error().message, HasSubstr(part));
  }

  support::TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "model.safetensors";
};

const std::string kTwo =
    R"({"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},)"
    R"("b":{"dtype":"I64","shape":[],"data_offsets":[8,16]}})";

TEST_F(Safetensors, ReadsTensors) {
  const auto file = open(kTwo, 16);
  ASSERT_TRUE(file.has_value()) << file.error().message;
  EXPECT_EQ(file->tensors().size(), 2U);
  const std::array<std::uint64_t, 2> shape{2, 1};
  const auto values = file->read_f32("a", shape);
  ASSERT_TRUE(values.has_value()) << values.error().message;
  float expected = 0;
  const std::array<unsigned char, 4> first{0, 1, 2, 3};
  std::memcpy(&expected, first.data(), 4);
  EXPECT_EQ(values->front(), expected);
  EXPECT_TRUE(file->tensors().at("b").shape.empty());
  EXPECT_EQ(file->sha256().size(), 64U);
}

TEST_F(Safetensors, ConvertsNarrowTypes) {
  const auto file = open(R"({"h":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}})", 4);  // 0x0100, 0x0302
  ASSERT_TRUE(file.has_value());
  const std::array<std::uint64_t, 1> shape{2};
  const auto values = file->read_f32("h", shape);
  ASSERT_TRUE(values.has_value());
  EXPECT_EQ((*values)[0], 256.0F / 16777216.0F);  // subnormal
  EXPECT_EQ((*values)[1], 770.0F / 16777216.0F);
  const auto wide = open(R"({"h":{"dtype":"BF16","shape":[1],"data_offsets":[0,2]}})", 2);
  const std::array<std::uint64_t, 1> one{1};
  EXPECT_GT(wide->read_f32("h", one)->front(), 0.0F);
}

TEST_F(Safetensors, NamesWhatIsMissingOrMisshapen) {
  const auto file = open(kTwo, 16);
  ASSERT_TRUE(file.has_value());
  const std::array<std::uint64_t, 2> wrong{1, 2};
  EXPECT_THAT(file->find("c", {}).error().message, HasSubstr("\"c\""));
  EXPECT_THAT(file->find("a", wrong).error().message, HasSubstr("[2, 1]"));
  EXPECT_THAT(file->read_f32("b", {}).error().message, HasSubstr("I64"));
  EXPECT_THAT(file->view_f32("b", {}).error().message, HasSubstr("F32 is needed"));
}

TEST_F(Safetensors, RefusesWhatIsNotFinite) {
  std::string bytes;
  const std::string header = R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
  const std::uint64_t length = header.size();
  bytes.assign(reinterpret_cast<const char*>(&length), sizeof length);
  bytes += header + std::string("\0\0\xC0\x7F", 4);
  const auto file = open_bytes(bytes);
  ASSERT_TRUE(file.has_value());
  const std::array<std::uint64_t, 1> one{1};
  EXPECT_THAT(file->read_f32("a", one).error().message, HasSubstr("not finite"));
}

TEST_F(Safetensors, RefusesDamagedFiles) {
  const auto entry = [](const std::string& body) { return "{\"a\":{" + body + "}}"; };
  EXPECT_EQ(SafetensorsFile::open(path_ / "none").error().code, core::ErrorCode::kNotFound);
  expect_damaged(open_bytes("1234"), "too few");
  expect_damaged(open_bytes(std::string(8, '\xFF') + "{}"), "header claims");
  expect_damaged(open_bytes(std::string("\x03\0\0\0\0\0\0\0{}", 10)), "header claims");
  expect_damaged(open("{", 0), "not JSON");
  expect_damaged(open(std::string(200'000, '['), 0), "not JSON");
  expect_damaged(open("[]", 0), "not a JSON object");
  expect_damaged(open(R"({"a":1})", 0), "\"a\"");
  expect_damaged(open(entry(R"("shape":[1],"data_offsets":[0,4])"), 4), "dtype");
  expect_damaged(open(entry(R"("dtype":"F31","shape":[1],"data_offsets":[0,4])"), 4), "F31");
  expect_damaged(open(entry(R"("dtype":"F32","shape":[-1],"data_offsets":[0,4])"), 4), "shape");
  expect_damaged(open(entry(R"("dtype":"F32","shape":[1.5],"data_offsets":[0,4])"), 4), "shape");
  expect_damaged(open(entry(R"("dtype":"F32","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,4])"), 4), "dimensions");
  expect_damaged(open(entry(R"("dtype":"F32","shape":[1],"data_offsets":[0,8])"), 4), "outside");
  expect_damaged(open(entry(R"("dtype":"F32","shape":[1],"data_offsets":[4,0])"), 4), "outside");
  expect_damaged(open(entry(R"("dtype":"F32","shape":[1],"data_offsets":[0])"), 4), "data_offsets");
  expect_damaged(open(entry(R"("dtype":"F32","shape":[1],"data_offsets":[0,18446744073709551615])"), 4), "outside");
  expect_damaged(open(entry(R"("dtype":"F32","shape":[4294967296,4294967297],"data_offsets":[0,4])"), 4), "match");
  expect_damaged(open(entry(R"("dtype":"F32","shape":[2],"data_offsets":[0,4])"), 4), "match");
  expect_damaged(open(entry(R"("dtype":"F32","shape":[1],"data_offsets":[4,8])"), 8), "belong to no tensor");
  expect_damaged(open(entry(R"("dtype":"F32","shape":[1],"data_offsets":[0,4])"), 8), "last 4 bytes");
  expect_damaged(open(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}})", 6),
                 "overlaps");
  expect_damaged(open(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"a":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}})", 8),
                 "belong");
}

// Whatever byte of a good file is changed or cut, the answer is an error or a file whose tensors can all be read.
TEST_F(Safetensors, SurvivesAnyDamage) {
  const std::uint64_t length = kTwo.size();
  std::string good(reinterpret_cast<const char*>(&length), sizeof length);
  good += kTwo + std::string(16, 'x');
  std::mt19937 random(5);
  std::size_t opened = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string bytes = good;
    bytes[random() % bytes.size()] = static_cast<char>(random());
    if (round % 3 == 0) bytes.resize(random() % bytes.size());
    const auto file = open_bytes(bytes);
    if (!file) continue;
    ++opened;
    for (const auto& [name, tensor] : file->tensors()) {
      for (const std::byte byte : tensor.bytes) opened += byte == std::byte{0} ? 1 : 0;
    }
  }
  EXPECT_GT(opened, 0U);
}

}  // namespace
}  // namespace scalestyle::nn
