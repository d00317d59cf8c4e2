"""`/api/v1/ws`: many channels on one WebSocket (contract sections 9 and 16, docs/multiplex.md)."""
