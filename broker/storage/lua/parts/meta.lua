-- Part of the scripts that read what a log says of itself: {start ms, ms, seq, trimmed ms, trimmed seq, revision,
-- version, count, largest}, all false where it is gone.
local function meta_of(key)
  return redis.call('HMGET', key, 'start', 'ms', 'seq', 'trimmed_ms', 'trimmed_seq', 'revision', 'version', 'count',
    'largest')
end
