-- Replaces a channel's record if nobody else did since it was read, and tells the readers by a new revision.
--
-- KEYS  1 record, 2 meta, 3 public channels, 4 trims
-- ARGV  1 channel id, 2 version that was read, 3 JSON of the new record, 4 '1' for a public one, 5 feed topic, 6 tag
-- Answers 'ok', 'conflict' or 'absent'. The feed hears a head (append.lua) without events.

local known = redis.call('HMGET', KEYS[1], 'version', 'created_ms', 'tag')
if known[3] ~= ARGV[6] then return 'absent' end
if known[1] ~= ARGV[2] then return 'conflict' end

redis.call('HSET', KEYS[1], 'document', ARGV[3])
local version = redis.call('HINCRBY', KEYS[1], 'version', 1)
redis.call('HSET', KEYS[2], 'version', version)
local revision = redis.call('HINCRBY', KEYS[2], 'revision', 1)
if ARGV[4] == '1' then
  redis.call('ZADD', KEYS[3], known[2], ARGV[1])
else
  redis.call('ZREM', KEYS[3], ARGV[1])
end
-- The retention may have changed: the next sweep looks.
redis.call('ZADD', KEYS[4], 0, ARGV[1])
local meta = redis.call('HMGET', KEYS[2], 'ms', 'seq', 'trimmed_ms', 'trimmed_seq')
local top, trimmed = meta[1] .. '-' .. meta[2], meta[3] .. '-' .. meta[4]
redis.call('SPUBLISH', ARGV[5], top .. ' ' .. top .. ' ' .. trimmed .. ' ' .. revision .. ' ' .. version .. '\n')
return 'ok'
