-- Writes a small document if nobody else did since it was read.
--
-- KEYS  1 document, 2 key that must exist too (the document itself where none must)
-- ARGV  1 version that was read (0: none), 2 JSON
-- Answers 'ok', 'conflict', or 'absent' when the key that must exist does not.

if KEYS[2] ~= KEYS[1] and redis.call('EXISTS', KEYS[2]) == 0 then return 'absent' end
if (redis.call('HGET', KEYS[1], 'version') or '0') ~= ARGV[1] then return 'conflict' end
redis.call('HSET', KEYS[1], 'document', ARGV[2])
redis.call('HINCRBY', KEYS[1], 'version', 1)
return 'ok'
