"""Schedules a call to a receiver of its own, and tells how late it came.

    TIDEMARK_OUTBOUND__ALLOW='["127.0.0.0/8"]' ./run serve
    python3 examples/scheduled_call.py --key $(./run key --tenant acme --scope cuey)

The server calls public addresses only; the setting opens this machine to it. The first answer of the receiver is a 500,
so the call is tried again: what comes second has the id of the first in `X-Cuey-Retry-Of`. Standard library only.
"""

import argparse
import json
import queue
import threading
import time
import urllib.request
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Called = tuple[float, dict[str, str], Any]


def receive(calls: "queue.Queue[Called]") -> ThreadingHTTPServer:
    """A receiver that fails the first call and takes the others; it runs in a thread of its own."""

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Note the call, and answer it."""
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            calls.put((time.time(), dict(self.headers), body))
            self.send_response(200 if "X-Cuey-Retry-Of" in self.headers else 500)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def schedule(url: str, key: str, target: str, due: datetime) -> Any:
    """The scheduled webhook, as the server has it."""
    body = {
        "webhook_url": target,
        "scheduled_at": due.isoformat(timespec="milliseconds"),
        "payload": {"invoice": 7},
        "retry_config": {"maxRetries": 1, "backoffMs": 500, "backoffType": "linear"},
    }
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": f"invoice-7-{due.timestamp()}"}
    request = urllib.request.Request(f"{url}/api/v1/events", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)["data"]


def main() -> None:
    """Schedule, wait, tell."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--key", required=True)
    parser.add_argument("--in-s", type=float, default=2.0)
    asked = parser.parse_args()
    calls: queue.Queue[Called] = queue.Queue()
    server, due = receive(calls), datetime.now(UTC) + timedelta(seconds=asked.in_s)
    event = schedule(asked.url, asked.key, f"http://127.0.0.1:{server.server_address[1]}/invoice", due)
    print(f"{event['id']} is due at {event['scheduled_at']}", flush=True)
    for _ in range(2):
        at, headers, body = calls.get(timeout=60)
        again = f", a retry of {headers['X-Cuey-Retry-Of']}" if "X-Cuey-Retry-Of" in headers else ""
        print(f"called with {body}, {(at - due.timestamp()) * 1000:.0f} ms after that{again}", flush=True)
    server.shutdown()


if __name__ == "__main__":
    main()
