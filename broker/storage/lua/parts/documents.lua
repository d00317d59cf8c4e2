-- Part of the scripts that write documents: their indexes follow them.
--
-- A document is a hash: `version`, `body`, `until` (when it ends, in ms; absent for one that does not) and `entries`,
-- the lines 'index name\nmember\nscore\n' of the indexes that it stands in. Keys of indexes begin with `prefix`.

-- The entries of these lines that are not in `kept`, taken out of their indexes.
local function unlist(prefix, lines, kept)
  for name, member in string.gmatch(lines, '([^\n]*)\n([^\n]*)\n[^\n]*\n') do
    if not (kept and kept[name .. '\n' .. member]) then
      redis.call('ZREM', prefix .. name, member)
    end
  end
end

local function list(prefix, lines)
  local kept = {}
  for name, member, score in string.gmatch(lines, '([^\n]*)\n([^\n]*)\n([^\n]*)\n') do
    kept[name .. '\n' .. member] = true
    redis.call('ZADD', prefix .. name, score, member)
  end
  return kept
end

local function remove(prefix, expiries, document)
  local lines = redis.call('HGET', document, 'entries')
  redis.call('UNLINK', document)
  redis.call('ZREM', expiries, document)
  if lines then unlist(prefix, lines) end
end
