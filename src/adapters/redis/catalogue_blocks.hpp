#pragma once
// Articles and their neighbours as the blocks of bytes that a generation in Redis consists of: packed by rows, then deflated.
// Source of the bytes: docs/formats/redis-catalogue.md. Pure; any thread.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/article.hpp"
#include "catalog/catalog.hpp"
#include "core/result.hpp"
#include "ranking/item_neighbours.hpp"

namespace scalestyle::adapters::redis {

inline constexpr std::size_t kArticlesABlock = 512;
inline constexpr std::size_t kNeighbourRowsABlock = 2'048;
inline constexpr std::size_t kMaxBlockBytes = std::size_t{64} << 20;  // unpacked

[[nodiscard]] constexpr std::size_t blocks_of(std::size_t rows, std::size_t a_block) { return (rows + a_block - 1) / a_block; }

// The rows [first, first + count) of the catalogue.
[[nodiscard]] std::string pack_articles(const catalog::Catalog& articles, std::size_t first, std::size_t count);

// Calls `sink` with each article of a block, in order, and returns its error. kDataLoss for what cannot have been packed,
// or is not `count` articles: beginning with `key`, the block's name.
[[nodiscard]] core::Status unpack_articles(std::string_view block, std::string_view key, std::size_t count,
                                           const std::function<core::Status(const catalog::Article&)>& sink);

// The neighbours of the rows [first, first + count).
[[nodiscard]] std::string pack_neighbours(const ranking::ItemNeighbours& neighbours, std::size_t first, std::size_t count);

// As ranking::ItemNeighbours::make() takes them: begins of the rows so far, and their neighbours.
struct UnpackedNeighbours {
  std::vector<std::uint32_t> begins{0};
  std::vector<ranking::Neighbour> neighbours{};
};
// Adds those of a block of `count` rows. kDataLoss as above.
[[nodiscard]] core::Status unpack_neighbours(std::string_view block, std::string_view key, std::size_t count,
                                             UnpackedNeighbours& unpacked);

}  // namespace scalestyle::adapters::redis
