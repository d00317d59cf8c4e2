-- Publishes to logs of one partition: each is stored whole or not at all, with ids that only rise.
--
-- KEYS  1 floor, 2 trims, then for each log: meta, stream, replies; then the key of each answer that is to be kept
-- ARGV  1 clock offset in ms, 2 number of logs, 3 number of publishes, 4 lifetime of kept answers in ms,
--       for each log: channel id, feed topic, record version, retention in ms, retention in events
--       for each publish: number of its log, digest ('' without idempotency), number of events, and for each event
--       four words (parts/log.lua)
-- Answers for each publish one of
--       'ms-seq' of the first event            {'replayed', ms, seq}
--       {'stale'} the record is not the present one, or the log is gone
--       {'key'} the idempotency key came with another body               {'reply', i}  event i replies to nothing
--
-- What the publishes of a log have in common stands there once: each word costs the engine as much as a small command.

--@include log

local count_of_logs, publishes = tonumber(ARGV[2]), tonumber(ARGV[3])
local log_of, version_of = {}, {}
for i = 1, count_of_logs do
  local word, key = 5 * i, 3 * i
  log_of[i] = look(KEYS[key], KEYS[key + 1], KEYS[key + 2], ARGV[word], ARGV[word + 1], ARGV[word + 3], ARGV[word + 4])
  version_of[i] = ARGV[word + 2]
end
local argument, answer_key = 5 + 5 * count_of_logs, 3 + 3 * count_of_logs

local function replies_to_nothing(log, first, count)
  for i = 0, count - 1 do
    local parent = ARGV[first + 4 * i + 2]
    if parent ~= '' and #redis.call('XRANGE', log.stream, parent, parent) == 0 then return i end
  end
end

local function publish()
  local number, digest, count = tonumber(ARGV[argument]), ARGV[argument + 1], tonumber(ARGV[argument + 2])
  local log, first = log_of[number], argument + 3
  argument = first + 4 * count
  local kept
  if digest ~= '' then kept, answer_key = KEYS[answer_key], answer_key + 1 end

  if not log[1] then return {'stale'} end
  if kept then
    local answer = redis.call('HMGET', kept, 'digest', 'ms', 'seq')
    if answer[1] == digest then return {'replayed', answer[2], answer[3]} end
    if answer[1] then return {'key'} end
  end
  if log[6] ~= version_of[number] then return {'stale'} end
  local nothing = replies_to_nothing(log, first, count)
  if nothing then return {'reply', nothing} end

  local ms, seq = add(log, first, count)
  if kept then
    redis.call('HSET', kept, 'digest', digest, 'ms', ms, 'seq', seq)
    redis.call('PEXPIRE', kept, ARGV[4])
  end
  return ms .. '-' .. seq
end

local answers = {}
for i = 1, publishes do
  answers[i] = publish()
end
finish()
return answers
