#pragma once
// The photos of articles as an EmbeddingSource. Equal files are one photo: they are told apart by the hash of their bytes.

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/catalog.hpp"
#include "catalog/product_text.hpp"
#include "core/result.hpp"
#include "ingest/embedding_source.hpp"
#include "ingest/ingest.hpp"
#include "ports/image_encoder.hpp"

namespace scalestyle::ingest {

// Recorded in a generation: the photo as it is decoded and preprocessed for the model. Vectors made from another format are
// not comparable.
inline constexpr std::string_view kPhotoFormat = "photo_v1";

// The photos of a catalogue before any is embedded.
struct Photos {
  std::filesystem::path folder;                           // that image paths are relative to
  std::vector<std::optional<catalog::TextHash>> hashes;   // by row; nothing: no photo, or one that cannot be read
  std::map<catalog::RowIndex, std::string> rejected;      // why a row's photo cannot be read
};

// Reads every photo once. Errors: kCancelled on a stop signal.
[[nodiscard]] core::Result<Photos> find_photos(const catalog::Catalog& catalog, const std::filesystem::path& folder,
                                               const IngestOptions& options, const IngestContext& context);

class PhotoSource final : public EmbeddingSource {
 public:
  // All must outlive the source.
  PhotoSource(const catalog::Catalog& catalog, const Photos& photos, ports::ImageEncoder& encoder, const IngestOptions& options)
      : catalog_(catalog), photos_(photos), encoder_(encoder), options_(options) {}

  [[nodiscard]] const ports::EncoderInfo& info() const override { return encoder_.info(); }
  [[nodiscard]] std::string_view noun() const override { return "photo"; }
  [[nodiscard]] std::size_t batch_items() const override { return options_.batch_photos; }
  // Rejects a photo that the encoder refuses for what it is (damaged, no picture, too large), that cannot be read any more,
  // or whose bytes are not those of find_photos().
  [[nodiscard]] core::Task<core::Result<EmbeddedBatch>> embed(const std::vector<catalog::RowIndex>& rows) override;

 private:
  const catalog::Catalog& catalog_;
  const Photos& photos_;
  ports::ImageEncoder& encoder_;
  const IngestOptions& options_;
};

}  // namespace scalestyle::ingest
