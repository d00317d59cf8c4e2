-- Says for a process that it lives, and who reads some channels of one partition there.
--
-- KEYS  1 the partition's processes, 2.. presence of a channel
-- ARGV  1 process, 2 ms after which a silent process counts as gone, 3 ms for which a channel's presence is kept,
--       4.. for each channel: readers, all that is to be said of it
-- Answers 1 when the process was known here, else 0: then nothing else that it said before is known either.
-- Words of processes that are gone are removed. The clock is the real one, also where tests move the other.

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
local is_new = redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
for i = 2, #KEYS do
  local readers, said = ARGV[2 * i], ARGV[2 * i + 1]
  if readers == '0' then
    redis.call('HDEL', KEYS[i], ARGV[1], ARGV[1] .. ':said')
  else
    redis.call('HSET', KEYS[i], ARGV[1], readers, ARGV[1] .. ':said', said)
    redis.call('PEXPIRE', KEYS[i], ARGV[3])
  end
  for _, name in ipairs(redis.call('HKEYS', KEYS[i])) do
    local process = name:match('^[^:]+')
    if not redis.call('ZSCORE', KEYS[1], process) then redis.call('HDEL', KEYS[i], name) end
  end
end
return 1 - is_new
