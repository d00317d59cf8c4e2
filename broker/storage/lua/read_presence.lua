-- What the living processes but one say of the readers of a channel.
--
-- KEYS  1 the partition's processes, 2 presence of the channel
-- ARGV  1 the process that asks, 2 ms after which a silent process counts as gone, 3 '' for the numbers of readers,
--       ':said' for all that was said
-- Answers one text for each process.

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local found = {}
for _, process in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. string.format('%.0f', now - ARGV[2]), '+inf')) do
  local said = process ~= ARGV[1] and redis.call('HGET', KEYS[2], process .. ARGV[3])
  if said then found[#found + 1] = said end
end
return found
