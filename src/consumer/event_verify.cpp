#include "consumer/event_verify.hpp"

#include <fmt/format.h>

#include <system_error>
#include <utility>

#include "adapters/embedded/feature_file.hpp"
#include "consumer/feature_files.hpp"

namespace scalestyle::consumer {

namespace fs = std::filesystem;
using adapters::embedded::EventLogReader;
using adapters::embedded::MemoryFeatureStore;

namespace {

struct Check {
  const FeatureFiles& files;
  fs::path work;
  const events::FeatureOptions& options;
  const MemoryFeatureStore::Environment& environment;
  EventVerification& report;
};

core::Result<LogExtent> extent_of(const fs::path& data) {
  CORE_TRY(auto reader, EventLogReader::open(data));
  CORE_TRY(const auto removed_through, reader.removed_through());
  CORE_TRY(const auto last_offset, reader.last_offset());
  return LogExtent{reader.name(), removed_through, last_offset};
}

// Loads a copy of the file: everything in it is read and checked on the way.
void check_file(const Check& check, const fs::path& path, const LogExtent& log) {
  const auto copy = check.work / path.filename();
  const auto problem = [&](const std::string& what) {
    check.report.problems.push_back(what.find(path.string()) == std::string::npos ? path.string() + ": " + what : what);
  };
  if (const auto copied = snapshot(path, copy); !copied) return problem(copied.error().message);
  const auto info = adapters::embedded::read_feature_file_info(copy);
  if (!info && info.error().code == core::ErrorCode::kNotFound && path == check.files.checkpoint()) {
    check.report.notes.push_back(path.string() + " is empty, its making was cut off: the next start replays the log");
    return;
  }
  if (!info) return problem(info.error().message);
  if (standing(*info, log) != Standing::kUsable) problem(explain(path, *info, log));
  if (info->options != adapters::embedded::fingerprint(check.options)) {
    check.report.notes.push_back(path.string() + " was made under other feature settings: its rows were not looked into");
  } else if (const auto store = MemoryFeatureStore::open(copy, check.options, check.environment); !store) {
    problem(store.error().message);
  }
  check.report.files.push_back({path, included_offset(*info), info->subjects, info->items});
}

}  // namespace

core::Result<EventVerification> verify_events(const fs::path& data, const fs::path& work, const events::FeatureOptions& options,
                                              const MemoryFeatureStore::Environment& environment) {
  const FeatureFiles files(data);
  EventVerification report;
  // The files first: a log that grows meanwhile is only further ahead of them.
  CORE_TRY(auto paths, files.candidates());
  paths.insert(paths.begin(), {files.horizon(), 0});
  paths.insert(paths.begin(), {files.checkpoint(), 0});
  auto verified = adapters::embedded::verify_event_log(data);
  if (!verified) return std::unexpected(std::move(verified).error());
  report.log = std::move(*verified);
  const auto extent = extent_of(data);
  if (!extent) {
    report.problems.push_back(extent.error().message);
    return report;
  }
  const Check check{files, work, options, environment, report};
  std::error_code ignored;
  for (const auto& copy : paths) {
    if (fs::exists(copy.path, ignored)) check_file(check, copy.path, *extent);
  }
  if (!fs::exists(files.horizon(), ignored) && extent->removed_through > 0) {
    report.problems.push_back(fmt::format("{} is missing, but events up to {} have been removed from the log",
                                          files.horizon().string(), extent->removed_through));
  }
  if (!fs::exists(files.checkpoint(), ignored)) {
    report.notes.push_back(files.checkpoint().string() + " is missing: the next start replays the log");
  }
  CORE_TRY(const auto put_aside, files.put_aside());
  for (const auto& path : put_aside) report.notes.push_back(path.string() + " was put aside by a start");
  return report;
}

}  // namespace scalestyle::consumer
