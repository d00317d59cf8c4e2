"""Reports of the load client as the tests need them."""

from copy import deepcopy
from typing import Any

SERVER, ENGINE = 10, 20

GOOD: dict[str, Any] = {
    "subscribers": 2, "subscribed": 2, "expected": 8, "delivered": 8, "gaps": 0, "duplicates": 0, "stray": 0,
    "refused": 0, "closed": 0, "errors": 0, "requests_sent": 4, "trouble": "", "subscribe_seconds": 0.1,
    "caught_up_seconds": 0.5, "caught_up_ns": [[400_000_000, 1], [500_000_000, 1]],
    "subscribe_cpu_us": {"10": [60, 40], "20": [0, 0]},
    "caught_up_cpu_us": {"10": [150_000, 50_000], "20": [0, 0]},
    "caught_up_cores_us": [[250_000, 0], [100_000, 0]],
    "caught_up_client_us": 50_000,
    "rss_start": {"10": 1_000, "20": 0}, "rss_idle": {"10": 5_000, "20": 0},
    "window": {
        "seconds": 1.0, "settle_seconds": 1.0, "settled": True, "client_us": 300_000,
        "deliveries": 6, "all_deliveries": 8, "reads": 4, "requests": 3, "answers": 3, "all_answers": 4,
        "answer_bytes": 100, "unsent": 0,
        "cpu_us": {"10": [100_000, 300_000], "20": [100_000, 100_000]},
        "cores_us": [[700_000, 100_000], [500_000, 0]],
        "delivery_ns": [[1_000_000, 4], [2_000_000, 4]], "answer_ns": [[3_000_000, 4]],
    },
}  # fmt: skip


def report_with(window: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """A good report with some members changed."""
    found = deepcopy(GOOD)
    found.update(changes)
    found["window"].update(window or {})
    return found
