#pragma once
// neighbours.bin of a generation: for each row of its catalogue the rows that the same customers bought. Bytes:
// docs/formats/generation.md. Functions block; pure values otherwise.

#include <cstddef>
#include <filesystem>

#include "core/result.hpp"
#include "ranking/item_neighbours.hpp"

namespace scalestyle::adapters::embedded {

// Replaces `path` atomically. Errors: those of the file system.
[[nodiscard]] core::Status write_neighbours(const std::filesystem::path& path, const ranking::ItemNeighbours& neighbours);

// `articles` is the size of the catalogue. Errors: kNotFound; kDataLoss naming what is wrong with the file (checksum, size,
// rows that are not the catalogue's, neighbours that are not what ItemNeighbours says); kUnsupported (a newer version).
[[nodiscard]] core::Result<ranking::ItemNeighbours> read_neighbours(const std::filesystem::path& path, std::size_t articles);

}  // namespace scalestyle::adapters::embedded
