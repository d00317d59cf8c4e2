-- Lifts a partition's id floor, so that what is published from now on lies above it.
--
-- KEYS  1 floor
-- ARGV  1 the lowest ms that may still be given out

if tonumber(ARGV[1]) > tonumber(redis.call('GET', KEYS[1]) or 0) then
  redis.call('SET', KEYS[1], ARGV[1])
end
return 'ok'
