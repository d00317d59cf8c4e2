-- Writes a Change of one owner, all of it or nothing: documents with their indexes, events on logs, timers, an answer.
--
-- KEYS  1 floor, 2 trims, 3 timers, 4 claims, 5 expiries, 6 commits, 7 answer, 8 sealed body, then a key for each
--       document, then meta, stream and replies for each log, then each index that a document comes into or leaves
-- ARGV  1 clock offset in ms, 2 topic of the timers, 3 prefix of the keys of indexes, 4 claimed timer or '', 5 fence,
--       6-12 the answer to keep (parts/answer.lua), 13 number of documents, 14 number of logs, 15 number of timers,
--       for each document: 'check', 'put' or 'delete'; version that it must have (0: none); and for a put its body,
--         until when it lives in ms or '', and the lines of its entries (parts/documents.lua)
--       for each log: channel id, feed topic, record version, retention in ms, retention in events, number of events,
--         and for each event four words (parts/log.lua)
--       for each timer: 'arm' or 'disarm', member, due in ms
-- Answers one of
--       {'ok', version of the documents written, then for each log: ms, seq of its first event}
--       {'conflict'}  a document has another version       {'stale', channel id}  a record is not the present one
--       {'answered'}  the key has its answer already       {'fenced'}  the claimed timer is somebody else's by now
--       {'reply', i}  event i of a log replies to nothing
--
-- The version that documents get is the number of the commit in this partition: none is ever given out twice, so one
-- that was deleted and made again is another one.

--@include log
--@include documents
--@include answer

local timers, claims, expiries = KEYS[3], KEYS[4], KEYS[5]
local prefix, claimed = ARGV[3], ARGV[4]
local documents, logs, changes = tonumber(ARGV[13]), tonumber(ARGV[14]), tonumber(ARGV[15])
-- The channel whose last id the answer shows.
local told = string.match(ARGV[11], '^[^ ]*')
local argument = 16

local function take(count)
  local first = argument
  argument = argument + count
  return unpack(ARGV, first, argument - 1)
end

local function version_of(document)
  local known = redis.call('HMGET', document, 'version', 'until')
  if not known[1] or (known[2] and tonumber(known[2]) <= now) then return '0' end
  return known[1]
end

-- Reads on over the words of all documents; 'conflict' when one has another version than it must have.
local function check_documents()
  local verdict
  for i = 1, documents do
    local action, version = take(2)
    if version_of(KEYS[8 + i]) ~= version then verdict = 'conflict' end
    if action == 'put' then take(3) end
  end
  return verdict
end

-- What the logs say of themselves; or nil, and why nothing can be added to one of them.
local function look_at_logs()
  local known = {}
  for i = 1, logs do
    local channel, topic, version, keep_ms, keep_events, count = take(6)
    local at = 8 + documents + 3 * i
    known[i] = look(KEYS[at - 2], KEYS[at - 1], KEYS[at], channel, topic, keep_ms, keep_events)
    if known[i][6] ~= version then return nil, {'stale', channel} end
    for event = 0, count - 1 do
      local parent = ARGV[argument + 4 * event + 2]
      if parent ~= '' and #redis.call('XRANGE', KEYS[at - 1], parent, parent) == 0 then return nil, {'reply', event} end
    end
    argument = argument + 4 * count
  end
  return known
end

local function write_documents(version)
  for i = 1, documents do
    local document, action = KEYS[8 + i], take(2)
    if action == 'delete' then
      remove(prefix, expiries, document)
    elseif action == 'put' then
      local body, ends, lines = take(3)
      local old = redis.call('HGET', document, 'entries')
      local kept = list(prefix, lines)
      if old then unlist(prefix, old, kept) end
      redis.call('HSET', document, 'version', version, 'body', body)
      if lines ~= '' then
        redis.call('HSET', document, 'entries', lines)
      elseif old then
        redis.call('HDEL', document, 'entries')
      end
      if ends ~= '' then
        redis.call('HSET', document, 'until', ends)
        redis.call('ZADD', expiries, ends, document)
      else
        redis.call('HDEL', document, 'until')
        redis.call('ZREM', expiries, document)
      end
    end
  end
end

local function write_events(known, answer)
  local last
  for i = 1, logs do
    local channel, _, _, _, _, count = take(6)
    local ms, seq = add(known[i], argument, tonumber(count))
    argument = argument + 4 * count
    answer[#answer + 1] = ms
    answer[#answer + 1] = seq
    if channel == told then last = ms .. '-' .. whole(seq + count - 1) end
  end
  return last
end

local function write_timers()
  local head = redis.call('ZRANGE', timers, 0, 0, 'WITHSCORES')[2]
  local soonest
  if claimed ~= '' then
    redis.call('ZREM', timers, claimed)
    redis.call('HDEL', claims, claimed)
  end
  for _ = 1, changes do
    local action, member, due = take(3)
    redis.call('HDEL', claims, member)
    if action == 'arm' then
      redis.call('ZADD', timers, due, member)
      soonest = math.min(soonest or tonumber(due), tonumber(due))
    else
      redis.call('ZREM', timers, member)
    end
  end
  -- Those who sleep until the head was due must hear of an earlier one.
  if soonest and (not head or soonest < tonumber(head)) then redis.call('SPUBLISH', ARGV[2], whole(soonest)) end
end

if ARGV[6] ~= '' and is_answered(KEYS[7], now) then return {'answered'} end
if claimed ~= '' and string.match(redis.call('HGET', claims, claimed) or '', '^%d+') ~= ARGV[5] then
  return {'fenced'}
end
if check_documents() then return {'conflict'} end
local known, why_not = look_at_logs()
if not known then return why_not end

argument = 16
local answer = {'ok', redis.call('INCR', KEYS[6])}
write_documents(answer[2])
local last = write_events(known, answer)
write_timers()
keep(KEYS[7], KEYS[8], 6, now, last)
finish()
return answer
