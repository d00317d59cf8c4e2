-- Writes the webhook endpoints of a channel if nobody else did since they were read, and gives new ones, and those that
-- are activated again, their cursor: the tail of the log, read in this very step, so that such an endpoint gets what is
-- published after it and nothing else.
--
-- KEYS  1 endpoints, 2 meta
-- ARGV  1 version that was read (0: none), 2 version of the channel's record that this was decided on,
--       3 JSON of the endpoints ('' for none), 4 when the last of them expires, in ms,
--       5 members of the endpoints that follow the log from now on, a line each (parts/log.lua),
--       6 number of new endpoints, then their ids, then the ids of those that are gone
-- Answers 'ok', 'conflict', 'stale' when the channel's record is another one now, or 'absent' when the log is gone.
-- Beside `document` and `version` the hash has a field `cursor:<id>` for each endpoint, a stream id. Versions are counted
-- in the meta, which outlives the hash: endpoints that come after all were gone are not those that were read before.

local meta = redis.call('HMGET', KEYS[2], 'version', 'ms', 'seq')
if not meta[1] then return 'absent' end
if meta[1] ~= ARGV[2] then return 'stale' end
if (redis.call('HGET', KEYS[1], 'version') or '0') ~= ARGV[1] then return 'conflict' end

if ARGV[3] == '' then
  redis.call('UNLINK', KEYS[1])
  redis.call('HDEL', KEYS[2], 'followed')
  return 'ok'
end
local first_gone = 7 + ARGV[6]
for i = 7, first_gone - 1 do
  redis.call('HSET', KEYS[1], 'cursor:' .. ARGV[i], meta[2] .. '-' .. meta[3])
end
for i = first_gone, #ARGV do
  redis.call('HDEL', KEYS[1], 'cursor:' .. ARGV[i])
end
redis.call('HSET', KEYS[1], 'document', ARGV[3], 'version', redis.call('HINCRBY', KEYS[2], 'endpoints', 1))
redis.call('HSET', KEYS[2], 'followed', ARGV[5])
redis.call('PEXPIREAT', KEYS[1], ARGV[4])
return 'ok'
