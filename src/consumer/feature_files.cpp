#include "consumer/feature_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <system_error>

#include "adapters/embedded/sqlite_database.hpp"
#include "core/files.hpp"

namespace scalestyle::consumer {

namespace fs = std::filesystem;
using adapters::embedded::SqliteDatabase;

namespace {

constexpr std::array<std::string_view, 3> kJournals{"-wal", "-shm", "-journal"};
constexpr std::string_view kCandidatePrefix = "features.next-";
constexpr std::array<std::string_view, 2> kAsidePrefixes{"features.damaged-", "features.outdated-"};
constexpr std::string_view kSuffix = ".db";

fs::path beside(const fs::path& path, std::string_view suffix) { return fs::path(path.string() + std::string(suffix)); }

core::Status remove_one(const fs::path& path) {
  std::error_code error;
  fs::remove(path, error);
  if (error) return std::unexpected(core::system_error("remove", path, error.value()));
  return {};
}

core::Status rename_one(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::rename(from, to, error);
  if (error) return std::unexpected(core::system_error("rename", from, error.value()));
  return {};
}

core::Status remove_journals(const fs::path& path) {
  for (const auto journal : kJournals) CORE_CHECK(remove_one(beside(path, journal)));
  return {};
}

core::Status fold_journal(const fs::path& path) {
  CORE_TRY(auto database, SqliteDatabase::open(path, adapters::embedded::SqliteMode::kReadWrite));
  CORE_TRY(const auto folded, database.checkpoint(adapters::embedded::SqliteCheckpoint::kTruncate));
  if (!folded.complete) return core::fail(core::ErrorCode::kUnavailable, path.string() + ": its journal is in use");
  return database.close();
}

core::Result<std::vector<std::string>> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    names.push_back(entry->path().filename().string());
  }
  if (error) return std::unexpected(core::system_error("list", folder, error.value()));
  std::ranges::sort(names);
  return names;
}

// Digits between the prefix and ".db".
std::optional<std::int64_t> offset_of_candidate(std::string_view name) {
  if (!name.starts_with(kCandidatePrefix) || !name.ends_with(kSuffix)) return std::nullopt;
  name.remove_prefix(kCandidatePrefix.size());
  name.remove_suffix(kSuffix.size());
  std::int64_t offset = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), offset);
  if (error != std::errc() || end != name.data() + name.size() || offset < 0) return std::nullopt;
  return offset;
}

}  // namespace

fs::path FeatureFiles::candidate(std::int64_t offset) const {
  return folder_ / fmt::format("{}{:020}{}", kCandidatePrefix, offset, kSuffix);
}

core::Result<std::vector<FeatureCopy>> FeatureFiles::candidates() const {
  CORE_TRY(const auto names, names_in(folder_));
  std::vector<FeatureCopy> found;
  for (const auto& name : names) {
    if (const auto offset = offset_of_candidate(name)) found.push_back({folder_ / name, *offset});
  }
  std::ranges::sort(found, {}, &FeatureCopy::offset);
  return found;
}

core::Result<std::vector<fs::path>> FeatureFiles::put_aside() const {
  CORE_TRY(const auto names, names_in(folder_));
  std::vector<fs::path> found;
  for (const auto& name : names) {
    const bool aside = std::ranges::any_of(kAsidePrefixes, [&](auto prefix) { return name.starts_with(prefix); });
    if (aside && name.ends_with(kSuffix)) found.push_back(folder_ / name);
  }
  return found;
}

core::Result<fs::path> FeatureFiles::set_aside(const fs::path& path, std::string_view why, core::WallTime now) const {
  std::string time = core::to_iso8601(now);
  std::erase(time, ':');  // no file name everywhere
  const fs::path aside = folder_ / fmt::format("features.{}-{}{}", why, time, kSuffix);
  CORE_CHECK(rename_one(path, aside));
  for (const auto journal : kJournals) {
    std::error_code ignored;
    if (fs::exists(beside(path, journal), ignored)) CORE_CHECK(rename_one(beside(path, journal), beside(aside, journal)));
  }
  CORE_CHECK(core::sync_folder(folder_));
  return aside;
}

core::Status FeatureFiles::copy(const fs::path& from, const fs::path& to) const {
  const fs::path staged = beside(to, ".copying");
  CORE_CHECK(remove(staged));
  CORE_CHECK(snapshot(from, staged));
  CORE_CHECK(core::sync_file(staged));
  return install(staged, to);
}

core::Status FeatureFiles::install(const fs::path& from, const fs::path& to) const {
  std::error_code error;
  // A journal that outlives its file would be taken for that of the new one; and without its journal a file may be half
  // of a state. So the journal's content goes into the old file first, or the old file goes.
  if (fs::exists(to, error) && !fold_journal(to)) CORE_CHECK(remove_one(to));
  CORE_CHECK(remove_journals(to));
  CORE_CHECK(rename_one(from, to));
  return core::sync_folder(folder_);
}

core::Status FeatureFiles::remove(const fs::path& path) const {
  CORE_CHECK(remove_one(path));
  return remove_journals(path);
}

core::Status snapshot(const fs::path& from, const fs::path& to) {
  CORE_TRY(auto database, SqliteDatabase::open(from, adapters::embedded::SqliteMode::kReadOnly));
  std::string quoted;
  for (const char c : to.string()) quoted += c == '\'' ? std::string("''") : std::string(1, c);
  CORE_CHECK(database.execute("VACUUM INTO '" + quoted + "'"));
  return database.close();
}

std::int64_t included_offset(const adapters::embedded::FeatureFileInfo& info) {
  return info.positions.empty() ? 0 : info.positions.front().offset;
}

Standing standing(const adapters::embedded::FeatureFileInfo& info, const LogExtent& log) {
  const auto other = [&](const auto& position) { return position.stream != log.name || position.partition != 0; };
  if (std::ranges::any_of(info.positions, other)) return Standing::kOtherLog;
  const std::int64_t offset = included_offset(info);
  if (offset > log.last_offset) return Standing::kAhead;
  return offset < log.removed_through ? Standing::kBehind : Standing::kUsable;
}

std::string explain(const fs::path& path, const adapters::embedded::FeatureFileInfo& info, const LogExtent& log) {
  const std::int64_t offset = included_offset(info);
  switch (standing(info, log)) {
    case Standing::kUsable: return {};
    case Standing::kOtherLog:
      return fmt::format("{} belongs to the event log \"{}\", but events.db is the log \"{}\"", path.string(),
                         info.positions.front().stream, log.name);
    case Standing::kAhead:
      return fmt::format("{} includes events up to position {}, but events.db ends at {}: it was replaced by an older copy, "
                         "or its disk lost events that were acknowledged",
                         path.string(), offset, log.last_offset);
    case Standing::kBehind:
      return fmt::format("{} includes events up to position {}, but those up to {} have been removed from events.db",
                         path.string(), offset, log.removed_through);
  }
  return {};
}

}  // namespace scalestyle::consumer
