-- Writes a small document if nobody else did since it was read.
--
-- KEYS  1 document
-- ARGV  1 version that was read (0: none), 2 JSON
-- Answers 'ok' or 'conflict'.

if (redis.call('HGET', KEYS[1], 'version') or '0') ~= ARGV[1] then return 'conflict' end
redis.call('HSET', KEYS[1], 'document', ARGV[2])
redis.call('HINCRBY', KEYS[1], 'version', 1)
return 'ok'
