-- Gives a claimed timer back before its lease ends, to be tried again soon; nothing when it is no longer ours.
--
-- KEYS  1 timers, 2 claims
-- ARGV  1 clock offset in ms, 2 member, 3 fence, 4 ms from now at which it is due again
-- Answers 1 when it was given back, else 0.

if string.match(redis.call('HGET', KEYS[2], ARGV[2]) or '', '^%d+') ~= ARGV[3] then return 0 end
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000) + ARGV[1]
redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[4]), ARGV[2])
return 1
