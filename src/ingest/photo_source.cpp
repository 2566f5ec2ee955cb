#include "ingest/photo_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <expected>
#include <memory>
#include <utility>

#include "core/files.hpp"
#include "ingest/staged_catalog.hpp"

namespace scalestyle::ingest {

namespace {

constexpr std::size_t kRowsBetweenReports = 64;

// The bytes of a photo, or why there are none, without its path: causes are counted.
std::expected<std::string, std::string> read_photo(const std::filesystem::path& path, std::size_t max_bytes) {
  auto bytes = core::read_text_file(path, max_bytes);
  if (bytes) return std::move(*bytes);
  switch (bytes.error().code) {
    case core::ErrorCode::kResourceExhausted: return std::unexpected(fmt::format("it is larger than {} bytes", max_bytes));
    case core::ErrorCode::kNotFound: return std::unexpected("it is gone");
    case core::ErrorCode::kPermissionDenied: return std::unexpected("it may not be read");
    default: return std::unexpected("it cannot be read");
  }
}

// What an encoder says goes to files and terminals.
std::string printable(std::string_view message) {
  constexpr std::size_t kMaxBytes = 200;
  std::string text(message.substr(0, kMaxBytes));
  std::ranges::replace_if(text, [](char c) { return c < ' ' || c > '~'; }, '?');
  return text;
}

bool is_about_the_photo(core::ErrorCode code) {
  return code == core::ErrorCode::kInvalidArgument || code == core::ErrorCode::kUnsupported ||
         code == core::ErrorCode::kResourceExhausted;
}

// The photos of one batch that could be read, and the places of all.
struct ReadPhotos {
  std::size_t rows = 0;
  std::vector<ports::EncodedImage> images;
  std::vector<std::size_t> places;  // of each image in the batch
  std::vector<RejectedItem> rejected;
};

core::Task<core::Result<EmbeddedBatch>> embed_photos(const PhotoSource& source, ports::ImageEncoder& encoder, ReadPhotos read) {
  const std::size_t dimension = source.info().dimension;
  const std::size_t images = read.images.size();
  EmbeddedBatch batch;
  batch.values.assign(read.rows * dimension, 0.0F);
  batch.rejected = std::move(read.rejected);
  CORE_CO_TRY(const auto vectors, co_await encoder.encode_images(std::move(read.images), core::Deadline::never()));
  if (vectors.size() != images) {
    co_return core::fail(core::ErrorCode::kInternal, fmt::format("the encoder {} gave {} results for {} photos",
                                                                 source.info().model, vectors.size(), images));
  }
  for (std::size_t i = 0; i < images; ++i) {
    if (!vectors[i] && !is_about_the_photo(vectors[i].error().code)) co_return std::unexpected(vectors[i].error());
    if (!vectors[i]) {
      batch.rejected.push_back({read.places[i], printable(vectors[i].error().message)});
      continue;
    }
    if (vectors[i]->size() != dimension) {
      co_return core::fail(core::ErrorCode::kInternal, fmt::format("the encoder {} gave a vector of dimension {} instead of {}",
                                                                   source.info().model, vectors[i]->size(), dimension));
    }
    std::ranges::copy(*vectors[i], batch.values.begin() + static_cast<std::ptrdiff_t>(read.places[i] * dimension));
  }
  std::ranges::sort(batch.rejected, {}, &RejectedItem::item);
  CORE_CO_CHECK(check_batch(batch, read.rows, source));
  co_return batch;
}

}  // namespace

core::Result<Photos> find_photos(const catalog::Catalog& catalog, const std::filesystem::path& folder,
                                 const IngestOptions& options, const IngestContext& context) {
  Photos photos;
  photos.folder = folder;
  photos.hashes.resize(catalog.size());
  if (folder.empty()) return photos;
  for (std::uint32_t row = 0; row < catalog.size(); ++row) {
    if (row % kRowsBetweenReports == 0) {
      CORE_CHECK(check_stop(context));
      context.progress.reading("photos", row, static_cast<double>(row) / static_cast<double>(catalog.size()));
    }
    const std::string_view path = catalog.row({row}).image_path();
    if (path.empty()) continue;
    const auto bytes = read_photo(folder / path, options.max_photo_bytes);
    if (bytes) photos.hashes[row] = catalog::hash_text(*bytes);
    else photos.rejected.emplace(catalog::RowIndex{row}, bytes.error());
  }
  context.progress.reading("photos", catalog.size(), 1);
  return photos;
}

core::Task<core::Result<EmbeddedBatch>> PhotoSource::embed(const std::vector<catalog::RowIndex>& rows) {
  ReadPhotos read;
  read.rows = rows.size();
  for (std::size_t place = 0; place < rows.size(); ++place) {
    auto bytes = read_photo(photos_.folder / catalog_.row(rows[place]).image_path(), options_.max_photo_bytes);
    if (bytes && catalog::hash_text(*bytes) != photos_.hashes[rows[place].value]) {
      bytes = std::unexpected("it changed during the ingest");
    }
    if (!bytes) {
      read.rejected.push_back({place, bytes.error()});
      continue;
    }
    read.images.push_back(std::make_shared<const std::string>(std::move(*bytes)));
    read.places.push_back(place);
  }
  return embed_photos(*this, encoder_, std::move(read));
}

}  // namespace scalestyle::ingest
