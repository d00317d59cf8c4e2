-- Part of the scripts that add events to logs: ids that only rise, entries, counts, and what the feed is told.
-- Such a script has KEYS 1 floor, 2 trims, and ARGV 1 the clock offset in ms.
--
-- A feed message is a head, 'previous last trimmed revision version\n' (three stream ids, two numbers), then for each
-- event 'id type\n' and 'tail\n'. Events of one log share messages of up to 64 KB. One that is longer alone sends the
-- head only, and readers fetch its events from the log.

local FEED_BYTES = 65536
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000) + ARGV[1]
local floor = tonumber(redis.call('GET', KEYS[1]) or 0)
local feeds, topics = {}, {}

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

local function send(topic, feed)
  local head = feed.previous .. ' ' .. feed.last .. ' ' .. feed.state .. '\n'
  redis.call('SPUBLISH', topic, head .. table.concat(feed.lines))
end

local function tell(topic, previous, last, state, lines, bytes)
  local feed = feeds[topic]
  if not feed then topics[#topics + 1] = topic end
  if feed and feed.bytes + bytes > FEED_BYTES then
    send(topic, feed)
    feed = nil
  end
  feed = feed or {previous = previous, lines = {}, bytes = 0}
  feeds[topic] = feed
  feed.last, feed.state, feed.bytes = last, state, feed.bytes + bytes
  if bytes > FEED_BYTES then return end
  for _, line in ipairs(lines) do feed.lines[#feed.lines + 1] = line end
end

local function tell_all()
  for _, topic in ipairs(topics) do
    send(topic, feeds[topic])
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

-- What a log says of itself, for `add`; {false, ...} when it is gone.
local function look(meta)
  return redis.call('HMGET', meta, 'ms', 'seq', 'trimmed_ms', 'trimmed_seq', 'revision', 'version', 'followed')
end

-- Adds the `count` events that stand in ARGV from `first` on, four words each: JSON of the type or '', publisher or
-- '', stream id replied to or '', JSON tail. `known` is what `look` found. Answers ms and seq of the first.
local function add(meta, stream, replies, channel, topic, known, keep_ms, keep_events, first, count)
  local top_ms, top_seq = tonumber(known[1]), tonumber(known[2])
  local ms = math.max(now, floor, top_ms)
  local seq = ms == top_ms and top_seq + 1 or 0
  local ms_text, first_seq, last, lines, bytes = whole(ms), whole(seq), nil, {}, 0
  for i = 0, count - 1 do
    local at = first + 4 * i
    last = ms_text .. '-' .. whole(seq + i)
    store(stream, replies, last, ms, seq + i, at)
    local line = last .. ' ' .. ARGV[at] .. '\n' .. ARGV[at + 3] .. '\n'
    lines[#lines + 1] = line
    bytes = bytes + #line
  end
  if count > 0 then
    redis.call('HSET', meta, 'ms', ms_text, 'seq', whole(seq + count - 1))
    redis.call('HINCRBY', meta, 'count', count)
    local length = redis.call('XLEN', stream)
    if length > tonumber(keep_events) then
      redis.call('ZADD', KEYS[2], whole(now), channel)
    elseif length == count then
      redis.call('ZADD', KEYS[2], whole(ms + keep_ms), channel)
    end
    local state = known[3] .. '-' .. known[4] .. ' ' .. known[5] .. ' ' .. known[6]
    if known[7] then mark(known[7]) end
    tell(topic, known[1] .. '-' .. known[2], last, state, lines, bytes)
  end
  return ms_text, first_seq
end
