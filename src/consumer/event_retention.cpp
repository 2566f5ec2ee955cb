#include "consumer/event_retention.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "adapters/embedded/event_log_reader.hpp"
#include "adapters/embedded/feature_file.hpp"
#include "core/crash_point.hpp"
#include "core/files.hpp"
#include "events/timestamp.hpp"

namespace scalestyle::consumer {

using adapters::embedded::EventLogFigures;
using adapters::embedded::RetentionRule;

namespace {

// Events leave in steps of a candidate's spacing: what is kept is the rule's amount and at most one step.
constexpr std::uint64_t kSpacingShareOfBytes = 3;
constexpr int kSpacingShareOfAge = 2;

bool is_there(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

}  // namespace

core::Status EventRetention::run() {
  const events::EpochMs now_ms = events::to_epoch_ms(use_.clock.wall_now());
  const RetentionRule before_step{rule_.max_age, rule_.max_bytes - rule_.max_bytes / kSpacingShareOfBytes};
  CORE_TRY(const auto past, adapters::embedded::past_retention(use_.log, before_step, now_ms));
  if (past) {
    CORE_CHECK(promote(*past));
    CORE_CHECK(remove_up_to_horizon(*past));
  }
  return add_candidate(now_ms);
}

core::Status EventRetention::promote(std::int64_t past) {
  CORE_TRY(auto candidates, files_.candidates());
  std::erase_if(candidates, [past](const auto& candidate) { return candidate.offset > past; });
  if (candidates.empty()) return {};
  const FeatureCopy chosen = candidates.back();
  CORE_TRY(const auto info, adapters::embedded::read_feature_file_info(chosen.path));
  if (info.options != adapters::embedded::fingerprint(use_.features.options())) {
    use_.logger.warning("a copy of the features that was made under other settings is removed", {{"copy", chosen.path.string()}});
    return files_.remove(chosen.path);
  }
  CORE_CHECK(files_.copy(chosen.path, files_.horizon()));
  core::crash_point("horizon.promoted");
  for (const auto& candidate : candidates) CORE_CHECK(files_.remove(candidate.path));
  use_.logger.info("the features' horizon moved", {{"offset", chosen.offset}});
  return {};
}

core::Status EventRetention::remove_up_to_horizon(std::int64_t past) {
  if (!is_there(files_.horizon())) return {};
  CORE_TRY(const auto info, adapters::embedded::read_feature_file_info(files_.horizon()));
  CORE_TRY(const auto figures, adapters::embedded::figures(use_.log));
  const std::int64_t horizon = included_offset(info);
  if (horizon > past || horizon <= figures.removed_through) return {};
  CORE_TRY(const auto removed, adapters::embedded::remove_through(use_.log, horizon));
  use_.logger.info("events past retention were removed", {{"events", removed}, {"through", horizon}});
  return {};
}

core::Status EventRetention::add_candidate(events::EpochMs now_ms) {
  CORE_TRY(const auto figures, adapters::embedded::figures(use_.log));
  CORE_TRY(const auto newest, newest_copy_offset(figures));
  CORE_TRY(const bool due, candidate_is_due(newest, figures, now_ms));
  if (!due) return {};
  CORE_TRY(const auto positions, use_.features.copy_to(files_.staged_candidate()));
  core::crash_point("horizon.staged");
  const std::int64_t offset = positions.empty() ? 0 : positions.front().offset;
  if (offset <= newest) return files_.remove(files_.staged_candidate());
  CORE_CHECK(files_.install(files_.staged_candidate(), files_.candidate(offset)));
  core::crash_point("horizon.candidate");
  use_.logger.info("a copy of the features was made for the next horizon", {{"offset", offset}});
  return {};
}

core::Result<std::int64_t> EventRetention::newest_copy_offset(const EventLogFigures& figures) const {
  CORE_TRY(const auto candidates, files_.candidates());
  if (!candidates.empty()) return candidates.back().offset;
  if (!is_there(files_.horizon())) return figures.removed_through;
  CORE_TRY(const auto info, adapters::embedded::read_feature_file_info(files_.horizon()));
  return included_offset(info);
}

// Whether the events after the newest copy that a checkpoint covers are a step's worth.
core::Result<bool> EventRetention::candidate_is_due(std::int64_t newest, const EventLogFigures& figures,
                                                    events::EpochMs now_ms) const {
  if (figures.committed_offset <= newest || figures.last_offset <= figures.removed_through) return false;
  const double share = static_cast<double>(figures.committed_offset - newest) /
                       static_cast<double>(figures.last_offset - figures.removed_through);
  if (share * static_cast<double>(figures.used_bytes) >= static_cast<double>(rule_.max_bytes / kSpacingShareOfBytes)) return true;
  CORE_TRY(auto reader, adapters::embedded::EventLogReader::open(files_.folder()));
  CORE_TRY(const auto page, reader.read_page(newest, 1));
  if (page.events.empty()) return false;
  return now_ms - page.events.front().event.received_time_ms >= rule_.max_age.count() / kSpacingShareOfAge;
}

}  // namespace scalestyle::consumer
