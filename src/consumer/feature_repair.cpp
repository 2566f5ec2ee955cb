#include "consumer/feature_repair.hpp"

#include <fmt/format.h>

#include <utility>

#include "adapters/embedded/event_log_maintenance.hpp"

namespace scalestyle::consumer {

namespace fs = std::filesystem;
using adapters::embedded::FeatureFileInfo;
using adapters::embedded::MemoryFeatureStore;
using core::ErrorCode;

namespace {

// Why `path` cannot be where a replay begins; empty when it can.
std::string unusable(const fs::path& path, const core::Result<FeatureFileInfo>& info, const FeatureOpening& opening) {
  if (!info) return info.error().message;
  if (standing(*info, opening.extent) != Standing::kUsable) return explain(path, *info, opening.extent);
  if (info->options != adapters::embedded::fingerprint(opening.options)) {
    return fmt::format("{} was made with other feature settings", path.string());
  }
  return {};
}

core::Status begin_from_copy(const FeatureOpening& opening, const std::string& why) {
  CORE_TRY(const auto base, newest_usable_copy(opening));
  if (base) {
    CORE_CHECK(opening.files.copy(base->path, opening.files.checkpoint()));
    opening.log.warning("features begin from a copy; what came after it is replayed from the log",
                        {{"because", why}, {"copy", base->path.string()}, {"offset", base->offset},
                         {"log_ends_at", opening.extent.last_offset}});
    return {};
  }
  if (opening.extent.removed_through > 0) {
    opening.log.error("no copy of the features covers the events that retention removed; what those did is lost",
                      {{"because", why}, {"removed_through", opening.extent.removed_through}});
  } else if (opening.extent.last_offset > 0) {
    opening.log.info("features are made from the whole log", {{"because", why}, {"log_ends_at", opening.extent.last_offset}});
  }
  return {};
}

core::Status set_aside(const FeatureOpening& opening, std::string_view why, const std::string& cause) {
  CORE_TRY(const auto aside, opening.files.set_aside(opening.files.checkpoint(), why, opening.environment.clock.wall_now()));
  opening.log.error("the checkpoint of the features cannot be used and was put aside",
                    {{"cause", cause}, {"kept_as", aside.string()}});
  return begin_from_copy(opening, cause);
}

core::Status refuse(const std::string& problem) {
  return core::fail(ErrorCode::kFailedPrecondition,
                    problem + ". Put the events.db that belongs to it back; or, to begin again from what events.db has, move "
                              "every features*.db of the folder elsewhere.");
}

// Makes features.db one that the store can load, as far as that can be seen without loading.
core::Status prepare(const FeatureOpening& opening) {
  const auto path = opening.files.checkpoint();
  const auto info = adapters::embedded::read_feature_file_info(path);
  if (!info) {
    if (info.error().code == ErrorCode::kNotFound) return begin_from_copy(opening, info.error().message);
    if (info.error().code == ErrorCode::kDataLoss) return set_aside(opening, "damaged", info.error().message);
    return std::unexpected(info.error());
  }
  const std::string problem = explain(path, *info, opening.extent);
  switch (standing(*info, opening.extent)) {
    case Standing::kUsable: return {};
    case Standing::kBehind: return set_aside(opening, "outdated", problem);
    case Standing::kOtherLog:
    case Standing::kAhead: break;
  }
  return refuse(problem);
}

}  // namespace

core::Result<LogExtent> extent_of(adapters::embedded::SqliteEventLog& log) {
  CORE_TRY(const auto figures, adapters::embedded::figures(log));
  return LogExtent{log.name(), figures.removed_through, figures.last_offset};
}

core::Result<std::optional<UsableCopy>> newest_usable_copy(const FeatureOpening& opening) {
  CORE_TRY(auto copies, opening.files.candidates());
  std::error_code ignored;
  if (fs::exists(opening.files.horizon(), ignored)) copies.insert(copies.begin(), {opening.files.horizon(), 0});
  for (auto copy = copies.rbegin(); copy != copies.rend(); ++copy) {
    const auto info = adapters::embedded::read_feature_file_info(copy->path);
    const std::string problem = unusable(copy->path, info, opening);
    if (problem.empty()) return UsableCopy{copy->path, included_offset(*info)};
    opening.log.error("a copy of the features cannot be used", {{"copy", copy->path.string()}, {"cause", problem}});
  }
  return std::nullopt;
}

core::Result<std::unique_ptr<MemoryFeatureStore>> open_features(const FeatureOpening& opening) {
  CORE_CHECK(prepare(opening));
  const auto open = [&] { return MemoryFeatureStore::open(opening.files.checkpoint(), opening.options, opening.environment); };
  auto store = open();
  if (!store && store.error().code == ErrorCode::kDataLoss) {
    CORE_CHECK(set_aside(opening, "damaged", store.error().message));
    store = open();
  }
  return store;
}

}  // namespace scalestyle::consumer
