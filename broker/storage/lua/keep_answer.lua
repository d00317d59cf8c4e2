-- Does nothing; for calls that only keep an answer (parts/keeping.lua).

return 'ok'
