#pragma once
// The parts of docs/formats/features.md that readers and writers of feature files share. For this folder only.

#include <cstdint>
#include <filesystem>

#include "adapters/embedded/feature_file.hpp"
#include "adapters/embedded/sqlite_database.hpp"

namespace scalestyle::adapters::embedded {

inline constexpr std::int64_t kFeatureFileApplication = 0x53534654;  // "SSFT"
inline constexpr std::int64_t kFeatureFileVersion = 1;

// secure_delete: a subject that is gone leaves no bytes in free space.
inline constexpr const char* kFeatureFilePragmas =
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON; PRAGMA wal_autocheckpoint=0; "
    "PRAGMA busy_timeout=5000; PRAGMA cache_size=-32768;";

struct FeatureFileHeader {
  FeatureFileInfo info{};
  std::uint64_t item_names = 0;
  std::uint64_t categories = 0;
};

[[nodiscard]] core::Status check_feature_file(SqliteDatabase& database, const std::filesystem::path& path);
[[nodiscard]] core::Result<FeatureFileHeader> read_feature_file_header(SqliteDatabase& database, const std::filesystem::path& path);

}  // namespace scalestyle::adapters::embedded
