#include "adapters/embedded/generation_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <system_error>

#include "core/hash.hpp"

namespace scalestyle::adapters::embedded {

namespace {

constexpr std::size_t kMaxManifestBytes = std::size_t{16} << 20;
constexpr std::array kDataFiles = {kCatalogFile, kExactVectorsFile, kQuantizedVectorsFile};

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
  CORE_CHECK(core::make_folders(folder));
  CORE_CHECK(write_catalog_file(folder / kCatalogFile, *contents.catalog, contents.origins));
  CORE_CHECK(retrieval::write_exact_vectors(folder / kExactVectorsFile, contents.vectors));
  CORE_CHECK(retrieval::write_quantized_vectors(folder / kQuantizedVectorsFile, contents.vectors));
  GenerationManifest manifest = contents.manifest;
  manifest.info.articles = contents.catalog->size();
  manifest.counts.articles = contents.catalog->size();
  manifest.files.clear();
  for (const std::string_view name : kDataFiles) {
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
  for (const std::string_view name : kDataFiles) {
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

}  // namespace

core::Result<MappedVectors> map_vectors(const std::filesystem::path& folder, const GenerationManifest& manifest,
                                        FileCheck check) {
  CORE_CHECK(check_file(folder, manifest, kExactVectorsFile, check));
  CORE_CHECK(check_file(folder, manifest, kQuantizedVectorsFile, check));
  MappedVectors mapped;
  const auto depth = check == FileCheck::kHashes ? retrieval::VectorCheck::kFull : retrieval::VectorCheck::kHeader;
  const auto exact_path = folder / kExactVectorsFile;
  const auto quantized_path = folder / kQuantizedVectorsFile;
  CORE_TRY(mapped.exact_file, core::MappedFile::open(exact_path));
  CORE_TRY(mapped.quantized_bytes, read_into_huge_pages(quantized_path));
  CORE_TRY(mapped.exact, retrieval::open_exact_vectors(mapped.exact_file.bytes(), exact_path.string(), depth));
  CORE_TRY(mapped.quantized,
           retrieval::open_quantized_vectors({mapped.quantized_bytes.data(), mapped.quantized_bytes.size_bytes()},
                                             quantized_path.string(), depth));
  const std::size_t dimension = manifest.info.document_encoder.dimension;
  if (mapped.exact.rows != manifest.info.articles || mapped.exact.dimension != dimension) {
    return damaged(exact_path, fmt::format("{} rows of dimension {}, the manifest says {} of {}", mapped.exact.rows,
                                           mapped.exact.dimension, manifest.info.articles, dimension));
  }
  if (mapped.quantized.rows != mapped.exact.rows || mapped.quantized.dimension != dimension) {
    return damaged(quantized_path, "its shape is not that of vectors.f32");
  }
  return mapped;
}

}  // namespace scalestyle::adapters::embedded
