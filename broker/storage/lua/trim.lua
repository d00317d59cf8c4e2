-- Removes one bounded step of what retention no longer keeps, and notes how far it went.
--
-- KEYS  1 meta, 2 stream, 3 replies, 4 trims
-- ARGV  1 clock offset in ms, 2 retention in ms, 3 retention in events, 4 most events in one step, 5 channel id,
--       6 feed topic, 7 version of the record that the retention is from, 8 and 9 ms and seq of the event after which a
--       follower has still to read ('' when none has), 10 how much longer that is kept in ms
-- Answers the number of events removed, or -1 when the record is not the present one. The channel stays due while more
-- is to be done, else it is due again when its oldest event will be, or after a while when that is kept for a follower.
-- What is kept so is at most as much again as retention keeps. The feed hears a head (parts/log.lua) without events.

local known = redis.call('HMGET', KEYS[1], 'ms', 'seq', 'version')
if known[3] ~= ARGV[7] then return -1 end
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000) + ARGV[1]
local horizon = now - ARGV[2]
local step = tonumber(ARGV[4])
local excess = redis.call('XLEN', KEYS[2]) - ARGV[3]
local read_ms, read_seq = tonumber(ARGV[8]), tonumber(ARGV[9])
local WAIT = 10000

-- Whether the i-th oldest event is kept for a follower only.
local function is_awaited(i, ms, seq)
  if not read_ms or ms < read_ms or (ms == read_ms and seq <= read_seq) then return false end
  return ms > horizon - ARGV[10] and i > excess - ARGV[3]
end

-- First what frees memory: a full engine refuses a script that begins with anything else. Of nobody, as the last member
-- would take the key with it, and on a slot that is being moved a script must not touch a key that is gone.
redis.call('ZREM', KEYS[4], '')

local removed, last, awaited = 0, nil, false
for i, entry in ipairs(redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', step)) do
  local ms, seq = string.match(entry[1], '^(%d+)-(%d+)$')
  if tonumber(ms) > horizon and i > excess then break end
  if is_awaited(i, tonumber(ms), tonumber(seq)) then awaited = true break end
  for f = 1, #entry[2], 2 do
    if entry[2][f] == 'r' then
      redis.call('ZREM', KEYS[3], entry[2][f + 1] .. '/' .. string.format('%015.0f-%011.0f', ms, seq))
    end
  end
  removed, last = i, {ms, seq}
end

if removed > 0 then
  redis.call('XTRIM', KEYS[2], 'MINID', '=', last[1] .. '-' .. string.format('%.0f', last[2] + 1))
  redis.call('HSET', KEYS[1], 'trimmed_ms', last[1], 'trimmed_seq', last[2])
  local revision = redis.call('HINCRBY', KEYS[1], 'revision', 1)
  local top, trimmed = known[1] .. '-' .. known[2], last[1] .. '-' .. last[2]
  redis.call('SPUBLISH', ARGV[6], top .. ' ' .. top .. ' ' .. trimmed .. ' ' .. revision .. ' ' .. known[3] .. '\n')
end
local oldest = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)[1]
if oldest then
  local due = removed == step and now or awaited and now + WAIT or string.match(oldest[1], '^(%d+)') + ARGV[2]
  redis.call('ZADD', KEYS[4], string.format('%.0f', due), ARGV[5])
else
  redis.call('ZREM', KEYS[4], ARGV[5])
end
return removed
