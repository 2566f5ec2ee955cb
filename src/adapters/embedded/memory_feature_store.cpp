#include "adapters/embedded/memory_feature_store.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "adapters/embedded/memory_feature_store_impl.hpp"
#include "core/crash_point.hpp"

namespace scalestyle::adapters::embedded {

namespace {

using Positions = core::Result<std::vector<events::EventPosition>>;

// Applied under one hold of the writer lock, about 100 µs: a checkpoint that begins or ends waits no longer.
constexpr std::size_t kSlice = 64;

std::optional<events::EpochMs> known(events::EpochMs time) {
  return time == 0 ? std::nullopt : std::optional(time);
}

core::Status check_deadline(core::Deadline deadline, const core::Clock& clock) {
  if (!deadline.expired(clock)) return {};
  return core::fail(core::ErrorCode::kDeadlineExceeded, "the deadline passed before the features were looked at");
}

events::EpochMs wall_ms(const core::Clock& clock) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(clock.wall_now().time_since_epoch()).count();
}

}  // namespace

MemoryFeatureStore::Impl::Impl(FeatureCheckpoint opened, const events::FeatureOptions& options, Environment given)
    : environment(std::move(given)),
      file(std::move(opened)),
      state(options),
      positions(environment.pool, environment.timers, environment.clock) {
  telemetry::Metrics& all = environment.metrics;
  metrics.memory_bytes = all.gauge({"scalestyle_features_memory_bytes", "Memory of subjects, items and names; bounded by features_max_memory."});
  metrics.subjects = all.gauge({"scalestyle_features_subjects", "Subjects whose features are in memory."});
  metrics.items = all.gauge({"scalestyle_features_items", "Items whose popularity is in memory."});
  const char* evicted = "Least recently active records that went for lack of memory.";
  metrics.evicted_subjects = all.counter({"scalestyle_features_evicted_total", evicted, {{"kind", "subject"}}});
  metrics.evicted_items = all.counter({"scalestyle_features_evicted_total", evicted, {{"kind", "item"}}});
  metrics.expired_subjects = all.counter({"scalestyle_features_expired_total", "Subjects that went after their time to live."});
  metrics.checkpoint_failures = all.counter({"scalestyle_features_checkpoint_failures_total", "Checkpoints that failed; their changes wait for the next."});
  metrics.checkpoint_seconds = all.histogram({"scalestyle_features_checkpoint_seconds", "Time to write a checkpoint of the features."});
}

void MemoryFeatureStore::Impl::publish_metrics() {
  const FeatureState::Counts& counts = state.counts();
  metrics.memory_bytes.set(static_cast<double>(counts.memory_bytes.load(std::memory_order_relaxed)));
  metrics.subjects.set(static_cast<double>(counts.subjects.load(std::memory_order_relaxed)));
  metrics.items.set(static_cast<double>(counts.items.load(std::memory_order_relaxed)));
  const auto count = [](const telemetry::Counter& counter, const std::atomic<std::uint64_t>& now, std::uint64_t& told) {
    const std::uint64_t value = now.load(std::memory_order_relaxed);
    if (value != told) counter.add(static_cast<double>(value - told));
    told = value;
  };
  count(metrics.evicted_subjects, counts.evicted_subjects, counted.evicted_subjects);
  count(metrics.evicted_items, counts.evicted_items, counted.evicted_items);
  count(metrics.expired_subjects, counts.expired_subjects, counted.expired_subjects);
}

// With the writer lock held: effects and positions move together.
void MemoryFeatureStore::Impl::apply_some(std::span<const events::LoggedEvent> events, AppliedPositions::Waiters& reached) {
  std::optional<events::EventPosition> last;
  std::optional<std::int64_t> applied;
  for (const events::LoggedEvent& logged : events) {
    const events::EventPosition& position = logged.position;
    if (!last || last->stream != position.stream || last->partition != position.partition) {
      if (last) positions.advance(*last, reached);
      last.reset();
      applied = positions.offset(position.stream, position.partition);
    }
    if (applied && position.offset <= *applied) continue;
    state.apply(logged.event);
    applied = position.offset;
    last = position;
  }
  if (last) positions.advance(*last, reached);
}

std::vector<events::EventPosition> MemoryFeatureStore::Impl::committed() const {
  const std::lock_guard lock(committed_mutex);
  return committed_positions;
}

MemoryFeatureStore::MemoryFeatureStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
MemoryFeatureStore::~MemoryFeatureStore() = default;

core::Result<std::unique_ptr<MemoryFeatureStore>> MemoryFeatureStore::open(const std::filesystem::path& path,
                                                                           const events::FeatureOptions& options,
                                                                           Environment environment) {
  CORE_CHECK(options.validate());
  CORE_TRY(auto file, FeatureCheckpoint::open(path, options));
  auto impl = std::make_unique<Impl>(std::move(file), options, std::move(environment));
  CORE_TRY(const CheckpointHeader header, impl->file.load(impl->state));
  impl->positions.restore(header.positions);
  impl->committed_positions = impl->positions.all();
  impl->journal_used = true;  // a crash may have left one
  impl->publish_metrics();
  return std::unique_ptr<MemoryFeatureStore>(new MemoryFeatureStore(std::move(impl)));
}

core::Task<Positions> MemoryFeatureStore::committed(core::Deadline) { co_return impl_->committed(); }

core::Task<core::Result<ports::ApplyReport>> MemoryFeatureStore::apply(std::shared_ptr<const std::vector<events::LoggedEvent>> batch,
                                                                       core::Deadline deadline) {
  CORE_CO_CHECK(check_deadline(deadline, impl_->environment.clock));
  std::span<const events::LoggedEvent> rest(*batch);
  AppliedPositions::Waiters reached;
  while (!rest.empty()) {
    const auto some = rest.first(std::min(rest.size(), kSlice));
    rest = rest.subspan(some.size());
    {
      const std::lock_guard lock(impl_->writer);
      impl_->apply_some(some, reached);
      if (rest.empty()) impl_->publish_metrics();
    }
    impl_->positions.resume(std::exchange(reached, {}));
  }
  core::crash_point("features.applied");
  co_return ports::ApplyReport();
}

core::Task<core::Result<ports::SubjectSnapshot>> MemoryFeatureStore::read(events::Subject subject, core::Deadline deadline) {
  CORE_CO_CHECK(check_deadline(deadline, impl_->environment.clock));
  const FeatureState& state = impl_->state;
  const events::EpochMs now_ms = wall_ms(impl_->environment.clock);
  ports::SubjectSnapshot snapshot;
  bool whole = true;
  state.subjects().read(subject.key(), [&](std::string_view bytes) {
    events::SubjectRecord record;
    whole = events::decode(bytes, record);
    if (whole) snapshot.features = state.features(record, subject.kind, now_ms);
  });
  if (!whole) co_return core::fail(core::ErrorCode::kInternal, "the record of a subject cannot be read");
  snapshot.newest_applied_ms = known(state.watermark_ms());
  co_return snapshot;
}

core::Task<core::Result<ports::AppliedState>> MemoryFeatureStore::wait_applied(ports::WaitedEvent event, core::Deadline deadline) {
  CORE_CO_TRY(const bool reached, co_await impl_->positions.wait(std::move(event.position), deadline));
  co_return ports::AppliedState{reached, known(impl_->state.watermark_ms())};
}

core::Task<core::Result<ports::PopularityChanges>> MemoryFeatureStore::popularity(std::uint64_t since, events::EpochMs now_ms,
                                                                                  core::Deadline deadline) {
  CORE_CO_CHECK(check_deadline(deadline, impl_->environment.clock));
  co_return impl_->state.items().changes_since(since, now_ms);
}

std::vector<events::EventPosition> MemoryFeatureStore::applied() const { return impl_->positions.all(); }
const events::FeatureOptions& MemoryFeatureStore::options() const { return impl_->state.options(); }

MemoryFeatureStore::Usage MemoryFeatureStore::usage() const {
  const FeatureState::Counts& counts = impl_->state.counts();
  Usage usage;
  usage.memory_bytes = counts.memory_bytes.load(std::memory_order_relaxed);
  usage.subjects = counts.subjects.load(std::memory_order_relaxed);
  usage.items = counts.items.load(std::memory_order_relaxed);
  usage.evicted_subjects = counts.evicted_subjects.load(std::memory_order_relaxed);
  usage.evicted_items = counts.evicted_items.load(std::memory_order_relaxed);
  usage.expired_subjects = counts.expired_subjects.load(std::memory_order_relaxed);
  return usage;
}

}  // namespace scalestyle::adapters::embedded
