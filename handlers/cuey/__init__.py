"""cuey: webhooks that are called at a time, once or by a cron, with retries (seed 001)."""
