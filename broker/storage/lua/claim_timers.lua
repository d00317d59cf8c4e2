-- Claims due timers under a lease, the oldest first.
--
-- KEYS  1 timers, 2 claims, 3 fences
-- ARGV  1 clock offset in ms, 2 lease in ms, 3 how many at most
-- Answers {now in ms, when the next one is due in ms or '', then for each: member, fence, due in ms, tries before}
--
-- A claimed timer stands at the end of its lease, and is due again then; its claim is 'fence due tries'. Who tried a
-- timer in vain leaves it a lease twice as long each time, up to 128 times, so that one that always fails is rare work.

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000) + ARGV[1]
local answer = {string.format('%.0f', now), ''}
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', answer[1], 'WITHSCORES', 'LIMIT', 0, ARGV[3])
for i = 1, #due, 2 do
  local member, at, tries = due[i], due[i + 1], 0
  local known = redis.call('HGET', KEYS[2], member)
  if known then
    local first, before = string.match(known, '^%d+ (%d+) (%d+)$')
    at, tries = first, before + 1
  end
  local fence = redis.call('INCR', KEYS[3])
  local ends = now + ARGV[2] * 2 ^ math.min(tries, 7)
  redis.call('ZADD', KEYS[1], string.format('%.0f', ends), member)
  redis.call('HSET', KEYS[2], member, string.format('%d %s %d', fence, at, tries))
  answer[#answer + 1] = member
  answer[#answer + 1] = fence
  answer[#answer + 1] = at
  answer[#answer + 1] = tries
end
answer[2] = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2] or ''
return answer
