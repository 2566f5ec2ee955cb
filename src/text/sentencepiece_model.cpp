#include "text/sentencepiece_model.hpp"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <unordered_set>
#include <utility>

#include "core/files.hpp"
#include "core/protobuf_fields.hpp"

namespace scalestyle::text {

using core::ErrorCode;
using core::ProtobufField;
using core::WireType;

namespace {

constexpr std::size_t kMaxFileBytes = std::size_t{32} << 20U;
constexpr std::size_t kMaxPieces = 1'000'000;
constexpr std::size_t kMaxPieceBytes = 400;
constexpr std::size_t kMaxTotalPieceBytes = (std::size_t{1} << 24U) - 1;  // what the piece table can hold
constexpr std::uint64_t kUnigram = 1;

// One unit of a double array as Darts-clone lays it out: label in the low byte and the highest bit, bit 8 whether a
// value follows, bits 9 to 30 the distance to the children.
struct Unit {
  std::uint32_t bits;
  [[nodiscard]] bool has_leaf() const { return ((bits >> 8U) & 1U) != 0; }
  [[nodiscard]] std::uint32_t value() const { return bits & 0x7FFFFFFFU; }
  [[nodiscard]] std::uint32_t label() const { return bits & 0x800000FFU; }
  [[nodiscard]] std::uint32_t offset() const { return (bits >> 10U) << ((bits & 0x200U) >> 6U); }
};

std::uint32_t little_endian(const char* bytes) {
  std::uint32_t value = 0;
  for (unsigned index = 0; index < 4; ++index) value |= std::uint32_t{static_cast<unsigned char>(bytes[index])} << (8 * index);
  return value;
}

core::Status expect(const ProtobufField& field, WireType type, const std::string& name) {
  if (field.type == type) return {};
  return core::fail(ErrorCode::kDataLoss, fmt::format("{}: field {} has another type than it should", name, field.number));
}

core::Status read_piece(const ProtobufField& message, SentencePieceModel& model, const std::string& name) {
  if (model.pieces.size() == kMaxPieces) {
    return core::fail(ErrorCode::kDataLoss, fmt::format("{}: more than {} pieces", name, kMaxPieces));
  }
  SentencePieceModel::Piece piece;
  CORE_CHECK(core::for_each_field(message.bytes, name, [&](const ProtobufField& field) -> core::Status {
    switch (field.number) {
      case 1:
        CORE_CHECK(expect(field, WireType::kBytes, name));
        piece.text = field.text();
        return {};
      case 2:
        CORE_CHECK(expect(field, WireType::kFixed32, name));
        piece.score = std::bit_cast<float>(little_endian(field.text().data()));
        return {};
      case 3:
        CORE_CHECK(expect(field, WireType::kVarint, name));
        if (field.varint < 1 || field.varint > 6) {
          return core::fail(ErrorCode::kDataLoss, fmt::format("{}: piece {} is of no known kind", name, model.pieces.size()));
        }
        piece.kind = static_cast<PieceKind>(field.varint);
        return {};
      default: return {};
    }
  }));
  if (piece.text.empty() || piece.text.size() > kMaxPieceBytes || !std::isfinite(piece.score)) {
    return core::fail(ErrorCode::kDataLoss, fmt::format("{}: piece {} has {} bytes (1 to {}) and the score {}", name,
                                                        model.pieces.size(), piece.text.size(), kMaxPieceBytes, piece.score));
  }
  if (piece.kind == PieceKind::kUserDefined || piece.kind == PieceKind::kByte) {
    return core::fail(ErrorCode::kUnsupported,
                      fmt::format("{}: piece {} is user-defined or a byte; neither is known here", name, model.pieces.size()));
  }
  model.pieces.push_back(std::move(piece));
  return {};
}

core::Status read_trainer(const ProtobufField& message, const std::string& name) {
  return core::for_each_field(message.bytes, name, [&](const ProtobufField& field) -> core::Status {
    constexpr std::uint32_t kModelType = 3;
    constexpr std::uint32_t kWhitespaceAsSuffix = 24;
    constexpr std::uint32_t kByteFallback = 35;
    if (field.number == kModelType && field.varint != kUnigram) {
      return core::fail(ErrorCode::kUnsupported, name + ": only unigram models are known here");
    }
    if ((field.number == kWhitespaceAsSuffix || field.number == kByteFallback) && field.varint != 0) {
      return core::fail(ErrorCode::kUnsupported, name + ": sets treat_whitespace_as_suffix or byte_fallback");
    }
    return {};
  });
}

core::Status read_normalizer(const ProtobufField& message, SentencePieceModel& model, const std::string& name) {
  return core::for_each_field(message.bytes, name, [&](const ProtobufField& field) -> core::Status {
    switch (field.number) {
      case 2: {
        CORE_CHECK(expect(field, WireType::kBytes, name));
        CORE_TRY(model.map, CharacterMap::parse(field.text(), name));
        return {};
      }
      case 3: model.add_dummy_prefix = field.varint != 0; return {};
      case 4: model.remove_extra_whitespaces = field.varint != 0; return {};
      case 5: model.escape_whitespaces = field.varint != 0; return {};
      default: return {};
    }
  });
}

core::Status check_pieces(const SentencePieceModel& model, const std::string& name) {
  std::unordered_set<std::string_view> seen;
  std::size_t total = 0;
  for (const SentencePieceModel::Piece& piece : model.pieces) {
    total += piece.text.size();
    if (!seen.insert(piece.text).second) {
      return core::fail(ErrorCode::kDataLoss, fmt::format("{}: piece \"{}\" has two ids", name, piece.text));
    }
  }
  if (total > kMaxTotalPieceBytes) {
    return core::fail(ErrorCode::kDataLoss, fmt::format("{}: the pieces have {} bytes together (at most {})", name, total,
                                                        kMaxTotalPieceBytes));
  }
  return {};
}

}  // namespace

core::Result<CharacterMap> CharacterMap::parse(std::string_view blob, const std::string& name) {
  CharacterMap map;
  if (blob.empty()) return map;
  const std::size_t trie_bytes = blob.size() < 4 ? blob.size() : little_endian(blob.data());
  if (blob.size() < 4 || trie_bytes == 0 || trie_bytes % 4 != 0 || trie_bytes > blob.size() - 4 || blob.back() != '\0') {
    return core::fail(ErrorCode::kDataLoss, name + ": the compiled rules of normalisation are damaged");
  }
  for (std::size_t at = 4; at < 4 + trie_bytes; at += 4) map.units_.push_back(little_endian(blob.data() + at));
  map.replacements_ = blob.substr(4 + trie_bytes);
  return map;
}

// A damaged trie may lead anywhere: each step is checked.
CharacterMap::Match CharacterMap::longest(std::string_view text) const {
  Match best;
  if (units_.empty()) return best;
  std::size_t node = Unit{units_[0]}.offset();
  for (std::size_t index = 0; index < text.size(); ++index) {
    const auto byte = static_cast<unsigned char>(text[index]);
    node ^= byte;
    if (node >= units_.size()) return best;
    const Unit unit{units_[node]};
    if (unit.label() != byte) return best;
    node ^= unit.offset();
    if (!unit.has_leaf()) continue;
    if (node >= units_.size()) return best;
    const std::size_t at = Unit{units_[node]}.value();
    if (at >= replacements_.size()) return best;
    best = {index + 1, std::string_view(replacements_.data() + at)};
  }
  return best;
}

core::Result<SentencePieceModel> parse_sentencepiece_model(std::string_view bytes, const std::string& name) {
  SentencePieceModel model;
  const std::span<const std::byte> message = std::as_bytes(std::span(bytes.data(), bytes.size()));
  CORE_CHECK(core::for_each_field(message, name, [&](const ProtobufField& field) -> core::Status {
    constexpr std::uint32_t kPieces = 1;
    constexpr std::uint32_t kTrainer = 2;
    constexpr std::uint32_t kNormalizer = 3;
    if (field.number < kPieces || field.number > kNormalizer) return {};
    CORE_CHECK(expect(field, WireType::kBytes, name));
    if (field.number == kPieces) return read_piece(field, model, name);
    return field.number == kTrainer ? read_trainer(field, name) : read_normalizer(field, model, name);
  }));
  if (model.pieces.empty()) return core::fail(ErrorCode::kDataLoss, name + ": there is no piece in it");
  CORE_CHECK(check_pieces(model, name));
  return model;
}

core::Result<SentencePieceModel> read_sentencepiece_model(const std::filesystem::path& path) {
  CORE_TRY(const std::string bytes, core::read_text_file(path, kMaxFileBytes));
  return parse_sentencepiece_model(bytes, path.string());
}

}  // namespace scalestyle::text
