-- One GCRA limit: takes `cost` from it, or says how long to wait. A refused call costs nothing.
--
-- KEYS  1 the limit's state: the theoretical arrival time in us
-- ARGV  1 clock offset in ms, 2 us between two at the rate, 3 us by which a burst may run ahead, 4 cost, 5 '1' to look only
-- Answers 0 when there was room, else the us to wait until there is. A cost above the burst passes when nothing else
-- was taken, so that a large batch is not refused for ever. A cost below 0 gives back what was taken.

local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2] + ARGV[1] * 1000
local due = math.max(now, tonumber(redis.call('GET', KEYS[1]) or 0))
local next_due = due + ARGV[2] * ARGV[4]
local wait = math.min(next_due - now - ARGV[3], due - now)
if wait > 0 then return math.ceil(wait) end
if ARGV[5] == '1' then return 0 end
if next_due <= now then redis.call('DEL', KEYS[1]) return 0 end
redis.call('SET', KEYS[1], string.format('%.0f', next_due), 'PX', math.ceil((next_due - now) / 1000) + 1)
return 0
