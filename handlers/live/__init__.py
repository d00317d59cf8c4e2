"""The live events API: broadcasts that are planned, rehearsed, live and replayed, and who may watch them."""
