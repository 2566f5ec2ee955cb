#pragma once
// The manifest of a generation in Redis: what it is and the SHA-256 of each of its blocks. It carries its own SHA-256.
// Bytes: docs/formats/redis-catalogue.md. Pure values: no thread safety needed.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "ports/catalog_store.hpp"

namespace scalestyle::adapters::redis {

inline constexpr std::uint64_t kCatalogueFormatVersion = 1;

struct CatalogueManifest {
  struct Neighbours {
    std::uint64_t total = 0;           // of all articles together
    std::vector<std::string> blocks{};
  };

  ports::GenerationInfo info;
  std::uint64_t numbering = 0;         // catalog::Catalog::numbering()
  std::vector<std::string> blocks{};   // of articles: SHA-256, hex
  std::optional<Neighbours> neighbours{};  // absent: none are known

  [[nodiscard]] std::string to_text() const;
  // `key` begins the message of errors. Errors: kDataLoss (damaged, or a field missing: named), kFailedPrecondition (another
  // format version).
  [[nodiscard]] static core::Result<CatalogueManifest> parse(std::string_view text, std::string_view key);
};

}  // namespace scalestyle::adapters::redis
