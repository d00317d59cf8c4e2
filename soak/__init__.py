"""The soak: publishers and readers under faults, and a checker of everything that happened. See `docs/soak.md`."""
