-- Claims endpoints that have something to deliver under a lease, the longest due first.
--
-- KEYS  1 deliveries, 2 claims, 3 fences
-- ARGV  1 clock offset in ms, 2 lease in ms, 3 how many at most
-- Answers {now in ms, when the next one is due in ms or '', then for each: member, fence, due in ms, 0}
--
-- A claim is 'fence end again'. An endpoint that is at work and was marked anew is not claimed, as it must not be served
-- twice at a time: `again` notes it for the end of the work (rest_delivery.lua).

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000) + ARGV[1]
local answer = {string.format('%.0f', now), ''}
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', answer[1], 'WITHSCORES', 'LIMIT', 0, ARGV[3])
for i = 1, #due, 2 do
  local member, at = due[i], due[i + 1]
  local fence, ends = string.match(redis.call('HGET', KEYS[2], member) or '', '^(%d+) (%d+)')
  if fence and tonumber(ends) > now then
    redis.call('HSET', KEYS[2], member, fence .. ' ' .. ends .. ' 1')
    redis.call('ZADD', KEYS[1], ends, member)
  else
    fence = redis.call('INCR', KEYS[3])
    ends = string.format('%.0f', now + ARGV[2])
    redis.call('HSET', KEYS[2], member, string.format('%.0f', fence) .. ' ' .. ends .. ' 0')
    redis.call('ZADD', KEYS[1], ends, member)
    answer[#answer + 1] = member
    answer[#answer + 1] = fence
    answer[#answer + 1] = at
    answer[#answer + 1] = 0
  end
end
answer[2] = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2] or ''
return answer
