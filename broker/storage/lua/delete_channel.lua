-- Deletes a channel with its log and endpoints. Ids of a channel created later under this name lie above its ids.
--
-- KEYS  1 record, 2 meta, 3 stream, 4 replies, 5 endpoints, 6 floor, 7 channels, 8 public channels, 9 trims
-- ARGV  1 channel id, 2 tag, 3 feed topic
-- Answers 'ok' or 'absent'. The feed hears 'deleted'.

if redis.call('HGET', KEYS[1], 'tag') ~= ARGV[2] then return 'absent' end
local top = tonumber(redis.call('HGET', KEYS[2], 'ms'))
-- First what frees memory: a full engine refuses a script that begins with anything else.
redis.call('UNLINK', KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5])
redis.call('ZREM', KEYS[7], ARGV[1])
redis.call('ZREM', KEYS[8], ARGV[1])
redis.call('ZREM', KEYS[9], ARGV[1])
if top + 1 > tonumber(redis.call('GET', KEYS[6]) or 0) then
  redis.call('SET', KEYS[6], string.format('%.0f', top + 1))
end
redis.call('SPUBLISH', ARGV[3], 'deleted')
return 'ok'
