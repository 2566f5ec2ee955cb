#include "adapters/redis/catalogue_blocks.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <bit>
#include <cstring>
#include <limits>
#include <new>
#include <optional>
#include <utility>

#include "events/byte_codec.hpp"

namespace scalestyle::adapters::redis {

namespace {

using events::ByteReader;
using events::put_varint;

constexpr std::string_view kArticleMagic = "SSA1";
constexpr std::string_view kNeighbourMagic = "SSN1";
constexpr int kDeflateLevel = 6;
constexpr std::uint64_t kHasPrice = 1;
constexpr std::uint64_t kIsAvailable = 2;

std::unexpected<core::Error> damaged(std::string_view key, std::string_view what) {
  return core::fail(core::ErrorCode::kDataLoss, fmt::format("{}: {}; it is damaged, ingest again", key, what));
}

void put_text(std::string& bytes, std::string_view text) {
  put_varint(bytes, text.size());
  bytes.append(text);
}

std::string take_text(ByteReader& reader) {
  const std::uint64_t size = reader.varint();
  return std::string(reader.take(size));
}

// magic, varint of the unpacked size, a zlib stream
std::string deflated(std::string_view magic, const std::string& raw) {
  std::string block(magic);
  put_varint(block, raw.size());
  const std::size_t head = block.size();
  uLongf packed = compressBound(static_cast<uLong>(raw.size()));
  block.resize(head + packed);
  // Fails for want of memory alone: the room is enough and the level is valid.
  if (compress2(reinterpret_cast<Bytef*>(block.data() + head), &packed, reinterpret_cast<const Bytef*>(raw.data()),
                static_cast<uLong>(raw.size()), kDeflateLevel) != Z_OK) {
    throw std::bad_alloc();
  }
  block.resize(head + packed);
  block.shrink_to_fit();
  return block;
}

core::Result<std::string> inflated(std::string_view magic, std::string_view block, std::string_view key) {
  if (!block.starts_with(magic)) return damaged(key, fmt::format("it does not begin with {}", magic));
  ByteReader reader(block.substr(magic.size()));
  const std::uint64_t size = reader.varint();
  if (!reader.ok() || size > kMaxBlockBytes) return damaged(key, "its size is none");
  const std::string_view packed = reader.take(reader.remaining());
  std::string raw(size, '\0');
  uLongf got = static_cast<uLongf>(size);
  const int result = uncompress(reinterpret_cast<Bytef*>(raw.data()), &got, reinterpret_cast<const Bytef*>(packed.data()),
                                static_cast<uLong>(packed.size()));
  if (result != Z_OK || got != size) return damaged(key, "it cannot be inflated");
  return raw;
}

void put_article(std::string& bytes, const catalog::ArticleView& article) {
  put_text(bytes, article.id());
  put_text(bytes, article.product_code());
  put_text(bytes, article.name());
  put_text(bytes, article.description());
  for (const catalog::Attribute attribute : catalog::all_attributes()) put_text(bytes, article[attribute]);
  put_text(bytes, article.image_path());
  const auto price = article.price();
  put_varint(bytes, (price ? kHasPrice : 0) | (article.available() ? kIsAvailable : 0));
  if (price) events::put_double(bytes, *price);
  put_varint(bytes, article.purchase_count());
}

// False where the bytes end too early, or the flags are none.
bool take_article(ByteReader& reader, catalog::Article& article) {
  article.product_code = take_text(reader);
  article.name = take_text(reader);
  article.description = take_text(reader);
  for (const catalog::Attribute attribute : catalog::all_attributes()) article[attribute] = take_text(reader);
  article.image_path = take_text(reader);
  const std::uint64_t flags = reader.varint();
  article.price.reset();
  if ((flags & kHasPrice) != 0) article.price = reader.number();
  article.available = (flags & kIsAvailable) != 0;
  article.purchase_count = reader.varint();
  return reader.ok() && flags <= (kHasPrice | kIsAvailable);
}

}  // namespace

std::string pack_articles(const catalog::Catalog& articles, std::size_t first, std::size_t count) {
  std::string raw;
  for (std::size_t row = first; row < first + count; ++row) {
    put_article(raw, articles.row(catalog::RowIndex{static_cast<std::uint32_t>(row)}));
  }
  return deflated(kArticleMagic, raw);
}

core::Status unpack_articles(std::string_view block, std::string_view key, std::size_t count,
                             const std::function<core::Status(const catalog::Article&)>& sink) {
  CORE_TRY(const std::string raw, inflated(kArticleMagic, block, key));
  ByteReader reader(raw);
  std::optional<catalog::Article> article;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string text = take_text(reader);
    auto id = catalog::ArticleId::parse(text);
    if (!id || id->text() != text) return damaged(key, fmt::format("article {} of the block has no valid id", i));
    if (article) article->id = std::move(*id);
    else article.emplace(catalog::Article{.id = std::move(*id)});
    if (!take_article(reader, *article)) return damaged(key, fmt::format("article {} cannot be read", text));
    CORE_CHECK(sink(*article));
  }
  if (!reader.at_end()) return damaged(key, fmt::format("it has more than {} articles", count));
  return {};
}

std::string pack_neighbours(const ranking::ItemNeighbours& neighbours, std::size_t first, std::size_t count) {
  std::string raw;
  for (std::size_t row = first; row < first + count; ++row) {
    const auto of = neighbours.of(static_cast<std::uint32_t>(row));
    put_varint(raw, of.size());
    for (const ranking::Neighbour& neighbour : of) put_varint(raw, neighbour.item);
    for (const ranking::Neighbour& neighbour : of) {
      const auto bits = std::bit_cast<std::uint32_t>(neighbour.score);
      raw.append(reinterpret_cast<const char*>(&bits), sizeof bits);
    }
  }
  return deflated(kNeighbourMagic, raw);
}

core::Status unpack_neighbours(std::string_view block, std::string_view key, std::size_t count, UnpackedNeighbours& unpacked) {
  CORE_TRY(const std::string raw, inflated(kNeighbourMagic, block, key));
  ByteReader reader(raw);
  for (std::size_t row = 0; row < count; ++row) {
    const std::uint64_t size = reader.varint();
    const std::size_t first = unpacked.neighbours.size();
    const bool fits = size <= reader.remaining() && first + size <= std::numeric_limits<std::uint32_t>::max();
    if (!reader.ok() || !fits) return damaged(key, fmt::format("row {} of the block cannot be read", row));
    unpacked.neighbours.resize(first + size);
    for (std::size_t i = 0; i < size; ++i) {
      const std::uint64_t item = reader.varint();
      if (item > std::numeric_limits<std::uint32_t>::max()) return damaged(key, fmt::format("row {} names no article", row));
      unpacked.neighbours[first + i].item = static_cast<std::uint32_t>(item);
    }
    for (std::size_t i = 0; i < size; ++i) {
      std::uint32_t bits = 0;
      const std::string_view bytes = reader.take(sizeof bits);
      if (bytes.size() == sizeof bits) std::memcpy(&bits, bytes.data(), sizeof bits);
      unpacked.neighbours[first + i].score = std::bit_cast<float>(bits);
    }
    if (!reader.ok()) return damaged(key, fmt::format("row {} of the block cannot be read", row));
    unpacked.begins.push_back(static_cast<std::uint32_t>(unpacked.neighbours.size()));
  }
  if (!reader.at_end()) return damaged(key, fmt::format("it has more than {} rows", count));
  return {};
}

}  // namespace scalestyle::adapters::redis
