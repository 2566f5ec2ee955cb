#include "ingest/models/zip_reader.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

#include "models_samples.hpp"

namespace scalestyle::ingest::models {
namespace {

using core::ErrorCode;
using samples::make_zip;

constexpr std::uint64_t kLimit = 1 << 20;
constexpr std::size_t kEndBytes = 22;

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text.data(), text.size())); }
std::string text_of(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Opens and reads every entry; what counts is that nothing is read out of bounds.
core::Result<std::string> read_everything(const std::string& zip) {
  CORE_TRY(const auto reader, ZipReader::open(bytes_of(zip), "test.zip"));
  std::string all;
  for (const auto& entry : reader.entries()) {
    CORE_TRY(const auto content, reader.read(entry.name, kLimit));
    all += text_of(content);
  }
  return all;
}

std::string sample() {
  return make_zip({{"stored.txt", "as it is", false},
                   {"folder/deflated.txt", std::string(5000, 'a') + "b", true},
                   {"empty", "", true},
                   {"empty stored", "", false}});
}

void patch(std::string& zip, std::size_t offset, std::string_view bytes) {
  std::ranges::copy(bytes, zip.begin() + static_cast<std::ptrdiff_t>(offset));
}

TEST(ModelsZipReader, ReadsStoredAndDeflatedEntries) {
  const std::string zip = sample();
  const auto reader = ZipReader::open(bytes_of(zip), "test.zip");
  ASSERT_TRUE(reader) << reader.error().message;
  ASSERT_EQ(reader->entries().size(), 4U);
  EXPECT_EQ(text_of(*reader->read("stored.txt", kLimit)), "as it is");
  EXPECT_EQ(text_of(*reader->read("folder/deflated.txt", 5001)), std::string(5000, 'a') + "b");
  EXPECT_EQ(text_of(*reader->read("empty", 0)), "");
  const auto missing = reader->read("absent", kLimit);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  const auto limited = reader->read("folder/deflated.txt", 5000);
  ASSERT_FALSE(limited);
  EXPECT_EQ(limited.error().code, ErrorCode::kResourceExhausted);
  EXPECT_NE(limited.error().message.find("folder/deflated.txt"), std::string::npos);
}

TEST(ModelsZipReader, AcceptsACommentThatHoldsTheSignature) {
  const auto all = read_everything(make_zip({{"a", "content", true}}, std::string("PK\5\6").append(40, 'x')));
  ASSERT_TRUE(all) << all.error().message;
  EXPECT_EQ(*all, "content");
}

TEST(ModelsZipReader, RefusesWhatItDoesNotSupportByName) {
  std::string zip64 = sample();
  patch(zip64, zip64.size() - 12, "\xff\xff");
  std::string parts = sample();
  patch(parts, parts.size() - 18, "\x01");
  std::string encrypted = make_zip({{"a", "content", false}});
  patch(encrypted, encrypted.size() - kEndBytes - 47 + 8, "\x01");
  for (const std::string& zip : {zip64, parts, encrypted}) {
    const auto opened = ZipReader::open(bytes_of(zip), "test.zip");
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, ErrorCode::kUnsupported) << opened.error().message;
  }
  std::string method = make_zip({{"a", "content", false}});
  patch(method, method.size() - kEndBytes - 47 + 10, "\x0c");
  const auto read = read_everything(method);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::kUnsupported);
}

TEST(ModelsZipReader, RefusesDamageByName) {
  std::string wrong_crc = make_zip({{"a", "content", false}});
  patch(wrong_crc, 31, "C");
  std::string outside = make_zip({{"a", "content", false}});
  patch(outside, outside.size() - kEndBytes - 47 + 42, std::string_view("\xff\xff\xff\x7f", 4));
  std::string directory_outside = make_zip({{"a", "content", false}});
  patch(directory_outside, directory_outside.size() - 6, std::string_view("\xff\xff\xff\x7f", 4));
  std::string more_entries = make_zip({{"a", "content", false}});
  patch(more_entries, more_entries.size() - 14, std::string_view("\x02\x00\x02\x00", 4));
  for (const std::string& zip : {wrong_crc, outside, directory_outside, more_entries, std::string(), std::string("PK")}) {
    const auto all = read_everything(zip);
    ASSERT_FALSE(all);
    EXPECT_EQ(all.error().code, ErrorCode::kDataLoss) << all.error().message;
    EXPECT_NE(all.error().message.find("test.zip"), std::string::npos);
  }
}

TEST(ModelsZipReader, RefusesBombs) {
  // A header that understates the size: inflating stops there.
  std::string understated = make_zip({{"a", std::string(1 << 20, 'x'), true}});
  patch(understated, understated.size() - kEndBytes - 47 + 24, std::string_view("\x10\x00\x00\x00", 4));
  auto all = read_everything(understated);
  ASSERT_FALSE(all);
  EXPECT_EQ(all.error().code, ErrorCode::kDataLoss);
  // One that overstates it beyond what deflate can do: nothing is allocated.
  std::string overstated = make_zip({{"a", "x", true}});
  patch(overstated, overstated.size() - kEndBytes - 47 + 24, std::string_view("\x00\x00\xf0\x7f", 4));
  const auto reader = ZipReader::open(bytes_of(overstated), "test.zip");
  ASSERT_TRUE(reader);
  const auto read = reader->read("a", std::uint64_t{1} << 33);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::kDataLoss);
}

TEST(ModelsZipReader, EveryTruncationIsRefused) {
  const std::string zip = sample();
  for (std::size_t size = 0; size < zip.size(); ++size) {
    EXPECT_FALSE(read_everything(zip.substr(0, size))) << size;
  }
}

TEST(ModelsZipReader, RandomDamageNeverYieldsOtherContent) {
  const std::string zip = sample();
  const std::string content = read_everything(zip).value();
  std::mt19937 random(7);
  for (int round = 0; round < 20'000; ++round) {
    std::string damaged = zip;
    for (unsigned flips = random() % 4 + 1; flips > 0; --flips) {
      char& byte = damaged[random() % damaged.size()];
      byte = static_cast<char>(byte ^ static_cast<char>(1U << (random() % 8)));
    }
    const auto all = read_everything(damaged);
    if (all && all->size() == content.size()) {
      EXPECT_EQ(*all, content);
    }
  }
}

}  // namespace
}  // namespace scalestyle::ingest::models
