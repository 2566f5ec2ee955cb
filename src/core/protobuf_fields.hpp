#pragma once
// Walks the fields of one protocol-buffer message by the wire format, without a schema, for the few file formats that
// are made of them. Every length is checked before it is used; groups are refused.
// Source: protobuf.dev/programming-guides/encoding.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "core/result.hpp"

namespace scalestyle::core {

enum class WireType : std::uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

struct ProtobufField {
  std::uint32_t number = 0;
  WireType type = WireType::kVarint;
  std::uint64_t varint = 0;
  std::span<const std::byte> bytes;  // into the message; of kBytes, kFixed32 and kFixed64

  [[nodiscard]] std::string_view text() const {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
};

// `message` is what errors call it ("ONNX GraphProto"). After an error next() keeps returning it.
class ProtobufFields {
 public:
  ProtobufFields(std::span<const std::byte> bytes, std::string message) : bytes_(bytes), message_(std::move(message)) {}

  // The next field; an empty optional at the end of the message. Errors: kDataLoss.
  [[nodiscard]] Result<std::optional<ProtobufField>> next();

 private:
  [[nodiscard]] Result<std::optional<ProtobufField>> fixed(ProtobufField field, WireType type, std::size_t size);
  [[nodiscard]] std::optional<std::uint64_t> varint();
  [[nodiscard]] std::unexpected<Error> damaged(const char* what) const;

  std::span<const std::byte> bytes_;
  std::string message_;
  std::size_t at_ = 0;
};

// Calls visit(field) for each field; `visit` returns a Status.
template <class Visit>
[[nodiscard]] Status for_each_field(std::span<const std::byte> bytes, std::string message, Visit&& visit) {
  ProtobufFields fields(bytes, std::move(message));
  while (true) {
    auto field = fields.next();
    if (!field) return std::unexpected(std::move(field).error());
    if (!*field) return {};
    CORE_CHECK(visit(**field));
  }
}

}  // namespace scalestyle::core
