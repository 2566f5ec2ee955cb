#include "core/protobuf_fields.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <span>
#include <string>
#include <vector>

namespace scalestyle::core {
namespace {

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text.data(), text.size())); }

TEST(ProtobufFields, ReadsEveryWireType) {
  const std::string message("\x08\x96\x01\x12\x02hi\x1D\x00\x00\x80\x3F\x21\x01\x02\x03\x04\x05\x06\x07\x08", 21);
  std::vector<ProtobufField> fields;
  ASSERT_TRUE(for_each_field(bytes_of(message), "M", [&](const ProtobufField& field) -> Status {
    fields.push_back(field);
    return {};
  }));
  ASSERT_EQ(fields.size(), 4U);
  EXPECT_EQ(fields[0].varint, 150U);
  EXPECT_EQ(fields[1].text(), "hi");
  EXPECT_EQ(fields[2].type, WireType::kFixed32);
  EXPECT_EQ(fields[3].bytes.size(), 8U);
}

TEST(ProtobufFields, NamesMessageAndPlaceOfDamage) {
  const auto error = [](const std::string& message) {
    const Status status = for_each_field(bytes_of(message), "M of f", [](const ProtobufField&) -> Status { return {}; });
    EXPECT_FALSE(status);
    return status ? Error{} : status.error();
  };
  for (const std::string& message :
       {std::string("\x08"), std::string("\x12\x05hi"), std::string("\x1D\x00", 2), std::string("\x0B"), std::string("\x00\x00", 2),
        std::string("\x08") + std::string(11, '\xFF'), std::string("\x12\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01")}) {
    const Error found = error(message);
    EXPECT_EQ(found.code, ErrorCode::kDataLoss);
    EXPECT_THAT(found.message, ::testing::HasSubstr("M of f: damaged"));
  }
}

TEST(ProtobufFields, StopsAtAVisitorsError) {
  int visits = 0;
  const Status status = for_each_field(bytes_of("\x08\x01\x08\x02"), "M", [&](const ProtobufField&) -> Status {
    ++visits;
    return fail(ErrorCode::kUnsupported, "no");
  });
  EXPECT_EQ(visits, 1);
  EXPECT_EQ(status.error().code, ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace scalestyle::core
