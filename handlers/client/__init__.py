"""Clients of the public API, as anybody could write them: what `publish`, `tail` and `channels` are made of.

They know what the contract (`channels.md`) tells every client and nothing of the broker but how ids and spans of time
are spelled; an import contract holds them to that.
"""
