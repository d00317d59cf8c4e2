-- Deletes one event for its publisher or an admin, and tells the readers by a new revision.
--
-- KEYS  1 meta, 2 stream, 3 replies
-- ARGV  1 stream id, 2 publisher who asks or '', 3 '1' for an admin, 4 feed topic, 5 record version
-- Answers 'ok', 'absent', 'foreign' when it is somebody else's, or 'stale' when the record is not the present one.
-- The feed hears a head (parts/log.lua) without events.

local known = redis.call('HMGET', KEYS[1], 'version', 'ms', 'seq', 'trimmed_ms', 'trimmed_seq')
if known[1] ~= ARGV[5] then return 'stale' end
local entry = redis.call('XRANGE', KEYS[2], ARGV[1], ARGV[1])[1]
if not entry then return 'absent' end
local fields = {}
for i = 1, #entry[2], 2 do fields[entry[2][i]] = entry[2][i + 1] end
if ARGV[3] ~= '1' and (ARGV[2] == '' or fields.p ~= ARGV[2]) then return 'foreign' end

redis.call('XDEL', KEYS[2], ARGV[1])
if fields.r then
  local ms, seq = string.match(ARGV[1], '^(%d+)-(%d+)$')
  redis.call('ZREM', KEYS[3], fields.r .. '/' .. string.format('%015.0f-%011.0f', ms, seq))
end
local revision = redis.call('HINCRBY', KEYS[1], 'revision', 1)
local top, trimmed = known[2] .. '-' .. known[3], known[4] .. '-' .. known[5]
redis.call('SPUBLISH', ARGV[4], top .. ' ' .. top .. ' ' .. trimmed .. ' ' .. revision .. ' ' .. known[1] .. '\n')
return 'ok'
