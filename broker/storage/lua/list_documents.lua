-- Reads a page of documents by an index, how many there are in all, and the tail of a log, all of one moment.
--
-- KEYS  1 index, 2 meta of the log (the index again for none)
-- ARGV  1 clock offset in ms, 2 prefix of the documents' keys, 3 lowest and 4 highest score (as ZRANGEBYSCORE has
--       them), 5 how many to pass over, 6 how many at most, 7 '1' for the highest score first, 8 how many bytes their
--       bodies may have together
-- Answers {seconds, microseconds, total, {ms, seq, record version} or {}, then for each: member, version, body}
-- or 'large' where the bodies have more bytes than that.
-- A document that has ended and is not yet removed is passed over, and counted until it is.

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000) + ARGV[1]
local low, high, skip, most = ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local members
if ARGV[7] == '1' then
  members = redis.call('ZREVRANGEBYSCORE', KEYS[1], high, low, 'LIMIT', skip, most)
else
  members = redis.call('ZRANGEBYSCORE', KEYS[1], low, high, 'LIMIT', skip, most)
end
local tail = KEYS[2] ~= KEYS[1] and redis.call('HMGET', KEYS[2], 'ms', 'seq', 'version') or {false}
local answer = {clock[1], clock[2], redis.call('ZCOUNT', KEYS[1], low, high), tail[1] and tail or {}}
local bytes, most_bytes = 0, tonumber(ARGV[8])
for _, member in ipairs(members) do
  local found = redis.call('HMGET', ARGV[2] .. member, 'version', 'body', 'until')
  if found[1] and not (found[3] and tonumber(found[3]) <= now) then
    answer[#answer + 1] = member
    answer[#answer + 1] = found[1]
    answer[#answer + 1] = found[2]
    bytes = bytes + #found[2]
    if bytes > most_bytes then return 'large' end
  end
end
return answer
