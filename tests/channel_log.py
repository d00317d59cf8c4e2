"""A whole channel, read page after page as a client reads it."""

from typing import Any

import httpx2

PAGE = 100


async def whole_log(http: httpx2.AsyncClient, channel_id: str, key: str | None) -> list[dict[str, Any]]:
    """The events on a channel so far, read with a key or without one; none where there is no such channel yet."""
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    found, cursor = list[dict[str, Any]](), "0" * 26
    while True:
        path = f"/api/v1/channels/{channel_id}/events?limit={PAGE}&cursor={cursor}"
        answer = await http.get(path, headers=headers)
        if answer.status_code == 404:
            return found
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += page["events"]
        cursor = page["cursor"]
        if not page["has_more"]:
            return found
