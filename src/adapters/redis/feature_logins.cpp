// Logins: a session's features become its user's, over two slots, each event and each login once whatever is cut short.
//
//   1. In the session's slot, one script: what goes to the user is put aside under the login's mark, and the session's value
//      becomes a tombstone (merged into whom, and when) with its marks.
//   2. In the user's slot, one script: the user gets what was put aside, with the login's mark.
//   3. What was put aside is deleted.
//
// Given again: after 1, what was put aside is taken from there; after 2, the user knows the mark, and only 3 is left.

#include <algorithm>
#include <iterator>

#include "adapters/redis/feature_applier.hpp"
#include "core/crash_point.hpp"

namespace scalestyle::adapters::redis {

namespace {

constexpr int kMostAttempts = 50;
constexpr std::size_t kMostInPipeline = 1'000;

}  // namespace

core::Task<core::Status> FeatureApplier::apply_logins(std::vector<Login>& logins, core::Deadline deadline) {
  for (std::size_t begin = 0; begin < logins.size(); begin += kMostInPipeline) {
    std::vector<Login*> pending;
    for (std::size_t i = begin; i < std::min(logins.size(), begin + kMostInPipeline); ++i) pending.push_back(&logins[i]);
    for (int attempt = 0; !pending.empty(); ++attempt) {
      if (attempt == kMostAttempts) {
        co_return core::fail(core::ErrorCode::kUnavailable, pending.front()->session_key + " was changed by others again and again");
      }
      CORE_CO_CHECK(co_await read_logins(pending, deadline));
      CORE_CO_CHECK(co_await take_sessions(pending, deadline));
      core::crash_point("redis.login.taken");
      CORE_CO_CHECK(co_await give_sessions(pending, deadline));
      core::crash_point("redis.login.given");
      CORE_CO_CHECK(co_await end_logins(pending, deadline));
      core::crash_point("redis.login.ended");
      std::erase_if(pending, [](const Login* login) { return login->is_over; });
    }
  }
  co_return core::Status{};
}

core::Task<core::Status> FeatureApplier::read_logins(std::vector<Login*>& logins, core::Deadline deadline) {
  constexpr std::size_t kKeys = 3;
  std::vector<RedisCommand> reads;
  for (const Login* login : logins) {
    for (const std::string& key : {login->session_key, login->user_key, login->merging_key}) reads.push_back(key_command({"GET", key}));
  }
  auto replies = co_await context_.client.pipeline(std::move(reads), deadline);
  if (!replies) co_return std::unexpected(as_store_error(replies.error()));
  std::vector<Login*> readable;
  for (std::size_t i = 0; i < logins.size(); ++i) {
    Login& login = *logins[i];
    const std::string* const keys[kKeys] = {&login.session_key, &login.user_key, &login.merging_key};
    SubjectValue* const values[kKeys] = {&login.session, &login.user, &login.taken};
    bool whole = true;
    for (std::size_t k = 0; k < kKeys && whole; ++k) {
      const core::Result<RedisValue>& reply = (*replies)[i * kKeys + k];
      auto value = value_of(*keys[k], reply);
      if (value) {
        *values[k] = *std::move(value);
        if (k + 1 == kKeys) login.is_taken = !reply->is_null();
        continue;
      }
      if (!is_of_key(value.error(), *keys[k])) co_return std::unexpected(as_store_error(value.error()));
      refuse({&login.event, 1}, value.error());
      whole = false;
    }
    if (whole) readable.push_back(&login);
  }
  logins = std::move(readable);
  co_return core::Status{};
}

// Afterwards is_taken says which of them have something to give; the others must be read again, or are over.
core::Task<core::Status> FeatureApplier::take_sessions(std::vector<Login*>& logins, core::Deadline deadline) {
  std::vector<RedisCommand> writes;
  std::vector<Login*> asked;
  for (Login* login : logins) {
    const events::LoggedEvent& event = (*batch_)[login->event];
    const std::uint64_t mark = mark_of(event);
    if (login->is_taken) {
      // Put aside before; a write of this connection behind it lets us wait for the replicas.
      if (context_.replicas == 0) continue;
      writes.push_back(key_command({"PEXPIRE", login->merging_key, time_to_live(login->taken, Owner::kSession)}));
    } else if (login->user.knows(event, mark, context_.markers)) {
      continue;
    } else if (login->session.has_seen(mark)) {
      login->is_over = true;  // given so long ago that the user's value has gone since
      continue;
    } else {
      const std::uint64_t version = login->session.version;
      login->taken = update_.take_session(login->session, event);
      login->taken.version = next_version(0);
      login->session.version = next_version(version);
      writes.push_back(take_command(*login, version));
    }
    asked.push_back(login);
  }
  if (writes.empty()) co_return core::Status{};
  auto replies = co_await context_.client.pipeline_replicated(std::move(writes), context_.replicas, deadline);
  if (!replies) co_return std::unexpected(as_store_error(replies.error()));
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const core::Result<RedisValue>& reply = (*replies)[i];
    if (reply) {
      if (!asked[i]->is_taken) asked[i]->is_taken = reply->text != kConflict;
      continue;
    }
    const bool of_key = is_of_key(reply.error(), asked[i]->session_key) || is_of_key(reply.error(), asked[i]->merging_key);
    if (!of_key) co_return std::unexpected(as_store_error(reply.error()));
    refuse({&asked[i]->event, 1}, reply.error());
    std::erase(logins, asked[i]);
  }
  co_return core::Status{};
}

RedisCommand FeatureApplier::take_command(const Login& login, std::uint64_t version_read) const {
  std::vector<std::string> arguments;
  arguments.push_back(version_bytes(version_read));
  arguments.push_back(encode(login.session));
  arguments.push_back(time_to_live(login.session, Owner::kSession));
  arguments.push_back(encode(login.taken));
  arguments.push_back(time_to_live(login.taken, Owner::kSession));
  return script_call(context_.scripts.take_session, {login.session_key, login.merging_key}, std::move(arguments));
}

core::Task<core::Status> FeatureApplier::give_sessions(std::vector<Login*>& logins, core::Deadline deadline) {
  std::vector<RedisCommand> writes;
  std::vector<Login*> asked;
  for (Login* login : logins) {
    const events::LoggedEvent& event = (*batch_)[login->event];
    const bool known = login->user.knows(event, mark_of(event), context_.markers);
    if (login->is_over || (!known && !login->is_taken)) continue;
    if (!known && !update_.give_session(login->user, login->taken, event)) continue;
    if (known && context_.replicas == 0) {
      login->is_over = true;
      continue;
    }
    writes.push_back(write_command(login->user_key, login->user_shard, Owner::kUser, login->user, {}));
    asked.push_back(login);
  }
  if (writes.empty()) co_return core::Status{};
  auto replies = co_await context_.client.pipeline_replicated(std::move(writes), context_.replicas, deadline);
  if (!replies) co_return std::unexpected(as_store_error(replies.error()));
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const core::Result<RedisValue>& reply = (*replies)[i];
    if (reply) {
      asked[i]->is_over = reply->text != kConflict;
    } else if (is_of_key(reply.error(), asked[i]->user_key)) {
      refuse({&asked[i]->event, 1}, reply.error());
      std::erase(logins, asked[i]);
    } else {
      co_return std::unexpected(as_store_error(reply.error()));
    }
  }
  co_return core::Status{};
}

// What stays behind when this fails expires by itself.
core::Task<core::Status> FeatureApplier::end_logins(const std::vector<Login*>& logins, core::Deadline deadline) {
  std::vector<RedisCommand> deletes;
  for (const Login* login : logins) {
    if (login->is_over && login->is_taken) deletes.push_back(key_command({"DEL", login->merging_key}));
  }
  if (deletes.empty()) co_return core::Status{};
  const auto replies = co_await context_.client.pipeline(std::move(deletes), deadline);
  if (!replies) co_return std::unexpected(as_store_error(replies.error()));
  co_return core::Status{};
}

}  // namespace scalestyle::adapters::redis
