"""A live event from an encoder to its replay, as a viewer sees it: every state as it comes, with its time.

    TIDEMARK_LIVE__INGEST_SECRET=a-secret ./run serve
    python3 examples/live_event.py --secret a-secret --key $(./run key --tenant acme --scope live)

ffmpeg streams a test picture to nginx, which runs `deploy/nginx-rtmp.conf` with secret, ports and paths of this run.
The viewer has no key: it asks for the watch state once, and follows the public channel from the cursor that came with
it. Needs ffmpeg and nginx with its RTMP module (Debian: nginx libnginx-mod-rtmp ffmpeg), else standard library only.
"""

import argparse
import json
import os
import shutil
import subprocess
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SHIPPED = Path(__file__).parents[1] / "deploy/nginx-rtmp.conf"
MODULE = Path("/usr/lib/nginx/modules/ngx_rtmp_module.so")
WAIT_S = 5
PATIENCE_S = 90
MAIN = """\
daemon off;
{user}
worker_processes 1;
load_module {module};
pid {directory}/nginx.pid;
error_log {directory}/error.log info;
events {{ worker_connections 256; }}
include {directory}/rtmp.conf;
"""


def nginx_path() -> str | None:
    """Where nginx is, None where it or its RTMP module is not installed."""
    found = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    return found if MODULE.exists() else None


@contextmanager
def running(words: list[str]) -> Iterator["subprocess.Popen[bytes]"]:
    """A program that ends with the block."""
    process = subprocess.Popen(words, stdin=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def media_server(directory: Path, server: str, secret: str, rtmp_port: int) -> Iterator["subprocess.Popen[bytes]"]:
    """nginx with the shipped file, for the Tidemark at `server` (host:port). Recordings and HLS are in `media`."""
    nginx, media = nginx_path(), directory / "media"
    if nginx is None:
        raise SystemExit("no nginx with RTMP: apt-get install nginx libnginx-mod-rtmp")
    for name in ("recordings", "hls/live"):
        (media / name).mkdir(parents=True)
    text = SHIPPED.read_text().replace("127.0.0.1:1935", f"127.0.0.1:{rtmp_port}").replace("SECRET", secret)
    text = text.replace("127.0.0.1:8000", server).replace("/var/lib/tidemark", str(media))
    (directory / "rtmp.conf").write_text(text)
    user = "user root;" if os.getuid() == 0 else ""
    (directory / "nginx.conf").write_text(MAIN.format(user=user, module=MODULE, directory=directory))
    own = ["-e", str(directory / "error.log"), "-p", str(directory), "-c", str(directory / "nginx.conf")]
    with running([nginx, *own]) as process:
        yield process


@contextmanager
def encoder(rtmp_port: int, stream_key: str) -> Iterator["subprocess.Popen[bytes]"]:
    """ffmpeg with a test picture and a tone, at the speed of life."""
    ffmpeg = shutil.which("ffmpeg")
    if ffmpeg is None:
        raise SystemExit("no ffmpeg: apt-get install ffmpeg")
    words = [ffmpeg, "-nostdin", "-loglevel", "fatal", "-re"]
    words += ["-f", "lavfi", "-i", "testsrc=size=160x120:rate=10", "-f", "lavfi", "-i", "sine=frequency=440"]
    words += ["-c:v", "libx264", "-preset", "ultrafast", "-g", "10", "-c:a", "aac", "-t", "300", "-f", "flv"]
    with running([*words, f"rtmp://127.0.0.1:{rtmp_port}/live/{stream_key}"]) as process:
        yield process


def ask(method: str, url: str, body: Any = None, key: str | None = None) -> tuple[Any, Any]:
    """The headers and the JSON of an answer."""
    request = urllib.request.Request(url, None if body is None else json.dumps(body).encode(), method=method)
    if key is not None:
        request.add_header("Authorization", f"Bearer {key}")
        request.add_header("Idempotency-Key", uuid.uuid4().hex)
    with urllib.request.urlopen(request, timeout=WAIT_S + 20) as answer:
        return answer.headers, json.load(answer)


def watched(server: str, slug: str) -> Iterator[tuple[str, str]]:
    """What a viewer sees: each new watch state and when it came to be."""
    headers, seen = ask("GET", f"{server}/v1/live-events/watch/{slug}")
    channel, cursor, state = headers["Tidemark-Channel"], headers["Tidemark-Cursor"], seen["watch_state"]
    yield time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), state
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        _, page = ask("GET", f"{server}/api/v1/channels/{channel}/events?cursor={cursor}&wait={WAIT_S}")
        cursor = page["cursor"]
        for told in (event["data"] for event in page["events"]):
            if told["watch_state"] != state:
                state, until = told["watch_state"], time.monotonic() + PATIENCE_S
                yield told["occurred_at"], state
    raise SystemExit(f"still {state} after {PATIENCE_S} s")


def show(server: str, key: str, rtmp_port: int, live_s: float) -> str:
    """Create the event, stream it, stop it, and print what a viewer sees until the replay; the event's path."""
    live = f"{server}/v1/live-events"
    _, event = ask("POST", f"{live}/events", {"name": "Town hall", "auto_start_on_ingest": True}, key)
    path, states = f"{live}/events/{event['event_id']}", watched(server, event["slug"])
    print(*next(states), f"{server}/watch/{event['slug']}", flush=True)
    with encoder(rtmp_port, event["stream_key"]):
        for at, state in states:
            print(at, state, flush=True)
            if state == "live":
                time.sleep(live_s)
                ask("POST", f"{path}/live/stop", key=key)
            if state == "replay_available":
                return path
    raise AssertionError("unreachable: states end with SystemExit")


def main() -> None:
    """Run the media server, and show the event."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--key", required=True)
    parser.add_argument("--secret", required=True, help="that of [live] ingest_secret")
    parser.add_argument("--rtmp-port", type=int, default=1935)
    parser.add_argument("--live-s", type=float, default=4.0, help="how long the event is live")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        directory, server = Path(name), asked.url.partition("://")[2]
        with media_server(directory, server, asked.secret, asked.rtmp_port):
            path = show(asked.url, asked.key, asked.rtmp_port, asked.live_s)
        for recording in ask("GET", f"{path}/recordings", key=asked.key)[1]["recordings"]:
            print(f"recording {recording['status']}", flush=True)
        for file in (directory / "media/recordings").iterdir():
            print(f"{file.name}: {file.stat().st_size} bytes", flush=True)


if __name__ == "__main__":
    main()
