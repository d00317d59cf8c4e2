"""The only place that knows Redis: keys, connections, scripts, logs, feed, and the embedded server."""
