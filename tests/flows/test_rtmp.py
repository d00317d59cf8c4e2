"""A live event from a real encoder through a real media server to its replay: ffmpeg, nginx-rtmp, `./run serve`.

nginx runs the shipped file, `deploy/nginx-rtmp.conf`, as the example does (`examples/live_event.py`).
"""

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from bench.processes import free_port
from examples.live_event import encoder, media_server, nginx_path
from tests.serve_process import ServeProcess, serving

SECRET = "a-secret-of-the-media-server"
LIVE = "/v1/live-events"
PATIENCE_S = 60.0


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

    def encoder(self, stream_key: str) -> AbstractContextManager["subprocess.Popen[bytes]"]:
        """ffmpeg that streams with this key."""
        return encoder(self.rtmp_port, stream_key)


@pytest.fixture
def team(tmp_path: Path) -> Iterator[Team]:
    if nginx_path() is None or shutil.which("ffmpeg") is None:
        pytest.skip("no nginx with RTMP or no ffmpeg: apt-get install nginx libnginx-mod-rtmp ffmpeg")
    rtmp_port = free_port()
    with serving(tmp_path / "data", {"TIDEMARK_LIVE__INGEST_SECRET": SECRET}) as server:
        directory = tmp_path / "nginx"
        directory.mkdir()
        with media_server(directory, f"127.0.0.1:{server.port}", SECRET, rtmp_port):
            yield Team(server, directory / "media", rtmp_port)


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
