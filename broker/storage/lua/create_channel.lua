-- Creates a channel and its empty log.
--
-- KEYS  1 record, 2 meta, 3 floor, 4 channels, 5 public channels
-- ARGV  1 clock offset in ms, 2 channel id, 3 tag, 4 letters of the tag, 5 JSON of the record,
--       6 '1' when there is room, 7 '1' when it is listed, 8 '1' when it is listed as public
-- Answers the creation time in ms as a string, 'exists' or 'full'.
-- The indexes hold '{creation time, 15 digits}{letters of the tag}/{id}', all with the score 0 (broker/listing.py).

if redis.call('EXISTS', KEYS[1]) == 1 then return 'exists' end
if ARGV[6] ~= '1' then return 'full' end
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000) + ARGV[1]
local created = math.max(now, tonumber(redis.call('GET', KEYS[3]) or 0))
local ms = string.format('%.0f', created)
local member = string.format('%015.0f', created) .. ARGV[4] .. '/' .. ARGV[2]

redis.call('HSET', KEYS[1], 'document', ARGV[5], 'version', 1, 'tag', ARGV[3], 'created_ms', ms)
redis.call('HSET', KEYS[2], 'start', ms, 'ms', ms, 'seq', 0, 'trimmed_ms', ms, 'trimmed_seq', 0,
  'revision', 0, 'version', 1, 'count', 0, 'largest', 0)
if ARGV[7] == '1' then redis.call('ZADD', KEYS[4], 0, member) end
if ARGV[8] == '1' then redis.call('ZADD', KEYS[5], 0, member) end
return ms
