#pragma once
// A file of made-up vectors of any number of rows, made block by block in bounded memory.

#include <cstddef>
#include <filesystem>

#include "core/result.hpp"

namespace scalestyle::bench {

inline constexpr std::size_t kMadeUpDimension = 384;
inline constexpr std::size_t kMadeUpCentres = 1000;
inline constexpr std::size_t kMostMadeUpRows = 100'000'000;

// `path` becomes a vectors.f32 (docs/formats/vectors.md) of `rows` unit vectors: a common component, one of kMadeUpCentres centres,
// and noise, as texts of a catalogue have them. A row depends on its number alone, so a file of fewer rows is extended and one
// of enough rows stays as it is, however many it has. What an interrupted call has left is made anew.
// Errors: kInvalidArgument (rows), those of the file system with the path, kDataLoss (the file is of another kind).
[[nodiscard]] core::Status make_up_vectors(const std::filesystem::path& path, std::size_t rows);

}  // namespace scalestyle::bench
