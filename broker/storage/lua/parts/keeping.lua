-- Around a script whose call came with an Idempotency-Key: the answer is kept in the very step that it is the answer to.
--
-- KEYS  those of the script, then the row of the answer and its sealed body
-- ARGV  those of the script, then the clock offset in ms and the seven words of an answer (parts/answer.lua)
-- Answers what the script answers, or 'answered' when the key has its answer already; then nothing was done. An answer
-- is kept when the script did what it is for: it says so by 'ok' or a number.

--@include answer

local row, sealed, words = KEYS[#KEYS - 1], KEYS[#KEYS], #ARGV - 7
local clock_now = redis.call('TIME')
local moment = clock_now[1] * 1000 + math.floor(clock_now[2] / 1000) + ARGV[words]

local function act(KEYS, ARGV)
--@script
end

if is_answered(row, moment) then return 'answered' end
local outcome = act({unpack(KEYS, 1, #KEYS - 2)}, {unpack(ARGV, 1, words - 1)})
if outcome == 'ok' or tonumber(outcome) then keep(row, sealed, words + 1, moment) end
return outcome
