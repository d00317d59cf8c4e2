-- Ends the work on an endpoint, until it has something to deliver again: at once, if it was marked meanwhile.
--
-- KEYS  1 deliveries, 2 claims
-- ARGV  1 clock offset in ms, 2 member, 3 fence, 4 when it is due in ms, '' for not by itself, 5 topic of deliveries
-- Answers 1, or 0 when the claim is somebody else's by now; then nothing was done.

local fence, ends, again = string.match(redis.call('HGET', KEYS[2], ARGV[2]) or '', '^(%d+) (%d+) (%d)$')
if fence ~= ARGV[3] then return 0 end
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000) + ARGV[1]
local score = redis.call('ZSCORE', KEYS[1], ARGV[2])
redis.call('HDEL', KEYS[2], ARGV[2])
local due = ARGV[4]
if again == '1' or (score and tonumber(score) < tonumber(ends)) then due = string.format('%.0f', now) end
if due == '' then
  redis.call('ZREM', KEYS[1], ARGV[2])
else
  redis.call('ZADD', KEYS[1], due, ARGV[2])
  if tonumber(due) <= now then redis.call('SPUBLISH', ARGV[5], due) end
end
return 1
