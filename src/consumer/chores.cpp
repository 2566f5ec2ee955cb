#include "consumer/chores.hpp"

#include <filesystem>
#include <system_error>
#include <utility>

#include "adapters/embedded/feature_file.hpp"
#include "consumer/event_retention.hpp"
#include "consumer/work_folder.hpp"
#include "core/task.hpp"
#include "events/timestamp.hpp"

namespace scalestyle::consumer {

namespace {

// The wish must be durable in the features before the log forgets whose wish it was, so a checkpoint comes first; once
// the loop has committed it, a later run erases.
core::Status erase(const EmbeddedParts& parts, const FeatureFiles& files, Checkpointer& checkpointer) {
  CORE_TRY(const auto figures, adapters::embedded::figures(parts.log));
  if (figures.pending_erasures == 0) return {};
  CORE_CHECK(checkpointer.run());
  CORE_TRY(const auto erased, adapters::embedded::erase_pending(parts.log, [&](const adapters::embedded::Forgotten& forgotten) {
    return scrub(parts, files, forgotten);
  }));
  if (erased > 0) parts.logger.info("forgotten subjects were erased", {{"subjects", erased}});
  return {};
}

Chore impressions_flush(adapters::embedded::SqliteImpressionLog& impressions, const EmbeddedChoreOptions& options) {
  return {.name = "impressions_flush", .interval = options.flush_interval,
          .work = [&impressions] { return impressions.flush(); }, .at_end = true};
}

Chore impression_retention(adapters::embedded::SqliteImpressionLog& impressions, const core::Clock& clock,
                           const EmbeddedChoreOptions& options) {
  return {.name = "impression_retention", .interval = options.retention_interval, .work = [&impressions, &clock]() -> core::Status {
            CORE_CHECK(impressions.retain(events::to_epoch_ms(clock.wall_now())));
            return {};
          }};
}

Chore wal_checkpoint(adapters::embedded::SqliteEventLog& log, const EmbeddedChoreOptions& options) {
  return {.name = "wal_checkpoint", .interval = options.wal_interval, .work = [&log, wal = options.wal]() -> core::Status {
            CORE_CHECK(adapters::embedded::checkpoint_wal(log, wal));
            return {};
          }};
}

Chore feature_checkpoint(const std::shared_ptr<Checkpointer>& checkpointer, const EmbeddedChoreOptions& options) {
  return {.name = "feature_checkpoint", .interval = options.checkpoint_interval,
          .work = [checkpointer] { return checkpointer->run(); },
          .due_early = [checkpointer] { return checkpointer->due_early(); }, .at_end = true};
}

core::Status erase_from(const LogParts& parts) {
  CORE_TRY(const auto figures, adapters::embedded::figures(parts.log));
  if (figures.pending_erasures == 0) return {};
  CORE_TRY(const auto erased, adapters::embedded::erase_pending(parts.log, [&](const adapters::embedded::Forgotten& forgotten) {
    auto scrubbed = parts.impressions.erase(forgotten.subject, forgotten.barrier_ms);
    for (const auto& session : forgotten.sessions) {
      if (scrubbed) scrubbed = parts.impressions.erase(session.subject, forgotten.barrier_ms);
    }
    return scrubbed;
  }));
  if (erased > 0) parts.logger.info("forgotten subjects were erased", {{"subjects", erased}});
  return {};
}

core::Status retain(const LogParts& parts, const adapters::embedded::RetentionRule& rule) {
  CORE_TRY(const auto past, adapters::embedded::past_retention(parts.log, rule, events::to_epoch_ms(parts.clock.wall_now())));
  if (!past) return {};
  CORE_TRY(const auto removed, adapters::embedded::remove_through(parts.log, *past));
  if (removed > 0) parts.logger.info("events past retention were removed", {{"events", removed}, {"through", *past}});
  return {};
}

}  // namespace

core::Status Checkpointer::run() {
  const std::uint64_t applied = loop_.applied_events();  // what is applied while it runs is for the next one
  if (applied == covered_) return {};
  CORE_TRY(const auto positions, core::sync_wait(features_.checkpoint(core::Deadline::after(options_.deadline, clock_))));
  covered_ = applied;
  loop_.note_durable(positions);
  return {};
}

core::Status scrub(const EmbeddedParts& parts, const FeatureFiles& files, const adapters::embedded::Forgotten& forgotten) {
  CORE_TRY(auto copies, files.candidates());
  std::error_code ignored;
  if (std::filesystem::exists(files.horizon(), ignored)) {
    CORE_TRY(const auto info, adapters::embedded::read_feature_file_info(files.horizon()));
    copies.push_back({files.horizon(), included_offset(info)});
  }
  CORE_CHECK(parts.impressions.erase(forgotten.subject, forgotten.barrier_ms));
  for (const auto& session : forgotten.sessions) CORE_CHECK(parts.impressions.erase(session.subject, forgotten.barrier_ms));
  for (const auto& copy : copies) {
    CORE_CHECK(adapters::embedded::scrub_subject(copy.path, forgotten.subject));
    for (const auto& session : forgotten.sessions) {
      // Before that, what a copy has of the session belongs to another user; from the merge on, to the session itself.
      if (copy.offset <= session.above_offset || copy.offset >= session.merge_offset) continue;
      CORE_CHECK(adapters::embedded::scrub_subject(copy.path, session.subject));
    }
  }
  CORE_CHECK(files.remove(files.staged_candidate()));
  CORE_CHECK(WorkFolder::remove_leftovers(files.folder()));
  CORE_TRY(const auto put_aside, files.put_aside());
  for (const auto& path : put_aside) {
    CORE_CHECK(files.remove(path));
    parts.logger.warning("a checkpoint that was put aside is removed: it may hold a forgotten subject", {{"file", path.string()}});
  }
  return parts.features.scrub_now();
}

std::vector<Chore> embedded_chores(const EmbeddedParts& parts, const FeatureFiles& files, const EmbeddedChoreOptions& options) {
  const auto checkpointer = std::make_shared<Checkpointer>(parts.features, parts.loop, parts.clock, options.checkpoint);
  const auto retention = std::make_shared<EventRetention>(
      EventRetention::Dependencies{parts.log, parts.features, parts.clock, parts.logger}, files, options.event_retention);
  std::vector<Chore> chores;
  chores.push_back(impressions_flush(parts.impressions, options));
  chores.push_back(feature_checkpoint(checkpointer, options));
  chores.push_back(wal_checkpoint(parts.log, options));
  chores.push_back({.name = "erasure", .interval = options.erasure_interval,
                    .work = [parts, files, checkpointer] { return erase(parts, files, *checkpointer); }});
  chores.push_back({.name = "event_retention", .interval = options.retention_interval, .work = [retention] { return retention->run(); }});
  chores.push_back(impression_retention(parts.impressions, parts.clock, options));
  return chores;
}

std::vector<Chore> log_chores(const LogParts& parts, const EmbeddedChoreOptions& options) {
  std::vector<Chore> chores;
  chores.push_back(impressions_flush(parts.impressions, options));
  chores.push_back(wal_checkpoint(parts.log, options));
  chores.push_back({.name = "erasure", .interval = options.erasure_interval, .work = [parts] { return erase_from(parts); }});
  chores.push_back({.name = "event_retention", .interval = options.retention_interval,
                    .work = [parts, rule = options.event_retention] { return retain(parts, rule); }});
  chores.push_back(impression_retention(parts.impressions, parts.clock, options));
  return chores;
}

std::vector<Chore> feature_chores(ports::FeatureStore& features, EventLoop& loop, const core::Clock& clock,
                                  const EmbeddedChoreOptions& options) {
  std::vector<Chore> chores;
  chores.push_back(feature_checkpoint(std::make_shared<Checkpointer>(features, loop, clock, options.checkpoint), options));
  return chores;
}

}  // namespace scalestyle::consumer
