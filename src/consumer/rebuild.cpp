#include "consumer/rebuild.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>
#include <utility>
#include <vector>

#include "core/task.hpp"

namespace scalestyle::consumer {

namespace fs = std::filesystem;
using adapters::embedded::EventLogReader;
using adapters::embedded::MemoryFeatureStore;

namespace {

constexpr std::size_t kPageEvents = 5'000;

}  // namespace

FeatureRebuild::FeatureRebuild(Request request, MemoryFeatureStore::Environment environment, EventLogReader reader)
    : request_(std::move(request)), files_(request_.data), environment_(std::move(environment)), reader_(std::move(reader)) {}

core::Result<FeatureRebuild> FeatureRebuild::open(Request request, MemoryFeatureStore::Environment environment) {
  CORE_TRY(auto reader, EventLogReader::open(request.data));
  return FeatureRebuild(std::move(request), std::move(environment), std::move(reader));
}

core::Result<LogExtent> FeatureRebuild::extent() {
  CORE_TRY(const auto removed_through, reader_.removed_through());
  CORE_TRY(const auto last_offset, reader_.last_offset());
  return LogExtent{reader_.name(), removed_through, last_offset};
}

core::Result<std::unique_ptr<MemoryFeatureStore>> FeatureRebuild::load_checkpoint() {
  const auto copy = request_.work / "checkpoint.db";
  CORE_CHECK(snapshot(files_.checkpoint(), copy));
  return MemoryFeatureStore::open(copy, request_.options, environment_);
}

// Copies the horizon to `target`; leaves nothing there where a rebuild begins from nothing.
core::Status FeatureRebuild::use_horizon(const fs::path& target) {
  CORE_TRY(const auto log, extent());
  std::error_code ignored;
  if (!fs::exists(files_.horizon(), ignored)) {
    if (log.removed_through == 0) return {};
    return core::fail(core::ErrorCode::kFailedPrecondition,
                      fmt::format("events up to {} have been removed from the log, and {} that stands for them is missing",
                                  log.removed_through, files_.horizon().string()));
  }
  CORE_CHECK(snapshot(files_.horizon(), target));
  CORE_TRY(const auto info, adapters::embedded::read_feature_file_info(target));
  if (standing(info, log) != Standing::kUsable) {
    return core::fail(core::ErrorCode::kFailedPrecondition, explain(files_.horizon(), info, log));
  }
  if (info.options == adapters::embedded::fingerprint(request_.options)) return {};
  const std::string problem = files_.horizon().string() + " was made under other feature settings";
  if (!allow_other_horizon_) return core::fail(core::ErrorCode::kFailedPrecondition, problem);
  horizon_left_out_ = problem;
  return files_.remove(target);
}

core::Result<Rebuilt> FeatureRebuild::rebuild(std::optional<std::int64_t> last) {
  const auto target = request_.work / "rebuilt.db";
  CORE_CHECK(use_horizon(target));
  Rebuilt rebuilt;
  CORE_TRY(rebuilt.store, MemoryFeatureStore::open(target, request_.options, environment_));
  std::int64_t offset = rebuilt.offset = applied_offset(*rebuilt.store);
  while (true) {
    CORE_TRY(auto page, reader_.read_page(offset, kPageEvents, adapters::embedded::PendingErasures::kShown));
    if (page.end()) break;
    offset = page.last_offset;
    const bool complete = last && offset >= *last;
    if (complete) {
      std::erase_if(page.events, [&](const auto& event) { return event.position.offset > *last; });
      std::erase_if(page.undecodable, [&](const auto& record) { return record.position.offset > *last; });
    }
    rebuilt.undecodable += page.undecodable.size();
    if (!page.events.empty()) {
      rebuilt.events += page.events.size();
      rebuilt.offset = page.events.back().position.offset;
      const auto batch = std::make_shared<const std::vector<events::LoggedEvent>>(std::move(page.events));
      CORE_CHECK(core::sync_wait(rebuilt.store->apply(batch, core::Deadline::never())));
    }
    if (complete) break;
  }
  return rebuilt;
}

core::Status FeatureRebuild::install(Rebuilt rebuilt) {
  const std::string options = adapters::embedded::fingerprint(request_.options);
  CORE_TRY(const auto candidates, files_.candidates());
  for (const auto& candidate : candidates) {
    const auto info = adapters::embedded::read_feature_file_info(candidate.path);
    if (!info || info->options != options) CORE_CHECK(files_.remove(candidate.path));
  }
  CORE_CHECK(rebuilt.store->checkpoint_now());
  const auto installed = request_.work / "installed.db";
  CORE_CHECK(rebuilt.store->copy_to(installed));
  if (!horizon_left_out_.empty()) CORE_CHECK(files_.copy(installed, files_.horizon()));
  return files_.install(installed, files_.checkpoint());
}

std::int64_t applied_offset(const MemoryFeatureStore& store) {
  const auto applied = store.applied();
  return applied.empty() ? 0 : applied.front().offset;
}

}  // namespace scalestyle::consumer
