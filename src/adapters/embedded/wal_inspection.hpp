#pragma once
// What a write-ahead log of SQLite holds beyond its first damaged frame. SQLite itself silently takes the log to end
// there, which is right after a crash and wrong when the medium lost what it had acknowledged.
//
// A writer that syncs each commit leaves at most one transaction behind the damaged place after a crash or power cut. More
// commits there can only have been acknowledged.
// Source: https://www.sqlite.org/fileformat2.html#the_write_ahead_log

#include <cstdint>
#include <filesystem>

#include "core/result.hpp"

namespace scalestyle::adapters::embedded {

struct WalInspection {
  std::uint64_t frames = 0;          // with right check sums, up to the last commit among them
  std::uint64_t commits = 0;
  std::uint64_t lost_commits = 0;    // commit frames of the same log after the first damaged frame
  std::uint64_t damaged_at_byte = 0; // where, when lost_commits > 0
  bool header_damaged = false;       // nothing can be said: a torn restart of the log (nothing lost), or damage (all of it lost)

  // At least this many acknowledged transactions are gone.
  [[nodiscard]] std::uint64_t certainly_lost() const { return lost_commits > 1 ? lost_commits - 1 : 0; }
};

// Of a file that does not exist, or is empty: nothing. Errors as of reading a file.
[[nodiscard]] core::Result<WalInspection> inspect_wal(const std::filesystem::path& path);

}  // namespace scalestyle::adapters::embedded
