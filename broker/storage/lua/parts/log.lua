-- Part of the scripts that add events to logs: ids that only rise, entries, counts, and what the feed is told.
-- Such a script has KEYS 1 floor, 2 trims, and ARGV 1 the clock offset in ms.
--
-- A feed message is a head, 'previous last trimmed revision version\n' (three stream ids, two numbers), then the words
-- of each event as they came, which is made by one call. What ends them is no byte of UTF-8. The ids of a message follow
-- each other up to `last`. Events of one log share messages of up to 64 KB. Those of one publish that are longer send the
-- head only, and readers fetch them from the log.

local FEED_BYTES = 65536
local SEPARATOR = '\255'
local SHORT = 1e14 -- below, a number is its own text
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000) + ARGV[1]
local floor = tonumber(redis.call('GET', KEYS[1]) or 0)
local logs, added = {}, {}

local function whole(number)
  return string.format('%.0f', number)
end

-- What a log says of itself: the ids of its newest event and of the last that was trimmed, revision, version of the
-- record, count, the endpoints that follow it, the bytes of its largest tail ever; nothing when it is gone. It is read
-- once in a call, and what is added is written by `finish`, however many publishes there are.
local function look(meta, stream, replies, channel, topic, keep_ms, keep_events)
  local log = logs[meta]
  if not log then
    log = redis.call('HMGET', meta, 'ms', 'seq', 'trimmed_ms', 'trimmed_seq', 'revision', 'version', 'count',
      'followed', 'largest')
    log.largest = tonumber(log[9])
    log.meta, log.stream, log.replies, log.channel, log.topic = meta, stream, replies, channel, topic
    log.keep_ms, log.keep_events = keep_ms, keep_events
    logs[meta] = log
  end
  return log
end

-- By cases, and not by a table of fields: this is done for every event.
local function store(log, id, ms, seq, kind, publisher, parent, tail)
  if parent ~= '' then
    redis.call('ZADD', log.replies, 0, parent .. '/' .. string.format('%015.0f-%011.0f', ms, seq))
    local fields = {'w', tail, 'r', parent}
    if kind ~= '' then fields[#fields + 1] = 't'; fields[#fields + 1] = kind end
    if publisher ~= '' then fields[#fields + 1] = 'p'; fields[#fields + 1] = publisher end
    redis.call('XADD', log.stream, id, unpack(fields))
  elseif kind == '' and publisher == '' then
    redis.call('XADD', log.stream, id, 'w', tail)
  elseif kind == '' then
    redis.call('XADD', log.stream, id, 'w', tail, 'p', publisher)
  elseif publisher == '' then
    redis.call('XADD', log.stream, id, 'w', tail, 't', kind)
  else
    redis.call('XADD', log.stream, id, 'w', tail, 't', kind, 'p', publisher)
  end
end

-- Marks the endpoints that follow a log, a line each, as having something to deliver, and wakes who delivers.
local function mark(members)
  local prefix, at, earlier = string.sub(KEYS[1], 1, -6), whole(now), 0
  for member in string.gmatch(members, '[^\n]+') do
    earlier = earlier + redis.call('ZADD', prefix .. 'deliveries', 'LT', 'CH', at, member)
  end
  if earlier > 0 then redis.call('SPUBLISH', prefix .. 'delivery-topic', at) end
end

local function send(log)
  local head = log.previous .. ' ' .. log[1] .. '-' .. log[2]
  local state = log[3] .. '-' .. log[4] .. ' ' .. log[5] .. ' ' .. log[6]
  redis.call('SPUBLISH', log.topic, head .. ' ' .. state .. '\n' .. table.concat(log.lines, SEPARATOR))
  log.previous = nil
end

-- To be called once, after all was added: writes what the logs say of themselves from now on, and tells the feed.
local function finish()
  for _, log in ipairs(added) do
    redis.call('HSET', log.meta, 'ms', log[1], 'seq', log[2], 'count', whole((tonumber(log[7]) or 0) + log.added),
      'largest', log.largest)
    local length = redis.call('XLEN', log.stream)
    if length > tonumber(log.keep_events) then
      redis.call('ZADD', KEYS[2], whole(now), log.channel)
    elseif length == log.added then
      redis.call('ZADD', KEYS[2], whole(log.first_ms + log.keep_ms), log.channel)
    end
    if log[8] then mark(log[8]) end
    send(log)
  end
end

-- Adds the `count` events that stand in ARGV from `first` on, four words each: JSON of the type or '', publisher or
-- '', stream id replied to or '', JSON tail. `log` is what `look` found. Answers ms and seq of the first.
local function add(log, first, count)
  local top_ms, top_seq = log.top_ms or tonumber(log[1]), log.top_seq or tonumber(log[2])
  local ms = math.max(now, floor, top_ms)
  local seq = ms == top_ms and top_seq + 1 or 0
  -- Making a number's text costs as much as a third of a command.
  local ms_text, seq_text = ms == log.top_ms and log[1] or whole(ms), whole(seq)
  if count == 0 then return ms_text, seq_text end
  local words, first_seq = ARGV, seq_text
  local lines = table.concat(words, SEPARATOR, first, first + 4 * count - 1)
  if not log.added then
    log.added, log.first_ms = 0, ms
    added[#added + 1] = log
  end
  if log.previous and log.bytes + #lines > FEED_BYTES then send(log) end
  if not log.previous then log.previous, log.lines, log.bytes = log[1] .. '-' .. log[2], {}, 0 end
  if #lines <= FEED_BYTES then log.lines[#log.lines + 1] = lines end
  local call, stream, prefix, is_short = redis.call, log.stream, ms_text .. '-', seq + count < SHORT
  local largest = log.largest
  for i = 0, count - 1 do
    local at = first + 4 * i
    if i > 0 then seq_text = is_short and seq + i or whole(seq + i) end
    local kind, publisher, parent, tail = words[at], words[at + 1], words[at + 2], words[at + 3]
    if #tail > largest then largest = #tail end
    if parent == '' and kind ~= '' and publisher ~= '' then
      call('XADD', stream, prefix .. seq_text, 'w', tail, 't', kind, 'p', publisher)
    else
      store(log, prefix .. seq_text, ms, seq + i, kind, publisher, parent, tail)
    end
  end
  log.largest = largest
  log.added, log.bytes = log.added + count, log.bytes + #lines + 1
  log[1], log[2], log.top_ms, log.top_seq = ms_text, seq_text, ms, seq + count - 1
  return ms_text, first_seq
end
