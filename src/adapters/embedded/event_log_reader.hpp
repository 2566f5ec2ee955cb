#pragma once
// EventLogReader: an event log read without writing it, also while a server has it open: for export, verification and
// rebuilds. Not thread-safe; blocking.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "events/event.hpp"
#include "ports/event_stream.hpp"

namespace scalestyle::adapters::embedded {

struct EventPage {
  std::vector<events::LoggedEvent> events{};               // ascending
  std::vector<ports::UndecodableRecord> undecodable{};
  std::int64_t last_offset = 0;                            // where the next page goes on
  [[nodiscard]] bool end() const { return events.empty() && undecodable.empty(); }
};

// Events that a pending erasure will make anonymous. Whoever computes features needs them as they are still: a forgotten
// user's merge empties the session that it took in, and that must come out of a replay as it went in. Nobody else does.
enum class PendingErasures : std::uint8_t { kHidden, kShown };

class EventLogReader {
 public:
  // Errors: kNotFound (no log in `folder`), kFailedPrecondition (a format of another version), kDataLoss, kUnavailable.
  [[nodiscard]] static core::Result<EventLogReader> open(const std::filesystem::path& folder, const std::string& vfs = {});
  EventLogReader(EventLogReader&&) noexcept;
  EventLogReader& operator=(EventLogReader&&) noexcept;
  ~EventLogReader();

  [[nodiscard]] const std::string& name() const;               // of its positions
  [[nodiscard]] core::Result<std::int64_t> removed_through();  // retention has removed everything up to here
  [[nodiscard]] core::Result<std::int64_t> last_offset();      // of the newest event that is kept, else removed_through

  // At most `limit` (1 … 10,000) records after `after_offset`. With kHidden, events of before a pending erasure's barrier
  // come out anonymous already. kDataLoss names the damaged place.
  [[nodiscard]] core::Result<EventPage> read_page(std::int64_t after_offset, std::size_t limit,
                                                  PendingErasures pending = PendingErasures::kHidden);

 private:
  struct Impl;
  explicit EventLogReader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

struct VerifyReport {
  std::uint64_t events = 0;
  std::int64_t first_offset = 0;
  std::int64_t last_offset = 0;
  std::vector<std::string> problems{};  // each names its place; empty: all is well. At most 1,000
  std::uint64_t more_problems = 0;      // beyond those
};

// Checks the whole log: SQLite's own check of pages and indexes, the write-ahead log's check sums, every row's form, and
// that ids, subjects, types and times are what their columns say. Nothing is changed. Errors as open().
[[nodiscard]] core::Result<VerifyReport> verify_event_log(const std::filesystem::path& folder, const std::string& vfs = {});

}  // namespace scalestyle::adapters::embedded
