// scalestyle events verify | rebuild: is what the events are kept in sound, and do the features follow from the log?

#include <fmt/format.h>

#include <optional>
#include <string>
#include <utility>

#include "command_list.hpp"
#include "consumer/event_verify.hpp"
#include "consumer/rebuild.hpp"
#include "consumer/work_folder.hpp"
#include "core/files.hpp"
#include "core/timer_queue.hpp"
#include "event_stack.hpp"
#include "runtime.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::app {

namespace {

using adapters::embedded::MemoryFeatureStore;

// What a feature store is opened with by a tool, which waits for nothing.
struct ToolServices {
  core::SystemClock clock{};
  core::WorkerPool pool{{}, clock};
  core::TimerQueue timers{clock};
  telemetry::Metrics metrics{};
  [[nodiscard]] MemoryFeatureStore::Environment environment() {
    return {.pool = pool, .timers = timers, .clock = clock, .metrics = metrics};
  }
};

void print(const consumer::EventVerification& found) {
  fmt::print("events.db: {} events, positions {} to {}\n", found.log.events, found.log.first_offset, found.log.last_offset);
  for (const auto& file : found.files) {
    fmt::print("{}: {} subjects, {} items, events up to position {}\n", file.path.filename().string(), file.subjects,
               file.items, file.offset);
  }
  for (const auto& note : found.notes) fmt::print("note: {}\n", note);
  for (const auto& problem : found.log.problems) fmt::print("problem: {}\n", problem);
  if (found.log.more_problems > 0) fmt::print("problem: … and {} more\n", found.log.more_problems);
  for (const auto& problem : found.problems) fmt::print("problem: {}\n", problem);
  fmt::print("{}\n", found.sound() ? "sound" : "not sound");
}

core::Result<bool> run_verify(const core::Settings& settings) {
  CORE_TRY(const auto data, data_folder(settings));
  CORE_TRY(const auto options, feature_options(settings));
  CORE_TRY(const auto work, consumer::WorkFolder::open(data));
  ToolServices services;
  CORE_TRY(const auto found, consumer::verify_events(data, work.path(), options, services.environment()));
  print(found);
  return found.sound();
}

core::Result<core::FileLock> exclusively(core::Result<core::FileLock> lock) {
  if (!lock && lock.error().code == core::ErrorCode::kFailedPrecondition) {
    lock.error().message += "; --replace needs the server that uses this folder to be stopped";
  }
  return lock;
}

// How the checkpoint differs from what was rebuilt, or why it cannot be compared.
std::optional<std::string> difference_from(const consumer::Rebuilt& rebuilt,
                                           const core::Result<std::unique_ptr<MemoryFeatureStore>>& checkpoint) {
  if (!checkpoint) return checkpoint.error().message;
  return first_difference(*rebuilt.store, **checkpoint, consumer::kRebuildTolerance);
}

core::Result<bool> run_rebuild(const core::Settings& settings) {
  CORE_TRY(const auto data, data_folder(settings));
  CORE_TRY(const auto options, feature_options(settings));
  const bool replace = settings.boolean("replace");
  std::optional<core::FileLock> lock;
  CORE_TRY(const auto work, consumer::WorkFolder::open(data));
  if (replace) {
    CORE_TRY(lock, exclusively(core::FileLock::acquire(data / "events.lock")));
  }
  ToolServices services;
  CORE_TRY(auto tool, consumer::FeatureRebuild::open({.data = data, .work = work.path(), .options = options}, services.environment()));
  if (replace) tool.allow_other_horizon();

  auto checkpoint = tool.load_checkpoint();
  if (!checkpoint && !replace) {
    checkpoint.error().message += "; --replace puts what the log gives in its place";
    return std::unexpected(std::move(checkpoint).error());
  }
  const auto last = checkpoint ? std::optional(consumer::applied_offset(**checkpoint)) : std::nullopt;
  CORE_TRY(auto rebuilt, tool.rebuild(last));
  fmt::print("{} events applied, up to position {}\n", rebuilt.events, rebuilt.offset);
  if (rebuilt.undecodable > 0) fmt::print("note: {} records of the log are no event\n", rebuilt.undecodable);
  if (!tool.horizon_left_out().empty()) fmt::print("note: {}: the events that are kept count alone\n", tool.horizon_left_out());
  const auto difference = difference_from(rebuilt, checkpoint);
  if (difference) {
    fmt::print("different: {}\n", *difference);
  } else {
    fmt::print("equal: the checkpoint is what the log gives\n");
  }
  if (!replace) return !difference;
  checkpoint = core::fail(core::ErrorCode::kNotFound, "closed");  // its memory, before the files change
  CORE_CHECK(tool.install(std::move(rebuilt)));
  fmt::print("the rebuilt features are the checkpoint now\n");
  return true;
}

int exit_code(const core::Result<bool>& good) {
  if (!good) return report(good.error());
  return *good ? kExitOk : kExitFailure;
}

}  // namespace

Command events_verify_command() {
  return {.path = {"events", "verify"},
          .help = "Check the event log, the features' checkpoint and its copies; a server may run meanwhile",
          .settings = with_feature_settings({"data"}),
          .run = [](const Invocation& invocation) { return exit_code(run_verify(invocation.settings)); }};
}

Command events_rebuild_command() {
  return {.path = {"events", "rebuild"},
          .help = "Recompute the features from the log and compare them with the checkpoint",
          .settings = with_feature_settings({"data", "replace"}),
          .run = [](const Invocation& invocation) { return exit_code(run_rebuild(invocation.settings)); }};
}

}  // namespace scalestyle::app
