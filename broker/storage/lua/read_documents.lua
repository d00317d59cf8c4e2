-- Reads documents, the tails of logs, and perhaps the answer to an Idempotency-Key, all of one moment.
--
-- KEYS  1 answer, 2 sealed body, then the documents, then the metas of the logs
-- ARGV  1 clock offset in ms, 2 '1' to read the answer, 3 number of documents
-- Answers {seconds, microseconds,
--          {digest, status, log, last, '1' when the body is sealed or ended, body} or {} without a kept answer,
--          for each document {version, body, the lines of its entries}, {'0', '', ''} where there is none,
--          for each log {ms, seq, record version}, {} where it is gone}

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000) + ARGV[1]
local documents = tonumber(ARGV[3])

local function read_answer()
  if ARGV[2] ~= '1' then return {} end
  local row = redis.call('HMGET', KEYS[1], 'digest', 'status', 'log', 'last', 'until', 'sealed_until', 'body')
  if not row[1] or (row[5] and tonumber(row[5]) <= now) then return {} end
  -- A publish keeps its ids here and no answer: it came with another body than this.
  if not row[2] then return {row[1], '0', '', '', '0', ''} end
  local body, is_sealed = row[7], '0'
  if row[6] then
    is_sealed = '1'
    body = tonumber(row[6]) > now and redis.call('GET', KEYS[2]) or ''
  end
  return {row[1], row[2], row[3], row[4], is_sealed, body}
end

local answer = {clock[1], clock[2], read_answer()}
for i = 3, 2 + documents do
  local found = redis.call('HMGET', KEYS[i], 'version', 'body', 'until', 'entries')
  if not found[1] or (found[3] and tonumber(found[3]) <= now) then
    answer[#answer + 1] = {'0', '', ''}
  else
    answer[#answer + 1] = {found[1], found[2], found[4] or ''}
  end
end
for i = 3 + documents, #KEYS do
  local meta = redis.call('HMGET', KEYS[i], 'ms', 'seq', 'version')
  answer[#answer + 1] = meta[1] and meta or {}
end
return answer
