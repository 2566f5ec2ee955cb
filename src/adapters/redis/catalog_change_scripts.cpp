#include "adapters/redis/catalog_change_scripts.hpp"

#include <string>

namespace scalestyle::adapters::redis {

namespace {

// Numbers of Lua are doubles: sequences are exact up to 2^53 and written by %.0f.
constexpr const char* kCommon = R"lua(
local kinds = {'string', 'zset', 'hash', 'hash', 'zset', 'string'}
for i = 1, #KEYS do
  local is = redis.call('TYPE', KEYS[i])['ok']
  if is ~= 'none' and is ~= kinds[i] then
    return redis.error_reply('WRONGTYPE ' .. KEYS[i] .. ' holds a ' .. is .. ', not a ' .. kinds[i])
  end
end
local function text(number) return string.format('%.0f', number) end
)lua";

constexpr const char* kAppend = R"lua(
local made = redis.call('GET', KEYS[6])
if made then return {0, made} end
local changes = tonumber(ARGV[5])
if ARGV[2] ~= '-1' then
  local later = redis.call('ZCOUNT', KEYS[2], '(' .. ARGV[2], '+inf')
  if later > 0 then return {2, text(later)} end
end
local kept = redis.call('ZCARD', KEYS[2])
if kept + changes > tonumber(ARGV[1]) then return {1, text(kept)} end
local last = tonumber(redis.call('GET', KEYS[1]) or '0')
local first = text(last + 1)
local at = 6
for _ = 1, changes do
  local id, kind, columns, sets = ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2]), ARGV[at + 3]
  at = at + 4
  last = last + 1
  local left = {}
  for sequence, its_kind, its_columns in string.gmatch(redis.call('HGET', KEYS[3], id) or '', '(%d+):(%d+):(%d+)') do
    local overruled = kind ~= '1' or (its_kind == '1' and bit.band(tonumber(its_columns), bit.bnot(columns)) == 0)
    if overruled then redis.call('ZREMRANGEBYSCORE', KEYS[2], sequence, sequence)
    else left[#left + 1] = sequence .. ':' .. its_kind .. ':' .. its_columns end
  end
  left[#left + 1] = text(last) .. ':' .. kind .. ':' .. ARGV[at - 2]
  redis.call('HSET', KEYS[3], id, table.concat(left, ','))
  redis.call('ZADD', KEYS[2], text(last),
             text(last) .. ' ' .. ARGV[3] .. ' ' .. kind .. ' ' .. ARGV[at - 2] .. ' ' .. id .. ' ' .. sets)
  if kind == '2' then
    redis.call('HDEL', KEYS[4], id)
    redis.call('ZREM', KEYS[5], id)
  end
end
if changes > 0 then redis.call('SET', KEYS[1], text(last)) end
while at < #ARGV do
  redis.call('HSET', KEYS[4], ARGV[at], ARGV[at + 1])
  redis.call('ZADD', KEYS[5], text(last), ARGV[at])
  at = at + 2
end
redis.call('SET', KEYS[6], first, 'PX', ARGV[4])
return {0, first}
)lua";

constexpr const char* kSettle = R"lua(
local through = tonumber(ARGV[1])
local until_ms = tonumber(ARGV[2])
if tonumber(redis.call('GET', KEYS[1]) or '0') < through then redis.call('SET', KEYS[1], ARGV[1]) end
local members = redis.call('ZRANGEBYSCORE', KEYS[2], ARGV[3], ARGV[1], 'LIMIT', 0, ARGV[4])
local next_from = ARGV[3]
for _, member in ipairs(members) do
  local sequence, time_ms, id = string.match(member, '^(%d+) (%-?%d+) %d+ %d+ (%S+) ')
  if not sequence then return redis.error_reply('ERR ' .. KEYS[2] .. ' has a member that is no change') end
  next_from = text(tonumber(sequence) + 1)
  if tonumber(time_ms) <= until_ms then
    redis.call('ZREM', KEYS[2], member)
    local left = {}
    for one in string.gmatch(redis.call('HGET', KEYS[3], id) or '', '[^,]+') do
      if string.match(one, '^%d+') ~= sequence then left[#left + 1] = one end
    end
    if #left == 0 then redis.call('HDEL', KEYS[3], id) else redis.call('HSET', KEYS[3], id, table.concat(left, ',')) end
  end
end
local vectors = redis.call('ZRANGEBYSCORE', KEYS[5], '-inf', ARGV[1], 'LIMIT', 0, ARGV[4])
for _, id in ipairs(vectors) do
  redis.call('HDEL', KEYS[4], id)
  redis.call('ZREM', KEYS[5], id)
end
return {next_from, #members, #vectors}
)lua";

}  // namespace

const std::shared_ptr<const RedisScript>& append_changes_script() {
  static const auto script = std::make_shared<const RedisScript>(std::string(kCommon) + kAppend);
  return script;
}

const std::shared_ptr<const RedisScript>& settle_changes_script() {
  static const auto script = std::make_shared<const RedisScript>(std::string(kCommon) + kSettle);
  return script;
}

}  // namespace scalestyle::adapters::redis
