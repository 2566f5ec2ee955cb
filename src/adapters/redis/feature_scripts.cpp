#include "adapters/redis/feature_scripts.hpp"

#include <iterator>
#include <utility>

namespace scalestyle::adapters::redis {

namespace {

constexpr std::string_view kCheckType = R"lua(
local function wrong(key, wanted)
  local held = redis.call('TYPE', key).ok
  if held == 'none' or held == wanted then return nil end
  return redis.error_reply('WRONGTYPE ' .. key .. ' holds a ' .. held .. ' where a ' .. wanted .. ' belongs; remove it')
end
local function set(key, value, ttl)
  if ttl == '0' then redis.call('SET', key, value) else redis.call('SET', key, value, 'PX', ttl) end
end
)lua";

// KEYS: value, contributions of the shard. ARGV: version read ('' where there was none), value, milliseconds to live (0: for
// ever), contributions ('': none), most entries that may wait.
constexpr std::string_view kWriteSubject = R"lua(
local bad = wrong(KEYS[1], 'string') or wrong(KEYS[2], 'stream')
if bad then return bad end
if redis.call('GETRANGE', KEYS[1], 0, 7) ~= ARGV[1] then return 'CONFLICT' end
if ARGV[4] ~= '' and redis.call('XLEN', KEYS[2]) >= tonumber(ARGV[5]) then return 'STREAMFULL' end
set(KEYS[1], ARGV[2], ARGV[3])
if ARGV[4] ~= '' then redis.call('XADD', KEYS[2], '*', 'c', ARGV[4]) end
return 'OK'
)lua";

// KEYS: the session's value, what goes to the user. ARGV: version read, the session's new value and its time to live, what
// goes to the user and its time to live.
constexpr std::string_view kTakeSession = R"lua(
local bad = wrong(KEYS[1], 'string') or wrong(KEYS[2], 'string')
if bad then return bad end
if redis.call('EXISTS', KEYS[2]) == 1 then return 'CONFLICT' end
if redis.call('GETRANGE', KEYS[1], 0, 7) ~= ARGV[1] then return 'CONFLICT' end
set(KEYS[2], ARGV[4], ARGV[5])
set(KEYS[1], ARGV[2], ARGV[3])
return 'OK'
)lua";

// KEYS: positions. ARGV: partition, offset, partition, offset …
constexpr std::string_view kAdvancePositions = R"lua(
local bad = wrong(KEYS[1], 'hash')
if bad then return bad end
for i = 1, #ARGV, 2 do
  local known = redis.call('HGET', KEYS[1], ARGV[i])
  if not known or tonumber(known) < tonumber(ARGV[i + 1]) then redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
end
return 'OK'
)lua";

// KEYS: lease. ARGV: who, milliseconds.
constexpr std::string_view kHoldLease = R"lua(
local bad = wrong(KEYS[1], 'string')
if bad then return bad end
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
)lua";

// KEYS: items, changes, removed, state. ARGV: version read, new version, newest receipt, most removals remembered, number of
// items, number of removals, number of shards, then item and record of each, items removed, shard and last entry of each.
constexpr std::string_view kMergePopularity = R"lua(
local bad = wrong(KEYS[1], 'hash') or wrong(KEYS[2], 'zset') or wrong(KEYS[3], 'zset') or wrong(KEYS[4], 'hash')
if bad then return bad end
local known = redis.call('HGET', KEYS[4], 'version') or '0'
if known ~= ARGV[1] then return 'CONFLICT' end
local at = 8
for i = 1, tonumber(ARGV[5]) do
  redis.call('HSET', KEYS[1], ARGV[at], ARGV[at + 1])
  redis.call('ZADD', KEYS[2], ARGV[2], ARGV[at])
  redis.call('ZREM', KEYS[3], ARGV[at])
  at = at + 2
end
for i = 1, tonumber(ARGV[6]) do
  redis.call('HDEL', KEYS[1], ARGV[at])
  redis.call('ZREM', KEYS[2], ARGV[at])
  redis.call('ZADD', KEYS[3], ARGV[2], ARGV[at])
  at = at + 1
end
local beyond = redis.call('ZCARD', KEYS[3]) - tonumber(ARGV[4])
if beyond > 0 then
  local forgotten = redis.call('ZRANGE', KEYS[3], beyond - 1, beyond - 1, 'WITHSCORES')
  redis.call('HSET', KEYS[4], 'complete_from', forgotten[2])
  redis.call('ZREMRANGEBYRANK', KEYS[3], 0, beyond - 1)
end
for i = 1, tonumber(ARGV[7]) do
  redis.call('HSET', KEYS[4], ARGV[at], ARGV[at + 1])
  at = at + 2
end
redis.call('HSET', KEYS[4], 'version', ARGV[2], 'newest', ARGV[3])
return 'OK'
)lua";

std::shared_ptr<const RedisScript> script(std::string_view body) {
  return std::make_shared<const RedisScript>(std::string(kCheckType) + std::string(body));
}

}  // namespace

FeatureScripts::FeatureScripts()
    : write_subject(script(kWriteSubject)),
      take_session(script(kTakeSession)),
      advance_positions(script(kAdvancePositions)),
      hold_lease(script(kHoldLease)),
      merge_popularity(script(kMergePopularity)) {}

RedisCommand script_call(const std::shared_ptr<const RedisScript>& script, std::vector<std::string> keys,
                         std::vector<std::string> arguments) {
  RedisCommand call;
  call.script = script;
  call.key = keys.front();
  call.arguments.push_back(std::to_string(keys.size()));
  call.arguments.insert(call.arguments.end(), std::make_move_iterator(keys.begin()), std::make_move_iterator(keys.end()));
  call.arguments.insert(call.arguments.end(), std::make_move_iterator(arguments.begin()), std::make_move_iterator(arguments.end()));
  return call;
}

RedisCommand key_command(std::vector<std::string> arguments) {
  RedisCommand call;
  call.key = arguments.at(1);
  call.arguments = std::move(arguments);
  return call;
}

}  // namespace scalestyle::adapters::redis
