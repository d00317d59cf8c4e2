"""`./run serve` as a process of its own: started, killed, started again on the same port and data, and always ended."""

import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import psutil  # type: ignore[import-untyped]
from websockets.asyncio.client import connect

from bench.processes import free_port as free_port
from broker.signing_file import load_or_create
from broker.tokens import MintRequest, mint

START_S = 45.0
STOP_S = 30.0
API = "/api/v1"
COMMAND = (sys.executable, "-P", "-m", "handlers")
FOR_TESTS = {
    "TIDEMARK_SERVER__DRAIN_S": "0.2",
    # A machine that runs many tests at once is slow; that is not what these tests are about.
    "TIDEMARK_ENGINE__REPLY_TIMEOUT_S": "10",
    "TIDEMARK_ENGINE__VOUCH_S": "30",
}


def refused_start(directory: Path, *words: str, **environ: str) -> tuple[int, str]:
    """The status and the words of a start that does not come to be, made in this directory."""
    done = subprocess.run(
        [*COMMAND, "serve", *words],
        cwd=directory,
        env=environment(**environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=START_S,
    )
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr


def environment(**more: str) -> dict[str, str]:
    """The environment of the tests without settings of their caller, with `more`."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("TIDEMARK_")}
    # Where nothing compiled is kept, each process compiles everything anew.
    own.pop("PYTHONDONTWRITEBYTECODE", None)
    return {**own, "PYTHONUNBUFFERED": "1", **more}


class ServeProcess:
    """A server's process, its port and its data. Commands of tests run in `cwd`, the directory that holds the data."""

    def __init__(self, data: Path, port: int, environ: Mapping[str, str], signing_key: Path | None = None) -> None:
        self.data = data
        self.signing_key = signing_key or data / "signing_key.json"
        self.port = port
        self.log = data.parent / f"{data.name}-{port}.log"
        key = {} if signing_key is None else {"TIDEMARK_AUTH__SIGNING_KEY_FILE": str(signing_key)}
        self._environ = environment(**{**FOR_TESTS, **key, **environ})
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The origin that it serves."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def process(self) -> "subprocess.Popen[bytes]":
        """The running process."""
        assert self._process is not None, "not started"
        return self._process

    @property
    def engine_pid(self) -> int:
        """The process id of the embedded engine."""
        [engine] = psutil.Process(self.process.pid).children()
        return int(engine.pid)

    def start(self) -> None:
        """Start and return when it is ready; fails with its log when it ends before that, or takes too long."""
        words = [*COMMAND, "serve", "--port", str(self.port), "--data", str(self.data)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                words, cwd=self.data.parent, env=self._environ, stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        until = time.monotonic() + START_S
        while not self.is_ready():
            assert self._process.poll() is None, f"ended with {self._process.returncode}: {self.log.read_text()}"
            assert time.monotonic() < until, f"not ready after {START_S} s: {self.log.read_text()}"
            time.sleep(0.01)

    def is_ready(self) -> bool:
        """Whether `/readyz` answers 200."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def kill(self) -> None:
        """SIGKILL: nothing is written, closed or said."""
        self.process.kill()
        self.process.wait(STOP_S)

    def stop(self) -> int:
        """SIGTERM; the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_S)

    def end(self) -> None:
        """Make sure that nothing is left, however the test went."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def token(self, *scopes: str, sub: str | None = "tests") -> str:
        """A token signed with the server's key."""
        key = load_or_create(self.signing_key)
        return mint(MintRequest(scopes, sub, None, (), None), key, now_s=time.time(), audience=None)

    def bearer(self, *scopes: str) -> dict[str, str]:
        """The header of a token with these scopes."""
        return {"Authorization": f"Bearer {self.token(*scopes)}"}

    def ask(self, method: str, path: str, **options: Any) -> httpx2.Response:
        """One call of the API, by an admin."""
        with self.client() as client:
            return client.request(method, path, **options)

    def client(self) -> httpx2.Client:
        """A client of the API for an admin."""
        headers = self.bearer("admin")
        # Without what is trusted, which takes 40 ms to be read.
        return httpx2.Client(base_url=f"{self.url}{API}", trust_env=False, timeout=20, headers=headers, verify=False)

    def create(self, channel_id: str, *, is_public: bool = True) -> None:
        """Create a channel."""
        answer = self.ask("POST", "/channels", json={"id": channel_id, "name": channel_id, "is_public": is_public})
        assert answer.status_code == 201, answer.text

    def publish(self, channel_id: str, *data: Any) -> list[str]:
        """Publish a batch; the ids."""
        body = {"events": [{"data": value} for value in data]}
        answer = self.ask("POST", f"/channels/{channel_id}/events", json=body)
        assert answer.status_code == 201, answer.text
        return [event["id"] for event in answer.json()["events"]]

    def events(self, channel_id: str, cursor: str) -> list[dict[str, Any]]:
        """Every event of the log after the cursor, page by page."""
        found: list[dict[str, Any]] = []
        while True:
            page = self.ask("GET", f"/channels/{channel_id}/events?limit=100&cursor={cursor}").json()
            assert page["complete"], page
            found += page["events"]
            cursor = page["cursor"]
            if not page["has_more"]:
                return found

    def tip(self, channel_id: str) -> str:
        """The cursor after everything so far."""
        return str(self.ask("GET", f"/channels/{channel_id}/events?limit=1").json()["cursor"])

    def socket(self, channel_id: str, **query: str) -> connect:
        """A WebSocket that follows the channel."""
        asked = "&".join(f"{name}={value}" for name, value in query.items())
        headers = self.bearer("sub:*")
        url = f"ws://127.0.0.1:{self.port}{API}/channels/{channel_id}/ws?{asked}"
        return connect(url, proxy=None, compression=None, additional_headers=headers)

    def run(self, *words: str, **environ: str) -> "subprocess.CompletedProcess[str]":
        """The outcome of a client command for this server; its standard input is empty."""
        return subprocess.run(
            [*COMMAND, *words],
            cwd=self.data.parent,
            env=environment(TIDEMARK_URL=self.url, **environ),
            input="",
            capture_output=True,
            text=True,
            timeout=30,
        )

    def spawn(self, *words: str, **options: Any) -> "subprocess.Popen[str]":
        """A client command for this server with pipes, that the caller ends."""
        pipe = subprocess.PIPE
        return subprocess.Popen(
            [*COMMAND, *words],
            **{"stdin": pipe, "stdout": pipe, "stderr": pipe, **options},
            cwd=self.data.parent,
            env=environment(TIDEMARK_URL=self.url),
            text=True,
        )


@contextmanager
def serving(
    data: Path, environ: Mapping[str, str] | None = None, *, signing_key: Path | None = None
) -> Iterator[ServeProcess]:
    """A server on a free port; whatever is left of it at the end of the block is ended."""
    server = ServeProcess(data, free_port(), environ or {}, signing_key)
    try:
        server.start()
        yield server
    finally:
        server.end()
