-- Reads the timers of a partition that are due next, for operators.
--
-- KEYS  1 timers, 2 claims
-- ARGV  1 how many at most
-- Answers {how many there are, then for each: member, due in ms (for a claimed one: the end of its lease), claim or ''}

local timers = redis.call('ZRANGE', KEYS[1], 0, ARGV[1] - 1, 'WITHSCORES')
local answer = {redis.call('ZCARD', KEYS[1])}
for i = 1, #timers, 2 do
  answer[#answer + 1] = timers[i]
  answer[#answer + 1] = timers[i + 1]
  answer[#answer + 1] = redis.call('HGET', KEYS[2], timers[i]) or ''
end
return answer
