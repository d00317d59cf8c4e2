"""The event lifecycle API: events that are created, started, and finished or canceled (contract event-lifecycle.md)."""
