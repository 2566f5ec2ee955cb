#include "adapters/embedded/generation_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <system_error>

#include "adapters/embedded/neighbour_file.hpp"
#include "core/hash.hpp"

namespace scalestyle::adapters::embedded {

namespace {

constexpr std::size_t kMaxManifestBytes = std::size_t{16} << 20;
constexpr std::array kTextFiles = {kCatalogFile, kExactVectorsFile, kQuantizedVectorsFile};
constexpr std::array kImageFiles = {kExactImageVectorsFile, kQuantizedImageVectorsFile, kImageRowsFile};

// The names of all files but the manifest.
std::vector<std::string_view> data_files(const GenerationManifest& manifest) {
  std::vector<std::string_view> names(kTextFiles.begin(), kTextFiles.end());
  if (manifest.info.image_encoder) names.insert(names.end(), kImageFiles.begin(), kImageFiles.end());
  if (manifest.neighbours) names.push_back(kNeighboursFile);
  if (manifest.graph) names.push_back(kGraphFile);
  if (manifest.graph && manifest.info.image_encoder) names.push_back(kImageGraphFile);
  return names;
}

core::Result<std::uint64_t> size_of(const std::filesystem::path& path) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  if (error) return std::unexpected(core::system_error("read", path, error.value()));
  return static_cast<std::uint64_t>(size);
}

core::Result<FileRecord> describe(const std::filesystem::path& folder, std::string_view name) {
  FileRecord record;
  record.name = name;
  CORE_TRY(record.size_bytes, size_of(folder / name));
  CORE_TRY(record.sha256, core::sha256_file_hex(folder / name));
  return record;
}

std::unexpected<core::Error> damaged(const std::filesystem::path& path, std::string_view what) {
  return core::fail(core::ErrorCode::kDataLoss,
                    fmt::format("{}: {}; the file is damaged, ingest again", path.string(), what));
}

}  // namespace

core::Result<GenerationManifest> write_generation(const std::filesystem::path& folder,
                                                  const GenerationContents& contents) {
  if (contents.catalog == nullptr || contents.vectors.rows != contents.catalog->size()) {
    return core::fail(core::ErrorCode::kInternal, "a generation needs one vector for each article");
  }
  const bool has_images = contents.images.has_value();
  if (has_images != contents.manifest.info.image_encoder.has_value() ||
      (has_images && (contents.images->rows.empty() || contents.images->rows.size() != contents.images->vectors.rows))) {
    return core::fail(core::ErrorCode::kInternal, "image vectors need their encoder, and one row each");
  }
  const bool has_neighbours = contents.neighbours != nullptr;
  if (has_neighbours != contents.manifest.neighbours.has_value() ||
      (has_neighbours && contents.neighbours->size() != contents.catalog->size())) {
    return core::fail(core::ErrorCode::kInternal, "neighbours need what made them, and are of every article");
  }
  const bool has_graph = contents.write_graph != nullptr;
  if (has_graph != contents.manifest.graph.has_value()) {
    return core::fail(core::ErrorCode::kInternal, "a graph needs what it is built with");
  }
  CORE_CHECK(core::make_folders(folder));
  CORE_CHECK(write_catalog_file(folder / kCatalogFile, *contents.catalog, contents.origins));
  CORE_CHECK(retrieval::write_exact_vectors(folder / kExactVectorsFile, contents.vectors));
  CORE_CHECK(retrieval::write_quantized_vectors(folder / kQuantizedVectorsFile, contents.vectors));
  if (has_images) {
    CORE_CHECK(retrieval::write_exact_vectors(folder / kExactImageVectorsFile, contents.images->vectors));
    CORE_CHECK(retrieval::write_quantized_vectors(folder / kQuantizedImageVectorsFile, contents.images->vectors));
    CORE_CHECK(write_image_rows(folder / kImageRowsFile, contents.images->rows));
  }
  if (has_graph) CORE_CHECK(contents.write_graph(folder / kQuantizedVectorsFile, folder / kGraphFile));
  if (has_graph && has_images) CORE_CHECK(contents.write_graph(folder / kQuantizedImageVectorsFile, folder / kImageGraphFile));
  GenerationManifest manifest = contents.manifest;
  if (has_neighbours) {
    CORE_CHECK(write_neighbours(folder / kNeighboursFile, *contents.neighbours));
    manifest.neighbours->neighbours = contents.neighbours->all().size();
  }
  manifest.info.articles = contents.catalog->size();
  manifest.counts.articles = contents.catalog->size();
  manifest.info.image_vectors = has_images ? contents.images->rows.size() : 0;
  manifest.files.clear();
  for (const std::string_view name : data_files(manifest)) {
    CORE_TRY(auto record, describe(folder, name));
    manifest.files.push_back(std::move(record));
  }
  CORE_CHECK(core::write_file_atomically(folder / kManifestFile, manifest.to_json()));
  CORE_CHECK(core::sync_folder(folder));
  return manifest;
}

core::Result<GenerationManifest> read_manifest(const std::filesystem::path& folder) {
  const auto path = folder / kManifestFile;
  auto text = core::read_text_file(path, kMaxManifestBytes);
  if (!text) {
    if (text.error().code == core::ErrorCode::kNotFound) {
      return core::fail(core::ErrorCode::kNotFound, fmt::format("there is no generation in {}", folder.string()));
    }
    return std::unexpected(std::move(text).error());
  }
  CORE_TRY(auto manifest, GenerationManifest::parse(*text, path.string()));
  for (const std::string_view name : data_files(manifest)) {
    if (std::ranges::find(manifest.files, name, &FileRecord::name) == manifest.files.end()) {
      return damaged(path, fmt::format("it does not list {}", name));
    }
  }
  return manifest;
}

core::Status check_file(const std::filesystem::path& folder, const GenerationManifest& manifest, std::string_view file,
                        FileCheck check) {
  const auto path = folder / file;
  const auto record = std::ranges::find(manifest.files, file, &FileRecord::name);
  if (record == manifest.files.end()) return damaged(folder / kManifestFile, fmt::format("it does not list {}", file));
  auto size = size_of(path);
  if (!size) {
    if (size.error().code == core::ErrorCode::kNotFound) return damaged(path, "it is missing");
    return std::unexpected(std::move(size).error());
  }
  if (*size != record->size_bytes) {
    return damaged(path, fmt::format("{} bytes, the manifest says {}", *size, record->size_bytes));
  }
  if (check == FileCheck::kHashes) {
    CORE_TRY(const auto hash, core::sha256_file_hex(path));
    if (hash != record->sha256) return damaged(path, "its SHA-256 is not the manifest's");
  }
  return {};
}

core::Status check_files(const std::filesystem::path& folder, const GenerationManifest& manifest, FileCheck check) {
  for (const FileRecord& record : manifest.files) CORE_CHECK(check_file(folder, manifest, record.name, check));
  return {};
}

namespace {

core::Result<nn::kernels::AlignedBuffer> read_into_huge_pages(const std::filesystem::path& path) {
  CORE_TRY(const core::MappedFile file, core::MappedFile::open(path));
  nn::kernels::AlignedBuffer buffer(file.bytes().size());
  std::memcpy(buffer.data(), file.bytes().data(), file.bytes().size());
  return buffer;
}

// The two forms of one collection of vectors, and the shape that the manifest gives it.
struct VectorFiles {
  std::string_view exact;
  std::string_view quantized;
  std::size_t rows = 0;
  std::size_t dimension = 0;
};

core::Result<MappedVectors> map_files(const std::filesystem::path& folder, const GenerationManifest& manifest,
                                      const VectorFiles& files, FileCheck check) {
  CORE_CHECK(check_file(folder, manifest, files.exact, check));
  CORE_CHECK(check_file(folder, manifest, files.quantized, check));
  MappedVectors mapped;
  const auto depth = check == FileCheck::kHashes ? retrieval::VectorCheck::kFull : retrieval::VectorCheck::kHeader;
  const auto exact_path = folder / files.exact;
  const auto quantized_path = folder / files.quantized;
  CORE_TRY(mapped.exact_file, core::MappedFile::open(exact_path));
  CORE_TRY(mapped.quantized_bytes, read_into_huge_pages(quantized_path));
  CORE_TRY(mapped.exact, retrieval::open_exact_vectors(mapped.exact_file.bytes(), exact_path.string(), depth));
  CORE_TRY(mapped.quantized,
           retrieval::open_quantized_vectors({mapped.quantized_bytes.data(), mapped.quantized_bytes.size_bytes()},
                                             quantized_path.string(), depth));
  if (mapped.exact.rows != files.rows || mapped.exact.dimension != files.dimension) {
    return damaged(exact_path, fmt::format("{} rows of dimension {}, the manifest says {} of {}", mapped.exact.rows,
                                           mapped.exact.dimension, files.rows, files.dimension));
  }
  if (mapped.quantized.rows != mapped.exact.rows || mapped.quantized.dimension != files.dimension) {
    return damaged(quantized_path, fmt::format("its shape is not that of {}", files.exact));
  }
  return mapped;
}

}  // namespace

core::Result<MappedVectors> map_vectors(const std::filesystem::path& folder, const GenerationManifest& manifest,
                                        FileCheck check) {
  return map_files(folder, manifest,
                   {.exact = kExactVectorsFile,
                    .quantized = kQuantizedVectorsFile,
                    .rows = manifest.info.articles,
                    .dimension = manifest.info.document_encoder.dimension},
                   check);
}

core::Result<MappedImageVectors> map_image_vectors(const std::filesystem::path& folder, const GenerationManifest& manifest,
                                                   FileCheck check) {
  if (!manifest.info.image_encoder) {
    return core::fail(core::ErrorCode::kFailedPrecondition,
                      fmt::format("generation {} has no vectors of photos", manifest.info.id.value()));
  }
  MappedImageVectors mapped;
  CORE_TRY(mapped.vectors, map_files(folder, manifest,
                                     {.exact = kExactImageVectorsFile,
                                      .quantized = kQuantizedImageVectorsFile,
                                      .rows = manifest.info.image_vectors,
                                      .dimension = manifest.info.image_encoder->dimension},
                                     check));
  CORE_CHECK(check_file(folder, manifest, kImageRowsFile, check));
  CORE_TRY(mapped.rows, read_image_rows(folder / kImageRowsFile, manifest.info.articles));
  if (mapped.rows.size() != manifest.info.image_vectors) {
    return damaged(folder / kImageRowsFile,
                   fmt::format("{} rows, the manifest says {}", mapped.rows.size(), manifest.info.image_vectors));
  }
  return mapped;
}

}  // namespace scalestyle::adapters::embedded
