#include "core/protobuf_fields.hpp"

#include <fmt/format.h>

namespace scalestyle::core {

namespace {

constexpr std::uint64_t kLargestFieldNumber = 536'870'911;

}  // namespace

Result<std::optional<ProtobufField>> ProtobufFields::next() {
  if (at_ == bytes_.size()) return std::optional<ProtobufField>{};
  const auto key = varint();
  if (!key) return damaged("field key");
  ProtobufField field;
  const std::uint64_t number = *key >> 3U;
  if (number == 0 || number > kLargestFieldNumber) return damaged("field number");
  field.number = static_cast<std::uint32_t>(number);
  switch (*key & 7U) {
    case 0: {
      const auto value = varint();
      if (!value) return damaged("integer");
      field.varint = *value;
      return std::optional(field);
    }
    case 1: return fixed(field, WireType::kFixed64, 8);
    case 2: {
      const auto length = varint();
      if (!length || *length > bytes_.size() - at_) return damaged("length");
      return fixed(field, WireType::kBytes, *length);
    }
    case 5: return fixed(field, WireType::kFixed32, 4);
    default: return damaged("wire type");
  }
}

Result<std::optional<ProtobufField>> ProtobufFields::fixed(ProtobufField field, WireType type, std::size_t size) {
  if (bytes_.size() - at_ < size) return damaged("value");
  field.type = type;
  field.bytes = bytes_.subspan(at_, size);
  at_ += size;
  return std::optional(field);
}

std::optional<std::uint64_t> ProtobufFields::varint() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64 && at_ < bytes_.size(); shift += 7) {
    const auto byte = std::to_integer<std::uint64_t>(bytes_[at_++]);
    if (shift == 63 && byte > 1) return std::nullopt;
    value |= (byte & 0x7fU) << shift;
    if ((byte & 0x80U) == 0) return value;
  }
  return std::nullopt;
}

std::unexpected<Error> ProtobufFields::damaged(const char* what) const {
  return fail(ErrorCode::kDataLoss, fmt::format("{}: damaged {} at byte {}", message_, what, at_));
}

}  // namespace scalestyle::core
