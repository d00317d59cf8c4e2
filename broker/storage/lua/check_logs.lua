-- Says which logs of one partition are no longer as they are known.
--
-- KEYS  their metas
-- ARGV  for each, how it is known: 'ms-seq revision', or '' to be told in any case
-- Answers for each: 1 as known, 0 gone, or what it says of itself (parts/meta.lua).
--
-- One answer for all: as a pipeline of reads it takes a process 1.8 times the CPU (bench/results.md).

--@include meta

local answer = {}
for i, key in ipairs(KEYS) do
  local meta = meta_of(key)
  if not meta[1] then
    answer[i] = 0
  elseif meta[2] .. '-' .. meta[3] .. ' ' .. meta[6] == ARGV[i] then
    answer[i] = 1
  else
    answer[i] = meta
  end
end
return answer
