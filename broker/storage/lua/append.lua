-- Publishes to logs of one partition: each is stored whole or not at all, with ids that only rise.
--
-- KEYS  1 floor, 2 trims, then for each publish: meta, stream, replies, idempotency (the meta again without a key)
-- ARGV  1 clock offset in ms, 2 number of publishes, then for each publish:
--       channel id, feed topic, record version, digest ('' without idempotency), lifetime of the answer in ms,
--       retention in ms, retention in events, number of events, and for each event four words (parts/log.lua)
-- Answers for each publish one of
--       {'ok', ms, seq of the first event}     {'replayed', ms, seq}
--       {'stale'} the record is not the present one, or the log is gone
--       {'key'} the idempotency key came with another body               {'reply', i}  event i replies to nothing

--@include log

local argument, key = 3, 3

local function take(count)
  local first = argument
  argument = argument + count
  return unpack(ARGV, first, argument - 1)
end

local function publish()
  local meta, stream, replies, kept = unpack(KEYS, key, key + 3)
  key = key + 4
  local channel, topic, version, digest, lifetime, keep_ms, keep_events, count = take(8)
  local first = argument
  count = tonumber(count)
  argument = argument + 4 * count

  local known = look(meta)
  if not known[1] then return {'stale'} end
  if digest ~= '' then
    local answer = redis.call('HMGET', kept, 'digest', 'ms', 'seq')
    if answer[1] == digest then return {'replayed', answer[2], answer[3]} end
    if answer[1] then return {'key'} end
  end
  if known[6] ~= version then return {'stale'} end
  for i = 0, count - 1 do
    local parent = ARGV[first + 4 * i + 2]
    if parent ~= '' and #redis.call('XRANGE', stream, parent, parent) == 0 then return {'reply', i} end
  end

  local ms, seq = add(meta, stream, replies, channel, topic, known, keep_ms, keep_events, first, count)
  if digest ~= '' then
    redis.call('HSET', kept, 'digest', digest, 'ms', ms, 'seq', seq)
    redis.call('PEXPIRE', kept, lifetime)
  end
  return {'ok', ms, seq}
end

local answers = {}
for i = 1, ARGV[2] do
  answers[i] = publish()
end
tell_all()
return answers
