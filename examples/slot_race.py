"""Agents that compete for one slot of a calendar, and wait for it without polling.

    python3 examples/slot_race.py --key $(./run key --tenant acme --scope calendar)

Each agent asks for a hold. Who comes too late is told by the 409 which hold blocks, when that ends, and a cursor on the
calendar's channel: whatever happens to the slot from now on comes after that cursor. So the loser waits there for the
next change (a long poll), and asks again at once. Standard library only.
"""

import argparse
import json
import threading
import time
import urllib.error
import urllib.request
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

SLOT = {"start_time": "2030-01-01T10:00:00Z", "end_time": "2030-01-01T11:00:00Z"}
HOLD_S = 60
WAIT_S = 20


class Api:
    """Calls with one organisation's key. A POST or PUT has an Idempotency-Key, so it could be sent again."""

    def __init__(self, url: str, key: str) -> None:
        self._url = url
        self._key = key

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """The status and the JSON that a call answers."""
        request = urllib.request.Request(f"{self._url}{path}", method=method)
        request.add_header("Authorization", f"Bearer {self._key}")
        if method != "GET":
            request.add_header("Idempotency-Key", uuid.uuid4().hex)
        data = None if body is None else json.dumps(body).encode()
        try:
            with urllib.request.urlopen(request, data, timeout=WAIT_S + 10) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)


def hold(api: Api, calendar: str, agent: str) -> str:
    """The id of this agent's hold, once it has one."""
    while True:
        expires = (datetime.now(UTC) + timedelta(seconds=HOLD_S)).isoformat(timespec="milliseconds")
        body = {"title": f"Held by {agent}", "status": "hold", "hold_expires_at": expires, **SLOT}
        status, answer = api.call("POST", f"/v1/calendars/{calendar}/events", body)
        if status == 201:
            return str(answer["id"])
        if status != 409:
            raise SystemExit(f"{agent}: {answer}")
        wait_for_change(api, answer["error"])


def wait_for_change(api: Api, conflict: Any) -> None:
    """Return when something happened on the calendar after the conflict, or the blocking hold has had its time."""
    path = f"/api/v1/channels/{conflict['channel']}/events?cursor={conflict['cursor']}&wait={WAIT_S}"
    api.call("GET", path)


def take_turn(api: Api, calendar: str, agent: str, work_s: float, say: Any) -> None:
    """Get the slot, use it, and let the next one have it."""
    event = hold(api, calendar, agent)
    say(f"{agent} has the slot")
    time.sleep(work_s)
    say(f"{agent} lets go")
    api.call("PUT", f"/v1/events/{event}/release")


def main() -> None:
    """Make a calendar, and let the agents at it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--key", required=True)
    parser.add_argument("--agents", type=int, default=3)
    parser.add_argument("--work-s", type=float, default=0.5, help="how long each one keeps the slot")
    asked = parser.parse_args()
    api, lock = Api(asked.url, asked.key), threading.Lock()
    status, made = api.call("POST", "/v1/calendars", {"name": "One room", "timezone": "UTC"})
    if status != 201:
        raise SystemExit(str(made))

    def say(text: str) -> None:
        with lock:
            print(text, flush=True)

    names = [f"agent-{number}" for number in range(1, asked.agents + 1)]
    turns = [threading.Thread(target=take_turn, args=(api, made["id"], name, asked.work_s, say)) for name in names]
    for turn in turns:
        turn.start()
    for turn in turns:
        turn.join()


if __name__ == "__main__":
    main()
