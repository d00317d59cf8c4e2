-- Creates a channel and its empty log.
--
-- KEYS  1 record, 2 meta, 3 floor, 4 channels, 5 public channels
-- ARGV  1 clock offset in ms, 2 channel id, 3 tag, 4 JSON of the record, 5 '1' for a public one, 6 most channels in
--       the partition
-- Answers the creation time in ms as a string, 'exists' or 'full'. No two channels of a partition share a creation
-- time, or the pages of the list would depend on how many were created while a clock was set back.

if redis.call('EXISTS', KEYS[1]) == 1 then return 'exists' end
if redis.call('ZCARD', KEYS[4]) >= tonumber(ARGV[6]) then return 'full' end
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000) + ARGV[1]
local newest = redis.call('ZREVRANGE', KEYS[4], 0, 0, 'WITHSCORES')
local free = newest[2] and newest[2] + 1 or 0
local ms = string.format('%.0f', math.max(now, free, tonumber(redis.call('GET', KEYS[3]) or 0)))

redis.call('HSET', KEYS[1], 'document', ARGV[4], 'version', 1, 'tag', ARGV[3], 'created_ms', ms)
redis.call('HSET', KEYS[2], 'start', ms, 'ms', ms, 'seq', 0, 'trimmed_ms', ms, 'trimmed_seq', 0,
  'revision', 0, 'version', 1, 'count', 0)
redis.call('ZADD', KEYS[4], ms, ARGV[2])
if ARGV[5] == '1' then redis.call('ZADD', KEYS[5], ms, ARGV[2]) end
return ms
