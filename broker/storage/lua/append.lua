-- Publishes to logs of one partition: each is stored whole or not at all, with ids that only rise.
--
-- KEYS  1 floor, 2 trims, then for each publish: meta, stream, replies, idempotency ('' is passed as the meta again)
-- ARGV  1 clock offset in ms, 2 number of publishes, then for each publish:
--       channel id, feed topic, record version, digest ('' without idempotency), lifetime of the answer in ms,
--       retention in ms, retention in events, number of events, and for each event:
--       JSON of the type or '', publisher or '', stream id replied to or '', JSON tail
-- Answers for each publish one of
--       {'ok', ms, seq of the first event}     {'replayed', ms, seq}     {'gone'}      {'stale'}
--       {'key'} the idempotency key came with another body               {'reply', i}  event i replies to nothing
-- The feed gets one message for each log: 'previous last revision\n', then for each event 'id type\n' and 'tail\n';
-- over 64 KB only the first line, and readers fetch the events from the log.

local FEED_BYTES = 65536
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000) + ARGV[1]
local floor = tonumber(redis.call('GET', KEYS[1]) or 0)
local argument, key = 3, 3
local heard, order = {}, {}

local function take(count)
  local first = argument
  argument = argument + count
  return unpack(ARGV, first, argument - 1)
end

local function whole(number)
  return string.format('%.0f', number)
end

local function store(stream, replies, id, ms, seq, at)
  local kind, publisher, parent, tail = unpack(ARGV, at, at + 3)
  local fields = {'w', tail}
  if kind ~= '' then fields[#fields + 1] = 't'; fields[#fields + 1] = kind end
  if publisher ~= '' then fields[#fields + 1] = 'p'; fields[#fields + 1] = publisher end
  if parent ~= '' then
    fields[#fields + 1] = 'r'; fields[#fields + 1] = parent
    redis.call('ZADD', replies, 0, parent .. '/' .. string.format('%015.0f-%011.0f', ms, seq))
  end
  redis.call('XADD', stream, id, unpack(fields))
end

local function hear(topic, previous, last, revision)
  local feed = heard[topic]
  if not feed then
    feed = {previous = previous, lines = {}, bytes = 0}
    heard[topic] = feed
    order[#order + 1] = topic
  end
  feed.last, feed.revision = last, revision
  return feed
end

local function publish()
  local meta, stream, replies, kept = unpack(KEYS, key, key + 3)
  key = key + 4
  local channel, topic, version, digest, lifetime, keep_ms, keep_events, count = take(8)
  local first = argument
  argument = argument + 4 * count

  local known = redis.call('HMGET', meta, 'ms', 'seq', 'revision', 'version')
  if not known[1] then return {'gone'} end
  if digest ~= '' then
    local answer = redis.call('HMGET', kept, 'digest', 'ms', 'seq')
    if answer[1] == digest then return {'replayed', answer[2], answer[3]} end
    if answer[1] then return {'key'} end
  end
  if known[4] ~= version then return {'stale'} end
  for i = 0, count - 1 do
    local parent = ARGV[first + 4 * i + 2]
    if parent ~= '' and #redis.call('XRANGE', stream, parent, parent) == 0 then return {'reply', i} end
  end

  local top_ms, top_seq = tonumber(known[1]), tonumber(known[2])
  local ms = math.max(now, floor, top_ms)
  local seq = ms == top_ms and top_seq + 1 or 0
  local ms_text, first_seq = whole(ms), seq
  if count == '0' then return {'ok', known[1], known[2]} end
  local feed = hear(topic, known[1] .. '-' .. known[2], '', known[3])
  for i = 0, count - 1 do
    local at = first + 4 * i
    local id = ms_text .. '-' .. whole(seq)
    store(stream, replies, id, ms, seq, at)
    feed.last = id
    feed.bytes = feed.bytes + #ARGV[at + 3] + #ARGV[at] + 40
    feed.lines[#feed.lines + 1] = id .. ' ' .. ARGV[at] .. '\n' .. ARGV[at + 3] .. '\n'
    seq = seq + 1
  end
  redis.call('HSET', meta, 'ms', ms_text, 'seq', whole(seq - 1))
  redis.call('HINCRBY', meta, 'count', count)
  local length = redis.call('XLEN', stream)
  if length == tonumber(count) then
    redis.call('ZADD', KEYS[2], whole(now + keep_ms), channel)
  elseif length > tonumber(keep_events) then
    redis.call('ZADD', KEYS[2], whole(now), channel)
  end
  if digest ~= '' then
    redis.call('HSET', kept, 'digest', digest, 'ms', ms_text, 'seq', whole(first_seq))
    redis.call('PEXPIRE', kept, lifetime)
  end
  return {'ok', ms_text, whole(first_seq)}
end

local answers = {}
for i = 1, ARGV[2] do
  answers[i] = publish()
end
for _, topic in ipairs(order) do
  local feed = heard[topic]
  local head = feed.previous .. ' ' .. feed.last .. ' ' .. feed.revision .. '\n'
  redis.call('SPUBLISH', topic, feed.bytes > FEED_BYTES and head or head .. table.concat(feed.lines))
end
return answers
