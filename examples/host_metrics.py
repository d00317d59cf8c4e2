"""Publishes this machine's load, memory and network counters to a public Tidemark channel, once a second.

    python3 examples/host_metrics.py --token $(./run token --scope admin)

Standard library only, so that it shows all that publishing takes: one POST of JSON with a token. The Idempotency-Key
makes a retry safe: whatever breaks, the same request is sent again, and the event is stored once.
"""

import argparse
import http.client
import itertools
import json
import os
import random
import signal
import sys
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path
from typing import Any

PASSING = (429, 500, 502, 503, 504)


def load() -> dict[str, float]:
    """How many processes want to run: over the last minute, 5 and 15 minutes."""
    one, five, fifteen = os.getloadavg()
    return {"1m": round(one, 2), "5m": round(five, 2), "15m": round(fifteen, 2)}


def memory() -> dict[str, int]:
    """Bytes of memory, from lines such as `MemTotal:  24683572 kB`."""
    lines = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    kib = {name: int(value.split()[0]) for name, value in lines.items()}
    return {"total_bytes": kib["MemTotal"] * 1024, "available_bytes": kib["MemAvailable"] * 1024}


def network() -> dict[str, dict[str, int]]:
    """Bytes received and sent since the start, by interface: fields 0 and 8 behind the interface's name."""
    lines = Path("/proc/net/dev").read_text().splitlines()[2:]
    fields = {line.partition(":")[0].strip(): line.partition(":")[2].split() for line in lines}
    return {name: {"received_bytes": int(field[0]), "sent_bytes": int(field[8])} for name, field in fields.items()}


def post(url: str, token: str, body: Any) -> Any:
    """POST the JSON and answer the JSON; the same request is sent again until the server says yes or no."""
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/json",
        "Idempotency-Key": str(uuid.uuid4()),
    }
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    pause_s = 0.1
    while True:
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            if error.code not in PASSING:
                raise
            reason = f"status {error.code}"
        except (OSError, http.client.HTTPException) as error:
            reason = str(getattr(error, "reason", error))
        pause_s = min(2 * pause_s, 5)
        print(f"{url}: {reason}; trying again", file=sys.stderr)
        time.sleep(pause_s * random.uniform(0.5, 1))


def create_channel(server: str, token: str, channel: str) -> None:
    """Create the public channel. It is there already (409), or the token is no admin's (403): then it has to be."""
    try:
        post(f"{server}/api/v1/channels", token, {"id": channel, "name": "Host metrics", "is_public": True})
    except urllib.error.HTTPError as error:
        if error.code not in (403, 409):
            raise


def main() -> None:
    """Publish until Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--token", default=os.environ.get("TIDEMARK_TOKEN"), help="a channel token [$TIDEMARK_TOKEN]")
    parser.add_argument("--url", default="http://127.0.0.1:8000", help="the server [%(default)s]")
    parser.add_argument("--channel", default="host-metrics", help="the channel [%(default)s]")
    parser.add_argument("--every", type=float, default=1.0, metavar="SECONDS", help="the interval [%(default)s]")
    parser.add_argument("--count", type=int, default=None, help="stop after so many events")
    options = parser.parse_args()
    if not options.token:
        parser.error("a token is needed: --token $(./run token --scope admin)")
    if not Path("/proc/meminfo").exists():
        sys.exit("This example reads memory and network from /proc, which only Linux has.")
    create_channel(options.url, options.token, options.channel)
    due = time.monotonic()
    for _ in range(options.count) if options.count else itertools.count():
        data = {"load": load(), "memory": memory(), "network": network()}
        url = f"{options.url}/api/v1/channels/{options.channel}/events"
        event = post(url, options.token, {"type": "host.metrics", "data": data})
        print(event["created_at"], event["id"], json.dumps(data["load"]), flush=True)
        due = max(due + options.every, time.monotonic())
        time.sleep(max(0, due - time.monotonic()))


if __name__ == "__main__":
    signal.signal(signal.SIGINT, lambda *_: sys.exit(130))
    try:
        main()
    except urllib.error.HTTPError as error:
        sys.exit(f"The server refused ({error.code}): {error.read().decode(errors='replace')}")
