"""The edge of Tidemark: HTTP and WebSocket doors, one folder an API, and the command line."""
