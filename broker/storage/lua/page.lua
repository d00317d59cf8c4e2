-- Reads a page of a log and, in the same step, what the log says of itself.
--
-- KEYS  1 meta, 2 stream
-- ARGV  1 stream id to read after, '+' for the newest events, or '-' and an id for the newest before it, 2 limit,
--       3 most entries to scan, 4 bytes of tails after which the scan ends (with the entry that reaches them),
--       5.. JSON of the types wanted (none: all)
-- Answers {} for a log that is gone, else
--       {what it says of itself (parts/meta.lua),
--        last position scanned or '', 1 when more may lie beyond it, number of entries scanned,
--        id, type or '', tail, id, type, tail, ...}
-- always in the order of the log.

--@include meta

local CHUNK = 64
local meta = meta_of(KEYS[1])
if not meta[1] then return {} end

local wanted
for i = 5, #ARGV do
  wanted = wanted or {}
  wanted[ARGV[i]] = true
end

local newest = ARGV[1] == '+' or string.sub(ARGV[1], 1, 1) == '-'
local limit, budget, most_bytes = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local found, scanned, more, examined, bytes = {}, '', 0, 0, 0
local from = ARGV[1] == '+' and '+' or '(' .. string.gsub(ARGV[1], '^%-', '')

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
    local count = math.min(CHUNK, budget)
    -- Without a filter the limit is enough, and one more to know whether it is the end.
    if not wanted then count = math.min(count, limit + 1 - #found) end
    local entries = next_chunk(count)
    for _, entry in ipairs(entries) do
      local kind, tail = field(entry, 't'), field(entry, 'w')
      local fits = not wanted or wanted[kind]
      if (fits and #found == limit) or bytes >= most_bytes then more = 1 return end
      if fits then found[#found + 1] = {entry[1], kind, tail} end
      scanned = entry[1]
      examined = examined + 1
      bytes = bytes + #tail
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
