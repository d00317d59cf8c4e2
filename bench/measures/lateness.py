"""Scheduled webhooks: how late after `scheduled_at` their receiver hears of them (issue 6: aims 3 and 30 ms).

Times are spread evenly over the run, to the millisecond. The receiver notes when the first byte of a call arrives, by
the clock that the engine has too; one that comes early makes the run void.
"""

import http.client
import random
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson

from bench.measures.measure import Measure, Variant
from bench.requests import bearer
from bench.rounds import Sample
from bench.stage import Stage
from bench.targets.tidemark import Tidemark, tidemark

CALLS_PER_S = 100
LEAD_S = 1.0
PATIENCE_S = 30.0
ANSWER = b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"


@dataclass(slots=True)
class Arrivals:
    """How late each call came, in ms."""

    late_ms: list[float] = field(default_factory=list)

    def note(self, scheduled_at: str) -> None:
        """One has arrived."""
        now_ms = time.time_ns() / 1e6
        self.late_ms.append(now_ms - datetime.fromisoformat(scheduled_at).timestamp() * 1000)

    def until(self, count: int) -> bool:
        """Wait until so many have; False when they do not come."""
        end = time.monotonic() + PATIENCE_S
        while len(self.late_ms) < count and time.monotonic() < end:
            time.sleep(0.05)
        return len(self.late_ms) == count


def _lateness(stage: Stage) -> Mapping[str, Variant]:
    return {"tidemark": partial(_ours, stage)}


def _ours(stage: Stage) -> Sample:
    count = max(20, round(2 * stage.scale.seconds * CALLS_PER_S))
    arrivals = Arrivals()
    with tidemark(stage) as server, receiver(arrivals) as url:
        key = _ask(server, "/admin/keys", server.token, {"tenant": "bench", "scopes": ["cuey"]})["key"]
        # Made before the first is due, at the rate of a few hundred a second.
        first_s = time.time() + LEAD_S + count / 200
        for _ in range(count):
            at = datetime.fromtimestamp(first_s + random.random() * count / CALLS_PER_S, UTC)
            due = at.isoformat(timespec="milliseconds")
            _ask(server, "/api/v1/events", key, {"webhook_url": url, "scheduled_at": due, "payload": {"n": 1}})
        if not arrivals.until(count):
            return Sample(void=f"{len(arrivals.late_ms)} of {count} calls came")
    late = sorted(arrivals.late_ms)
    if late[0] < 0:
        return Sample(void=f"a call was {-late[0]:.1f} ms early")
    return Sample({"p50_ms": late[count // 2], "p99_ms": late[count * 99 // 100], "calls_per_s": CALLS_PER_S})


def _ask(server: Tidemark, path: str, token: str, body: Any) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("POST", path, orjson.dumps(body), bearer(token))
    answer = connection.getresponse()
    found = orjson.loads(answer.read())
    connection.close()
    if answer.status != 201:
        raise OSError(f"{path} was answered {answer.status}: {found}")
    return found


@contextmanager
def receiver(arrivals: Arrivals) -> Iterator[str]:
    """A receiver that takes everything, for as long as the block runs; its URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            arrivals.note(self.headers["X-Cuey-Scheduled-At"])
            self.rfile.read(int(self.headers["Content-Length"]))
            self.wfile.write(ANSWER)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/"
        finally:
            server.shutdown()


LATENESS = Measure("lateness", f"scheduled webhooks, {CALLS_PER_S} a second", _lateness)
