-- Has an endpoint looked at now.
--
-- KEYS  1 deliveries
-- ARGV  1 clock offset in ms, 2 member, 3 topic of deliveries

local clock = redis.call('TIME')
local now = string.format('%.0f', clock[1] * 1000 + math.floor(clock[2] / 1000) + ARGV[1])
redis.call('ZADD', KEYS[1], 'LT', now, ARGV[2])
redis.call('SPUBLISH', ARGV[3], now)
return 1
