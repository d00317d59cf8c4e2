"""The channels API (contract `channels.md`): publish, read, subscribe, and manage channels."""
