#include "adapters/redis/feature_applier.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>

#include "core/crash_point.hpp"
#include "events/byte_codec.hpp"
#include "events/effect.hpp"

namespace scalestyle::adapters::redis {

namespace {

// Others may write the same subjects for a moment, when a partition changes hands; one of them always gets through.
constexpr int kMostAttempts = 50;
// Subjects of one pipelined read or write.
constexpr std::size_t kMostInPipeline = 2'000;
constexpr events::EpochMs kLeastToLiveMs = 86'400'000;

events::EpochMs wall_ms(const core::Clock& clock) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(clock.wall_now().time_since_epoch()).count();
}

bool is_login(const events::Event& event) {
  return event.type == events::EventType::kMerge && event.user_id && event.session_id;
}

}  // namespace

core::Error as_store_error(core::Error error) {
  switch (error.code) {
    case core::ErrorCode::kUnavailable:
    case core::ErrorCode::kDeadlineExceeded:
    case core::ErrorCode::kResourceExhausted:
    case core::ErrorCode::kCancelled: return error;
    default: return core::fail(core::ErrorCode::kUnavailable, std::move(error.message)).error();
  }
}

FeatureApplier::Work FeatureApplier::work_of(const events::Subject& subject) const {
  Work work;
  work.owner = subject.kind == events::SubjectKind::kUser ? Owner::kUser : Owner::kSession;
  work.key = context_.keys.subject(subject);
  work.shard = context_.keys.shard_of(subject);
  return work;
}

// Round r holds what waits for r logins of its subjects.
std::vector<FeatureApplier::Round> FeatureApplier::plan(const Batch& batch) const {
  std::vector<Round> rounds(1);
  std::map<std::string, std::size_t> level;  // of a subject: logins before
  std::map<std::pair<std::size_t, std::string>, std::size_t> places;
  const auto add = [&](std::size_t event, const std::string& subject, Work work) {
    const std::size_t at = level[subject];
    if (rounds.size() <= at) rounds.resize(at + 1);
    const auto [place, is_new] = places.try_emplace({at, subject}, rounds[at].works.size());
    if (is_new) rounds[at].works.push_back(std::move(work));
    rounds[at].works[place->second].events.push_back(event);
  };
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const events::Event& event = batch[i].event;
    if (is_login(event)) {
      const auto user = events::Subject::user(*event.user_id);
      const auto session = events::Subject::session(*event.session_id);
      const std::size_t at = std::max(level[user.key()], level[session.key()]);
      if (rounds.size() <= at) rounds.resize(at + 1);
      Login login;
      login.event = i;
      login.session_key = context_.keys.subject(session);
      login.user_key = context_.keys.subject(user);
      login.merging_key = context_.keys.merging(session, mark_of(batch[i]));
      login.user_shard = context_.keys.shard_of(user);
      rounds[at].logins.push_back(std::move(login));
      level[user.key()] = level[session.key()] = at + 1;
    } else if (events::has_subject(event)) {
      const events::Subject subject = event.subject();
      add(i, subject.key(), work_of(subject));
    } else if (events::concerns_item(event.type)) {
      Work work;
      work.owner = Owner::kErased;
      work.key = context_.keys.erased(event.item_id);
      work.shard = context_.keys.shard_of_erased(event.item_id);
      add(i, "i:" + event.item_id, std::move(work));
    }
  }
  return rounds;
}

// What sessions gave back because it belongs to a user by now.
std::vector<FeatureApplier::Work> FeatureApplier::redirected(std::span<const Work> works) const {
  std::map<std::string, Work> users;
  for (const Work& work : works) {
    if (work.redirected.empty()) continue;
    const auto user = events::Subject::user(core::UserId(work.value.merged->user_id));
    const auto [place, is_new] = users.try_emplace(user.key());
    if (is_new) place->second = work_of(user);
    for (const std::size_t event : work.redirected) place->second.events.push_back(event);
  }
  std::vector<Work> all;
  for (auto& [key, work] : users) {
    std::ranges::sort(work.events);
    all.push_back(std::move(work));
  }
  return all;
}

core::Task<core::Result<ports::ApplyReport>> FeatureApplier::apply(std::shared_ptr<const Batch> batch, core::Deadline deadline) {
  batch_ = std::move(batch);
  report_ = ports::ApplyReport();
  report_.durable = true;
  std::vector<Round> rounds = plan(*batch_);
  for (Round& round : rounds) {
    CORE_CO_CHECK(co_await apply_works(round.works, deadline));
    std::vector<Work> late = redirected(round.works);
    CORE_CO_CHECK(co_await apply_works(late, deadline));
    CORE_CO_CHECK(co_await apply_logins(round.logins, deadline));
  }
  std::ranges::sort(report_.refused, {}, &ports::RefusedEvent::index);
  core::crash_point("redis.applied");
  co_return std::move(report_);
}

core::Task<core::Status> FeatureApplier::apply_works(std::vector<Work>& works, core::Deadline deadline) {
  for (std::size_t begin = 0; begin < works.size(); begin += kMostInPipeline) {
    std::vector<Work*> pending;
    for (std::size_t i = begin; i < std::min(works.size(), begin + kMostInPipeline); ++i) pending.push_back(&works[i]);
    for (int attempt = 0; !pending.empty(); ++attempt) {
      if (attempt == kMostAttempts) {
        co_return core::fail(core::ErrorCode::kUnavailable,
                             "what is stored of a subject was changed by others again and again");
      }
      CORE_CO_CHECK(co_await read_works(pending, deadline));
      CORE_CO_CHECK(co_await write_works(pending, deadline));
    }
  }
  co_return core::Status{};
}

// Those that are left can be read.
core::Task<core::Status> FeatureApplier::read_works(std::vector<Work*>& works, core::Deadline deadline) {
  std::vector<RedisCommand> reads;
  for (const Work* work : works) reads.push_back(key_command({"GET", work->key}));
  auto replies = co_await context_.client.pipeline(std::move(reads), deadline);
  if (!replies) co_return std::unexpected(as_store_error(replies.error()));
  std::vector<Work*> readable;
  for (std::size_t i = 0; i < works.size(); ++i) {
    auto value = value_of(works[i]->key, (*replies)[i]);
    if (value) {
      works[i]->value = *std::move(value);
      readable.push_back(works[i]);
    } else if (is_of_key(value.error(), works[i]->key)) {
      refuse(works[i]->events, value.error());
      works[i]->redirected.clear();
    } else {
      co_return std::unexpected(as_store_error(value.error()));
    }
  }
  works = std::move(readable);
  co_return core::Status{};
}

// Those that are left must be read again.
core::Task<core::Status> FeatureApplier::write_works(std::vector<Work*>& works, core::Deadline deadline) {
  std::vector<RedisCommand> writes;
  std::vector<Work*> written;
  std::vector<const events::LoggedEvent*> given;
  for (Work* work : works) {
    given.clear();
    for (const std::size_t event : work->events) given.push_back(&(*batch_)[event]);
    SubjectEffects effects = update_.apply(work->value, work->owner, given);
    work->redirected.clear();
    for (const std::size_t event : effects.redirected) work->redirected.push_back(work->events[event]);
    // Written also when it knew everything: an earlier write may still have to reach the replicas, and does before this one.
    if (!effects.changed && (context_.replicas == 0 || work->value.version == 0)) continue;
    writes.push_back(
        write_command(work->key, work->shard, work->owner, work->value, encode_contributions(effects.contributions)));
    written.push_back(work);
  }
  works.clear();
  if (writes.empty()) co_return core::Status{};
  auto replies = co_await context_.client.pipeline_replicated(std::move(writes), context_.replicas, deadline);
  if (!replies) co_return std::unexpected(as_store_error(replies.error()));
  for (std::size_t i = 0; i < written.size(); ++i) {
    const core::Result<RedisValue>& reply = (*replies)[i];
    if (reply && reply->text == kConflict) {
      works.push_back(written[i]);
    } else if (reply && reply->text == kStreamFull) {
      co_return core::fail(core::ErrorCode::kResourceExhausted,
                           context_.keys.contributions(written[i]->shard) + " is full: no consumer merges popularity");
    } else if (!reply && is_of_key(reply.error(), written[i]->key)) {
      refuse(written[i]->events, reply.error());
      written[i]->redirected.clear();
    } else if (!reply) {
      co_return std::unexpected(as_store_error(reply.error()));
    }
  }
  core::crash_point("redis.subjects.written");
  co_return core::Status{};
}

core::Result<SubjectValue> FeatureApplier::value_of(const std::string& key, const core::Result<RedisValue>& reply) const {
  if (!reply) {
    core::Error error = reply.error();
    if (error.code == core::ErrorCode::kFailedPrecondition) error.message = key + ": " + error.message;
    return std::unexpected(std::move(error));
  }
  if (reply->is_null()) return SubjectValue();
  auto value = decode_subject(reply->text);
  if (value) return *std::move(value);
  return core::fail(core::ErrorCode::kDataLoss,
                    fmt::format("{} holds no value of this store ({} bytes); remove it", key, reply->text.size()));
}

RedisCommand FeatureApplier::write_command(const std::string& key, std::size_t shard, Owner owner, SubjectValue& value,
                                           const std::string& contributions) const {
  std::string read = version_bytes(value.version);
  value.version = next_version(value.version);
  std::vector<std::string> arguments;
  arguments.push_back(std::move(read));
  arguments.push_back(encode(value));
  arguments.push_back(time_to_live(value, owner));
  arguments.push_back(contributions);
  arguments.push_back(std::to_string(context_.max_stream));
  return script_call(context_.scripts.write_subject, {key, context_.keys.contributions(shard)}, std::move(arguments));
}

// Relative to our clock, so that the server's does not matter.
std::string FeatureApplier::time_to_live(const SubjectValue& value, Owner owner) const {
  const auto until = needed_until_ms(value, owner, context_.features, context_.markers);
  if (!until) return "0";
  return std::to_string(std::max(kLeastToLiveMs, *until - wall_ms(context_.clock)));
}

// A value that expired and came back never has a version that it had before.
std::uint64_t FeatureApplier::next_version(std::uint64_t version) const {
  return version == 0 ? static_cast<std::uint64_t>(wall_ms(context_.clock)) * 1'000 : version + 1;
}

std::string FeatureApplier::version_bytes(std::uint64_t version) {
  std::string bytes;
  if (version != 0) events::put_fixed64(bytes, version);
  return bytes;
}

bool FeatureApplier::is_of_key(const core::Error& error, const std::string& key) {
  if (error.code == core::ErrorCode::kDataLoss) return error.message.starts_with(key);
  if (error.code != core::ErrorCode::kFailedPrecondition) return false;
  const std::size_t at = error.message.find("WRONGTYPE");
  // A script names the key; a plain read has only the one.
  return at != std::string::npos && (error.message.find("WRONGTYPE " + key + " holds") != std::string::npos ||
                                     error.message.find(" holds a ", at) == std::string::npos);
}

void FeatureApplier::refuse(std::span<const std::size_t> events, const core::Error& cause) {
  for (const std::size_t event : events) report_.refused.push_back({event, cause});
}

}  // namespace scalestyle::adapters::redis
