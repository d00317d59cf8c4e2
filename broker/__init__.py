"""The engine of Tidemark: logs, cursors, commits. No HTTP framework and no domain lives here."""
