#pragma once
// Reads zip archives (jars, wheels) held in memory. Source: PKWARE APPNOTE 6.3.
// Accepts stored and deflated entries. Refuses zip64, encryption, several disks and other methods by name.
// Every offset and length is checked; the checksum of each extracted entry is verified.
// Thread safety: const methods may be called from several threads.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace scalestyle::ingest::models {

struct ZipEntry {
  std::string name;
  std::uint64_t size_bytes = 0;             // uncompressed
  std::uint64_t compressed_size_bytes = 0;
  std::uint64_t local_header_offset = 0;
  std::uint32_t crc32 = 0;
  std::uint16_t method = 0;                 // 0 stored, 8 deflated
};

class ZipReader {
 public:
  // `bytes` must outlive the reader. `label` names the archive in messages.
  // Errors: kDataLoss (not a zip, truncated, inconsistent), kUnsupported (zip64, several disks).
  [[nodiscard]] static core::Result<ZipReader> open(std::span<const std::byte> bytes, std::string label);

  [[nodiscard]] const std::vector<ZipEntry>& entries() const { return entries_; }

  // The bytes of entry `name`. An entry larger than `max_bytes`, by its header or in fact, is refused before
  // more than that is held. Errors: kNotFound, kResourceExhausted, kUnsupported, kDataLoss.
  [[nodiscard]] core::Result<std::vector<std::byte>> read(std::string_view name, std::uint64_t max_bytes) const;

 private:
  ZipReader(std::span<const std::byte> bytes, std::string label) : bytes_(bytes), label_(std::move(label)) {}
  [[nodiscard]] core::Status read_directory();
  [[nodiscard]] core::Result<std::span<const std::byte>> packed_bytes(const ZipEntry& entry) const;

  std::span<const std::byte> bytes_;
  std::string label_;
  std::vector<ZipEntry> entries_;
};

}  // namespace scalestyle::ingest::models
