"""A live event from a real encoder through a real media server to its replay: ffmpeg, nginx-rtmp, `./run serve`.

nginx runs the shipped file, `deploy/nginx-rtmp.conf`.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from bench.processes import free_port
from broker.deathsignal import die_with
from tests.serve_process import ServeProcess, serving

SHIPPED = Path(__file__).parents[2] / "deploy/nginx-rtmp.conf"
MODULE = Path("/usr/lib/nginx/modules/ngx_rtmp_module.so")
SECRET = "a-secret-of-the-media-server"
LIVE = "/v1/live-events"
PATIENCE_S = 60.0
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


class Team:
    """A tenant's program on a server, and what its media server has on disk."""

    def __init__(self, server: ServeProcess, directory: Path, rtmp_port: int) -> None:
        self.server = server
        self.directory = directory
        self.rtmp_port = rtmp_port
        key = self.ask("POST", "/admin/keys", {"tenant": "acme", "scopes": ["live"]}, server.bearer("admin"))["key"]
        self.headers = {"Authorization": f"Bearer {key}"}

    def ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        """The JSON that a call answers, which must be a success."""
        with self.server.client() as client:
            own = self.headers if headers is None else headers
            answer = client.request(method, f"{self.server.url}{path}", json=body, headers=own)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def sees(self, slug: str) -> Any:
        """What anybody sees."""
        return self.ask("GET", f"{LIVE}/watch/{slug}", headers={})

    def told(self) -> list[str]:
        """The types of what the tenant's channel told."""
        page = self.ask("GET", "/api/v1/channels/live-team-acme/events?limit=100")
        return [each["type"].removeprefix("live.") for each in page["events"]]

    def files(self) -> list[str]:
        """Everything that the media server wrote."""
        return [path.name for path in self.directory.rglob("*") if path.is_file() and path.suffix in (".flv", ".m3u8")]

    @contextmanager
    def encoder(self, stream_key: str) -> Iterator["subprocess.Popen[bytes]"]:
        """ffmpeg with a test picture and a tone, at the speed of life."""
        ffmpeg = shutil.which("ffmpeg")
        assert ffmpeg is not None
        words = [ffmpeg, "-nostdin", "-loglevel", "error", "-re"]
        words += ["-f", "lavfi", "-i", "testsrc=size=160x120:rate=10", "-f", "lavfi", "-i", "sine=frequency=440"]
        words += ["-c:v", "libx264", "-preset", "ultrafast", "-g", "10", "-c:a", "aac", "-t", "300", "-f", "flv"]
        process = subprocess.Popen([*words, f"rtmp://127.0.0.1:{self.rtmp_port}/live/{stream_key}"])
        try:
            yield process
        finally:
            process.kill()
            process.wait(20)


@pytest.fixture
def team(tmp_path: Path) -> Iterator[Team]:
    nginx = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if nginx is None or not MODULE.exists() or shutil.which("ffmpeg") is None:
        pytest.skip("no nginx with RTMP or no ffmpeg: apt-get install nginx libnginx-mod-rtmp ffmpeg")
    rtmp_port, media = free_port(), tmp_path / "media"
    with serving(tmp_path / "data", {"TIDEMARK_LIVE__INGEST_SECRET": SECRET}) as server:
        for name in ("recordings", "hls/live"):
            (media / name).mkdir(parents=True)
        text = SHIPPED.read_text().replace("127.0.0.1:1935", f"127.0.0.1:{rtmp_port}").replace("SECRET", SECRET)
        text = text.replace("127.0.0.1:8000", f"127.0.0.1:{server.port}").replace("/var/lib/tidemark", str(media))
        (tmp_path / "rtmp.conf").write_text(text)
        user = "user root;" if os.getuid() == 0 else ""
        main = tmp_path / "nginx.conf"
        main.write_text(MAIN.format(user=user, module=MODULE, directory=tmp_path))
        words = [nginx, "-e", str(tmp_path / "error.log"), "-p", str(tmp_path), "-c", str(main)]
        child = subprocess.Popen(words, stdin=subprocess.DEVNULL, preexec_fn=die_with(os.getpid()))
        try:
            yield Team(server, media, rtmp_port)
        finally:
            child.terminate()
            child.wait(20)


def until(holds: Callable[[], bool], what: str) -> None:
    end_s = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end_s, f"{what} did not come"
        time.sleep(0.1)


@pytest.mark.timeout(300)
def test_an_event_goes_from_the_encoder_to_its_replay(team: Team) -> None:
    body = {"name": "Town hall", "auto_start_on_ingest": True}
    event = team.ask("POST", f"{LIVE}/events", body)
    path, slug = f"{LIVE}/events/{event['event_id']}", event["slug"]
    assert team.sees(slug)["watch_state"] == "not_started"
    with team.encoder(event["stream_key"]) as encoder:
        until(lambda: team.sees(slug)["watch_state"] == "live", "live")
        public = team.sees(slug)["live_playback"]["url"].rpartition("/")[2]
        until(lambda: public in team.files(), "the playlist under its public name")
        assert team.ask("GET", f"{path}/health")["status"] == "ok"
        assert team.ask("POST", f"{path}/live/stop")["status"] == "ending"
        # The media server asks about each stream every two seconds, and cuts what is refused.
        until(lambda: encoder.poll() is not None, "the end of the encoder")
    until(lambda: team.sees(slug)["watch_state"] == "replay_available", "the replay")
    [recording] = team.ask("GET", f"{path}/recordings")["recordings"]
    assert recording["status"] == "finalised"
    assert not [name for name in team.files() if event["stream_key"] in name]
    order = ["ingest.connected", "event.started", "event.stopped", "recording.finalised", "replay.published"]
    told = [kind for kind in team.told() if kind in order]
    assert told == order


@pytest.mark.timeout(300)
def test_who_has_no_key_or_an_old_one_streams_nothing(team: Team) -> None:
    event = team.ask("POST", f"{LIVE}/events", {"name": "Town hall", "auto_start_on_ingest": True})
    team.ask("POST", f"{LIVE}/events/{event['event_id']}/stream-key/rotate")
    for key in (event["stream_key"], "guess"):
        with team.encoder(key) as encoder:
            assert encoder.wait(PATIENCE_S) != 0
    assert team.sees(event["slug"])["watch_state"] == "not_started" and team.files() == []
    assert team.told() == ["event.created", "stream_key.rotated"]
