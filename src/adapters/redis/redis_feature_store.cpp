#include "adapters/redis/redis_feature_store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <map>
#include <utility>

#include "adapters/redis/redis_feature_store_impl.hpp"
#include "core/crash_point.hpp"
#include "core/waiter.hpp"
#include "events/effect.hpp"
#include "events/event_id.hpp"

namespace scalestyle::adapters::redis {

namespace {

using Positions = core::Result<std::vector<events::EventPosition>>;

core::Status check_deadline(core::Deadline deadline, const core::Clock& clock) {
  if (!deadline.expired(clock)) return {};
  return core::fail(core::ErrorCode::kDeadlineExceeded, "the deadline passed before the features were looked at");
}

core::Status check_range(std::string_view field, std::int64_t value, std::int64_t least, std::int64_t most) {
  if (value >= least && value <= most) return {};
  return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("{} is {}; it must be {} to {}", field, value, least, most),
                    std::string(field));
}

bool is_prefix(std::string_view prefix) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ':' || c == '.' || c == '_' ||
           c == '-';
  };
  return !prefix.empty() && prefix.size() <= 64 && std::ranges::all_of(prefix, allowed);
}

events::EpochMs wall_ms(const core::Clock& clock) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(clock.wall_now().time_since_epoch()).count();
}

void raise(std::atomic<events::EpochMs>& newest, events::EpochMs to) {
  events::EpochMs known = newest.load(std::memory_order_relaxed);
  while (known < to && !newest.compare_exchange_weak(known, to, std::memory_order_relaxed)) {
  }
}

// "<stream>/<partition>"; streams have no '/'.
std::string partition_field(const events::EventPosition& position) {
  return fmt::format("{}/{}", position.stream, position.partition);
}

std::optional<events::EventPosition> position_of(const std::string& field, const std::string& offset) {
  const std::size_t slash = field.rfind('/');
  if (slash == std::string::npos) return std::nullopt;
  events::EventPosition position;
  position.stream = field.substr(0, slash);
  const char* const end = field.data() + field.size();
  if (std::from_chars(field.data() + slash + 1, end, position.partition).ptr != end) return std::nullopt;
  const char* const offset_end = offset.data() + offset.size();
  if (std::from_chars(offset.data(), offset_end, position.offset).ptr != offset_end) return std::nullopt;
  return position;
}

}  // namespace

core::Status RedisFeatureStore::Options::validate() const {
  CORE_CHECK(features.validate());
  if (!is_prefix(prefix)) {
    return core::fail(core::ErrorCode::kInvalidArgument,
                      fmt::format("redis_prefix is '{}'; it must be 1 to 64 of A-Z a-z 0-9 : . _ -", prefix), "redis_prefix");
  }
  const auto count = [](std::size_t value) { return static_cast<std::int64_t>(value); };
  CORE_CHECK(check_range("redis_shards", count(shards), 1, 1'024));
  CORE_CHECK(check_range("redis_marker_days", marker_days, 1, 366));
  CORE_CHECK(check_range("redis_max_markers", count(max_markers), 16, 65'536));
  CORE_CHECK(check_range("redis_replicas_acked", count(replicas_acked.value_or(0)), 0, 16));
  CORE_CHECK(check_range("redis_max_items", count(max_items), 100, 5'000'000));
  CORE_CHECK(check_range("redis_max_global_popular", count(max_global_popular), 1, 5'000'000));
  CORE_CHECK(check_range("redis_max_waiting_entries", count(max_waiting_entries), 1'000, 10'000'000));
  CORE_CHECK(check_range("redis_refresh_interval_ms", refresh_interval.count(), 10, 60'000));
  CORE_CHECK(check_range("redis_background_timeout_ms", background_timeout.count(), 100, 600'000));
  if (!read_only || !merges_popularity) return {};
  return core::fail(core::ErrorCode::kInvalidArgument, "a store that only reads cannot merge popularity",
                    "redis_merges_popularity");
}

RedisFeatureStore::Impl::Impl(Options given, Environment used)
    : options(std::move(given)),
      environment(used),
      keys(options.prefix, options.shards),
      markers{options.marker_days, options.max_markers},
      context{environment.client,
              environment.clock,
              keys,
              scripts,
              options.features,
              markers,
              options.replicas_acked.value_or(0),
              options.max_waiting_entries},
      applier(context),
      keeper(context, {.max_items = options.max_items, .max_global = options.max_global_popular}, environment.log),
      owner(events::make_event_id()) {
  telemetry::Metrics& all = environment.metrics;
  metrics.applied =
      all.counter({"scalestyle_redis_events_total", "Events given to the feature store in Redis.", {{"outcome", "applied"}}});
  metrics.refused =
      all.counter({"scalestyle_redis_events_total", "Events given to the feature store in Redis.", {{"outcome", "refused"}}});
  metrics.merged =
      all.counter({"scalestyle_redis_popularity_entries_total", "Contributions merged into popularity by this process."});
  metrics.failed_turns =
      all.counter({"scalestyle_redis_popularity_failures_total", "Turns of popularity that failed; each is repeated."});
  metrics.items = all.gauge({"scalestyle_redis_popularity_items", "Items whose popularity is in memory."});
  metrics.apply_seconds = all.histogram({"redis_update_latency_seconds", "Time to apply a batch of events."});
  metrics.turn_seconds = all.histogram({"scalestyle_redis_popularity_seconds", "Time of one turn of popularity."});
}

RedisFeatureStore::RedisFeatureStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RedisFeatureStore::~RedisFeatureStore() { stop(); }

core::Result<std::unique_ptr<RedisFeatureStore>> RedisFeatureStore::create(Options options, Environment environment) {
  CORE_CHECK(options.validate());
  return std::unique_ptr<RedisFeatureStore>(new RedisFeatureStore(std::make_unique<Impl>(std::move(options), environment)));
}

std::optional<events::EpochMs> RedisFeatureStore::Impl::newest_applied_ms() const {
  const events::EpochMs newest = std::max(newest_ms.load(std::memory_order_relaxed), keeper.newest_received_ms());
  return newest == 0 ? std::nullopt : std::optional(newest);
}

core::Task<Positions> RedisFeatureStore::Impl::positions(core::Deadline deadline) {
  RedisCommand read = key_command({"HGETALL", keys.positions()});
  const auto reply = co_await environment.client.call(std::move(read), deadline);
  if (!reply) co_return std::unexpected(as_store_error(reply.error()));
  std::vector<events::EventPosition> all;
  for (std::size_t i = 0; i + 1 < reply->elements.size(); i += 2) {
    auto position = position_of(reply->elements[i].text, reply->elements[i + 1].text);
    if (!position) {
      co_return core::fail(core::ErrorCode::kUnavailable,
                           fmt::format("{}: field '{}' is no position; remove it", keys.positions(), reply->elements[i].text));
    }
    all.push_back(*std::move(position));
  }
  std::ranges::sort(all, {}, [](const events::EventPosition& one) { return std::pair(one.stream, one.partition); });
  co_return all;
}

core::Task<Positions> RedisFeatureStore::committed(core::Deadline deadline) {
  if (!impl_->options.keeps_positions) co_return std::vector<events::EventPosition>();
  CORE_CO_TRY(auto all, co_await impl_->positions(deadline));
  const std::string& stream = impl_->options.log_stream;
  if (!stream.empty()) std::erase_if(all, [&](const events::EventPosition& position) { return position.stream != stream; });
  co_return all;
}

core::Task<Positions> RedisFeatureStore::checkpoint(core::Deadline deadline) { return committed(deadline); }

// Of each partition up to its first event that was refused: somebody must see to that one before it may be passed over.
core::Task<core::Status> RedisFeatureStore::Impl::publish_positions(const std::vector<events::LoggedEvent>& batch,
                                                                    const ports::ApplyReport& report, core::Deadline deadline) {
  std::map<std::string, std::int64_t> refused;
  for (const auto& one : report.refused) {
    const events::EventPosition& position = batch[one.index].position;
    const auto [place, is_new] = refused.try_emplace(partition_field(position), position.offset);
    if (!is_new) place->second = std::min(place->second, position.offset);
  }
  std::map<std::string, std::int64_t> newest;
  for (const auto& event : batch) {
    const std::string field = partition_field(event.position);
    const auto limit = refused.find(field);
    if (limit != refused.end() && event.position.offset >= limit->second) continue;
    const auto [place, is_new] = newest.try_emplace(field, event.position.offset);
    if (!is_new) place->second = std::max(place->second, event.position.offset);
  }
  if (newest.empty()) co_return core::Status{};
  std::vector<std::string> arguments;
  for (const auto& [field, offset] : newest) {
    arguments.push_back(field);
    arguments.push_back(std::to_string(offset));
  }
  std::vector<RedisCommand> writes;
  writes.push_back(script_call(scripts.advance_positions, {keys.positions()}, std::move(arguments)));
  const std::size_t replicas = options.keeps_positions ? context.replicas : 0;
  const auto replies = co_await environment.client.pipeline_replicated(std::move(writes), replicas, deadline);
  if (!replies) co_return std::unexpected(as_store_error(replies.error()));
  if (const auto& reply = replies->front(); !reply) co_return std::unexpected(as_store_error(reply.error()));
  co_return core::Status{};
}

core::Task<core::Result<ports::ApplyReport>> RedisFeatureStore::apply(
    std::shared_ptr<const std::vector<events::LoggedEvent>> batch, core::Deadline deadline) {
  CORE_CO_CHECK(check_deadline(deadline, impl_->environment.clock));
  if (impl_->options.read_only) co_return core::fail(core::ErrorCode::kFailedPrecondition, "this feature store only reads");
  ports::ApplyReport report;
  report.durable = true;
  if (batch->empty()) co_return report;
  const core::SteadyTime begin = impl_->environment.clock.steady_now();
  CORE_CO_TRY(report, co_await impl_->applier.apply(batch, deadline));
  // Before the positions: who sees these may ask how new things are.
  events::EpochMs newest = 0;
  for (const auto& event : *batch) newest = std::max(newest, events::effective_received_ms(event.event));
  raise(impl_->newest_ms, newest);
  CORE_CO_CHECK(co_await impl_->publish_positions(*batch, report, deadline));
  core::crash_point("redis.positions.written");
  impl_->metrics.applied.add(static_cast<double>(batch->size() - report.refused.size()));
  impl_->metrics.refused.add(static_cast<double>(report.refused.size()));
  const std::chrono::duration<double> took = impl_->environment.clock.steady_now() - begin;
  impl_->metrics.apply_seconds.observe(took.count());
  co_return report;
}

core::Task<core::Result<std::optional<SubjectValue>>> RedisFeatureStore::Impl::value_of(events::Subject subject,
                                                                                        core::Deadline deadline) {
  const std::string key = keys.subject(subject);
  RedisCommand read = key_command({"GET", key});
  const auto reply = co_await environment.client.call(std::move(read), deadline);
  if (!reply) {
    core::Error error = as_store_error(reply.error());
    if (reply.error().code == core::ErrorCode::kFailedPrecondition) error.message = key + ": " + error.message;
    co_return std::unexpected(std::move(error));
  }
  if (reply->is_null()) co_return std::optional<SubjectValue>();
  auto value = decode_subject(reply->text);
  if (!value) co_return core::fail(core::ErrorCode::kUnavailable, key + " holds no value of this store; remove it");
  co_return std::move(value);
}

core::Task<core::Result<ports::SubjectSnapshot>> RedisFeatureStore::read(events::Subject subject, core::Deadline deadline) {
  CORE_CO_CHECK(check_deadline(deadline, impl_->environment.clock));
  const Owner owner = subject.kind == events::SubjectKind::kUser ? Owner::kUser : Owner::kSession;
  CORE_CO_TRY(const auto value, co_await impl_->value_of(std::move(subject), deadline));
  ports::SubjectSnapshot snapshot;
  if (value) snapshot.features = features_of(*value, owner, wall_ms(impl_->environment.clock), impl_->options.features);
  snapshot.newest_applied_ms = impl_->newest_applied_ms();
  co_return snapshot;
}

// A session's event may have gone to the user that the session became.
core::Task<core::Result<bool>> RedisFeatureStore::Impl::has_applied(const ports::WaitedEvent& event, core::Deadline deadline) {
  const auto offset_reached = [&](const SubjectValue& value) {
    const auto offset = value.applied_offset(event.position);
    return offset && *offset >= event.position.offset;
  };
  std::optional<events::Subject> subject = event.subject;
  while (subject) {
    events::Subject next = *std::exchange(subject, std::nullopt);
    CORE_CO_TRY(const auto value, co_await value_of(std::move(next), deadline));
    if (!value) co_return false;
    if (event.mark != 0 ? value->has_seen(event.mark) : offset_reached(*value)) co_return true;
    if (value->merged) subject = events::Subject::user(core::UserId(value->merged->user_id));
  }
  if (event.subject) co_return false;
  CORE_CO_TRY(const auto all, co_await positions(deadline));
  co_return std::ranges::any_of(all, [&](const events::EventPosition& known) {
    return known.stream == event.position.stream && known.partition == event.position.partition &&
           known.offset >= event.position.offset;
  });
}

core::Task<core::Result<ports::AppliedState>> RedisFeatureStore::wait_applied(ports::WaitedEvent event, core::Deadline deadline) {
  constexpr std::array<std::chrono::milliseconds, 5> kPauses{std::chrono::milliseconds(2), std::chrono::milliseconds(4),
                                                             std::chrono::milliseconds(8), std::chrono::milliseconds(16),
                                                             std::chrono::milliseconds(20)};
  const Environment& use = impl_->environment;
  const std::string& stream = impl_->options.log_stream;
  if (!stream.empty() && event.position.stream != stream) co_return ports::AppliedState{false, impl_->newest_applied_ms()};
  for (std::size_t look = 0; !deadline.expired(use.clock); ++look) {
    const auto applied = co_await impl_->has_applied(event, deadline);
    if (!applied && applied.error().code == core::ErrorCode::kDeadlineExceeded) break;
    if (!applied) co_return std::unexpected(applied.error());
    if (*applied) co_return ports::AppliedState{true, impl_->newest_applied_ms()};
    const core::Deadline next = deadline.within(kPauses[std::min(look, kPauses.size() - 1)], use.clock);
    CORE_CO_CHECK(co_await core::sleep_until(next.time(), use.timers));
  }
  co_return ports::AppliedState{false, impl_->newest_applied_ms()};
}

core::Task<core::Result<ports::PopularityChanges>> RedisFeatureStore::popularity(std::uint64_t since, events::EpochMs now_ms,
                                                                                 core::Deadline deadline) {
  CORE_CO_CHECK(check_deadline(deadline, impl_->environment.clock));
  if (!impl_->keeper.is_loaded()) {
    const std::string cause = trouble();
    co_return core::fail(core::ErrorCode::kUnavailable,
                         "popularity has not been read from Redis yet" + (cause.empty() ? std::string() : ": " + cause));
  }
  co_return impl_->keeper.table().changes_since(since, now_ms);
}

}  // namespace scalestyle::adapters::redis
