-- Reads a page of a log and, in the same step, what the log says of itself.
--
-- KEYS  1 meta, 2 stream
-- ARGV  1 stream id to read after, or '+' for the newest events, 2 limit, 3 most entries to scan,
--       4 most bytes of tails to answer (the event that goes over is the last one; 0: no bound),
--       5.. JSON of the types wanted (none: all)
-- Answers {} for a log that is gone, else
--       {{start ms, ms, seq, trimmed ms, trimmed seq, revision, version, count},
--        last position scanned or '', 1 when more may lie after it, number of entries scanned,
--        id, type or '', tail, id, type, tail, ...}
-- always in the order of the log.

local CHUNK = 256
local meta = redis.call('HMGET', KEYS[1], 'start', 'ms', 'seq', 'trimmed_ms', 'trimmed_seq', 'revision', 'version', 'count')
if not meta[1] then return {} end

local wanted
for i = 5, #ARGV do
  wanted = wanted or {}
  wanted[ARGV[i]] = true
end

local newest = ARGV[1] == '+'
local limit, budget, most_bytes = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
if most_bytes == 0 then most_bytes = math.huge end
local bytes = 0
local found, scanned, more, examined = {}, '', 0, 0
local from = newest and '+' or '(' .. ARGV[1]

local function field(entry, name)
  local fields = entry[2]
  for i = 1, #fields, 2 do
    if fields[i] == name then return fields[i + 1] end
  end
  return ''
end

local function next_chunk(count)
  if newest then return redis.call('XREVRANGE', KEYS[2], from, '-', 'COUNT', count) end
  return redis.call('XRANGE', KEYS[2], from, '+', 'COUNT', count)
end

local function scan()
  while budget > 0 do
    -- One more than the limit is read, to know whether it is the end.
    local count = math.min(CHUNK, budget, wanted and CHUNK or limit + 1 - #found)
    local entries = next_chunk(count)
    for _, entry in ipairs(entries) do
      local kind = field(entry, 't')
      if not wanted or wanted[kind] then
        if #found == limit or bytes >= most_bytes then more = 1 return end
        local tail = field(entry, 'w')
        bytes = bytes + #tail
        found[#found + 1] = {entry[1], kind, tail}
      end
      scanned = entry[1]
      examined = examined + 1
    end
    if #entries < count then return end
    budget = budget - #entries
    from = '(' .. scanned
  end
  more = 1
end

scan()
-- What was scanned behind the last event of a full page is not lost: the cursor is the last position looked at.
local answer = {meta, scanned, more, examined}
local first, last, step = 1, #found, 1
if newest then first, last, step = #found, 1, -1 end
for i = first, last, step do
  answer[#answer + 1] = found[i][1]
  answer[#answer + 1] = found[i][2]
  answer[#answer + 1] = found[i][3]
end
return answer
