-- Reads the replies to an event, or all its descendants.
--
-- KEYS  1 meta, 2 stream, 3 replies
-- ARGV  1 stream id of the event, 2 how deep (1: direct replies only), 3 most events to answer, 4 record version
-- Answers {'ok', id, type or '', tail, id, type, tail, ...}, unordered; {'stale'} when the record is not the present
-- one. Replies to an event that was deleted or trimmed hang on that event only: it still answers them, its ancestors
-- no longer do.

if redis.call('HGET', KEYS[1], 'version') ~= ARGV[4] then return {'stale'} end
local answer, level = {'ok'}, {ARGV[1]}
local left = tonumber(ARGV[3])

local function field(fields, name)
  for i = 1, #fields, 2 do
    if fields[i] == name then return fields[i + 1] end
  end
  return ''
end

for _ = 1, ARGV[2] do
  local below = {}
  for _, parent in ipairs(level) do
    if left <= 0 then return answer end
    local members = redis.call('ZRANGEBYLEX', KEYS[3], '[' .. parent .. '/', '(' .. parent .. '0', 'LIMIT', 0, left)
    for _, member in ipairs(members) do
      local ms, seq = string.match(member, '/0*(%d+)%-0*(%d+)$')
      local id = ms .. '-' .. seq
      local entry = redis.call('XRANGE', KEYS[2], id, id)[1]
      below[#below + 1] = id
      if entry then
        answer[#answer + 1] = id
        answer[#answer + 1] = field(entry[2], 't')
        answer[#answer + 1] = field(entry[2], 'w')
        left = left - 1
      end
    end
  end
  if #below == 0 then return answer end
  level = below
end
return answer
