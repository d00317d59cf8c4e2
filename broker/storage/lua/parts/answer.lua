-- Part of the scripts that keep the answer to an Idempotency-Key in the step that does what it answers for.
--
-- `row` is a hash: `digest` of the body that the key came with, `status`, `until` (when it ends, in ms), `log` (channel
-- id and letters of its tag) and `last` (stream id) of the cursor that the answer shows or '', and either `body` or
-- `sealed_until`: then the body shows a secret and stands sealed in a key of its own, which ends sooner.
-- The seven words of an answer: digest ('' for none), status, body, lifetime in ms, lifetime of a sealed body in ms
-- ('' for one that is not sealed), log or '', last or '' (where the script itself knows none).

-- Whether the key was answered before. The answer to a publish says its end by the key's own (append.lua).
local function is_answered(row, now)
  local known = redis.call('HMGET', row, 'digest', 'until')
  return known[1] and (not known[2] or tonumber(known[2]) > now)
end

local function keep(row, sealed, at, now, last)
  local digest, status, body, lifetime, sealed_for, log, known = unpack(ARGV, at, at + 6)
  if digest == '' then return end
  local ends = string.format('%.0f', now + lifetime)
  redis.call('DEL', row, sealed)
  redis.call('HSET', row, 'digest', digest, 'status', status, 'until', ends, 'log', log, 'last', last or known)
  redis.call('PEXPIRE', row, lifetime)
  if sealed_for == '' then
    redis.call('HSET', row, 'body', body)
  else
    redis.call('HSET', row, 'sealed_until', string.format('%.0f', now + sealed_for))
    redis.call('SET', sealed, body, 'PX', sealed_for)
  end
end
