-- Removes one bounded step of the documents whose lifetime is over, and takes them out of their indexes.
--
-- KEYS  1 expiries
-- ARGV  1 clock offset in ms, 2 prefix of the keys of indexes, 3 most documents in one step
-- Answers how many were removed.

--@include documents

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000) + ARGV[1]
local ended = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now), 'LIMIT', 0, ARGV[3])
for _, document in ipairs(ended) do
  remove(ARGV[2], KEYS[1], document)
end
return #ended
