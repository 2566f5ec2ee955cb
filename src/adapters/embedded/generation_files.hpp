#pragma once
// Writes and opens the files of one generation: catalog.db, vectors.f32, vectors.i8, manifest.json and, where photos were
// embedded, image_vectors.f32, image_vectors.i8 and image_rows.bin; where purchases of customers are known, neighbours.bin; where asked for, the graphs
// of both collections of vectors.
// Source of the bytes: docs/formats/generation.md and docs/formats/vectors.md.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "adapters/embedded/catalog_file.hpp"
#include "adapters/embedded/generation_manifest.hpp"
#include "adapters/embedded/image_rows.hpp"
#include "catalog/catalog.hpp"
#include "core/files.hpp"
#include "core/result.hpp"
#include "nn/kernels/matrix.hpp"
#include "retrieval/quantized_vectors.hpp"

namespace scalestyle::adapters::embedded {

inline constexpr std::string_view kManifestFile = "manifest.json";
inline constexpr std::string_view kCatalogFile = "catalog.db";
inline constexpr std::string_view kExactVectorsFile = "vectors.f32";
inline constexpr std::string_view kQuantizedVectorsFile = "vectors.i8";
inline constexpr std::string_view kExactImageVectorsFile = "image_vectors.f32";
inline constexpr std::string_view kQuantizedImageVectorsFile = "image_vectors.i8";
inline constexpr std::string_view kImageRowsFile = "image_rows.bin";
inline constexpr std::string_view kNeighboursFile = "neighbours.bin";
inline constexpr std::string_view kGraphFile = "vectors.graph";
inline constexpr std::string_view kImageGraphFile = "image_vectors.graph";

// kSizes compares each file's size with the manifest; kHashes also reads every byte.
enum class FileCheck : std::uint8_t { kSizes, kHashes };

// The vectors of photos: row i is of article rows[i].row.
struct ImageContents {
  std::span<const ImageRow> rows;  // at least one, by ascending row of the catalogue
  retrieval::ExactVectors vectors;
};

// Writes the graph of the collection whose int8 form is in the first file to the second one.
using GraphWriter = std::function<core::Status(const std::filesystem::path& quantized, const std::filesystem::path& graph)>;

struct GenerationContents {
  GenerationManifest manifest;  // `files` and the counts of articles, image vectors and neighbours are filled in by the writer
  const catalog::Catalog* catalog = nullptr;
  std::span<const VectorOrigin> origins;  // one a row
  retrieval::ExactVectors vectors;        // one a row
  std::optional<ImageContents> images{};  // present exactly when manifest.info.image_encoder is
  const ranking::ItemNeighbours* neighbours = nullptr;  // of every row; not null exactly when manifest.neighbours is there
  GraphWriter write_graph{};  // there exactly when manifest.graph is
};

// Writes all files into `folder` (created; must be empty) and syncs them and it. The manifest comes last, so a folder
// that has one is complete. Returns the manifest as written. Errors: those of the file system, with the path.
[[nodiscard]] core::Result<GenerationManifest> write_generation(const std::filesystem::path& folder,
                                                                const GenerationContents& contents);

// Reads and checks the manifest of a generation's folder. Errors: kNotFound (no such generation), kDataLoss,
// kFailedPrecondition.
[[nodiscard]] core::Result<GenerationManifest> read_manifest(const std::filesystem::path& folder);

// Compares one file, or all of them, with the manifest. kDataLoss names the file.
[[nodiscard]] core::Status check_file(const std::filesystem::path& folder, const GenerationManifest& manifest,
                                      std::string_view file, FileCheck check);
[[nodiscard]] core::Status check_files(const std::filesystem::path& folder, const GenerationManifest& manifest,
                                       FileCheck check);

// Both vector files of a generation. Every search reads vectors.i8 whole: it is copied into huge pages, so that
// the reads do not wait for address translation. vectors.f32 is mapped; searches read a few of its rows. The
// views live as long as the object; the files may be deleted meanwhile.
struct MappedVectors {
  core::MappedFile exact_file;
  nn::kernels::AlignedBuffer quantized_bytes;
  retrieval::ExactVectors exact;
  retrieval::QuantizedVectors quantized;
};
[[nodiscard]] core::Result<MappedVectors> map_vectors(const std::filesystem::path& folder,
                                                      const GenerationManifest& manifest, FileCheck check);

// The same of the vectors of photos, with what each row is. kFailedPrecondition when the generation has none.
struct MappedImageVectors {
  MappedVectors vectors;
  std::vector<ImageRow> rows;
};
[[nodiscard]] core::Result<MappedImageVectors> map_image_vectors(const std::filesystem::path& folder,
                                                                 const GenerationManifest& manifest, FileCheck check);

}  // namespace scalestyle::adapters::embedded
