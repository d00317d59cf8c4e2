-- Replaces a channel's record if nobody else did since it was read, and tells the readers by a new revision.
--
-- KEYS  1 record, 2 meta, 3 public channels, 4 trims
-- ARGV  1 channel id, 2 tag and 3 version that were read, 4 JSON of the new record, 5 '1' to list it as public,
--       6 feed topic, 7 member of the public channels
-- Answers 'ok', or 'conflict' when it was changed, deleted or created again. The feed hears a head (parts/log.lua)
-- without events.

local known = redis.call('HMGET', KEYS[1], 'tag', 'version')
if known[1] ~= ARGV[2] or known[2] ~= ARGV[3] then return 'conflict' end

redis.call('HSET', KEYS[1], 'document', ARGV[4])
local version = redis.call('HINCRBY', KEYS[1], 'version', 1)
redis.call('HSET', KEYS[2], 'version', version)
local revision = redis.call('HINCRBY', KEYS[2], 'revision', 1)
if ARGV[5] == '1' then
  redis.call('ZADD', KEYS[3], 0, ARGV[7])
else
  redis.call('ZREM', KEYS[3], ARGV[7])
end
-- The retention may have changed: the next sweep looks.
redis.call('ZADD', KEYS[4], 0, ARGV[1])
local meta = redis.call('HMGET', KEYS[2], 'ms', 'seq', 'trimmed_ms', 'trimmed_seq')
local top, trimmed = meta[1] .. '-' .. meta[2], meta[3] .. '-' .. meta[4]
redis.call('SPUBLISH', ARGV[6], top .. ' ' .. top .. ' ' .. trimmed .. ' ' .. revision .. ' ' .. version .. '\n')
return 'ok'
