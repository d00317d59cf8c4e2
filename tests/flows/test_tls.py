"""TLS of our own listener, as a person runs it: with one process and with workers, read anew while it serves."""

import asyncio
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException, HTTPSConnection
from pathlib import Path

import httpx2
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.certificates import Authority, serial_of
from tests.flows.sockets import next_data
from tests.serve_process import API, COMMAND, ServeProcess, environment, free_port, refused_start

PATIENCE_S = 30


class SecureServe(ServeProcess):
    """A server with a certificate of `authority`; `context` trusts it."""

    def __init__(self, folder: Path, authority: Authority, **environ: str) -> None:
        self.authority = authority
        self.context = authority.client()
        certificate, key, self.serial = authority.sign()
        files = {"TIDEMARK_SERVER__TLS_CERTIFICATE": str(certificate), "TIDEMARK_SERVER__TLS_KEY": str(key)}
        self.settings = {**files, **environ}
        super().__init__(folder / "data", free_port(), self.settings)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def is_ready(self) -> bool:
        connection = HTTPSConnection("127.0.0.1", self.port, timeout=2, context=self.context)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()

    def client(self) -> httpx2.Client:
        headers = self.bearer("admin")
        return httpx2.Client(base_url=f"{self.url}{API}", verify=self.context, trust_env=False, headers=headers)

    def shown_serial(self) -> int:
        """The serial number of the certificate that a new connection is shown."""
        with (
            socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S) as plain,
            self.context.wrap_socket(plain, server_hostname="127.0.0.1") as tls,
        ):
            return serial_of(tls)

    def command(self, *words: str, **environ: str) -> "subprocess.CompletedProcess[str]":
        """The outcome of a command that finds the server by the settings, and trusts the authority."""
        trust = {"SSL_CERT_FILE": str(self.authority.file)}
        own = {**self.settings, "TIDEMARK_SERVER__PORT": str(self.port), "TIDEMARK_SERVER__DATA": str(self.data)}
        return subprocess.run(
            [*COMMAND, *words],
            cwd=self.data.parent,
            env=environment(**{**trust, **own, **environ}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
        )


@contextmanager
def secure(folder: Path, **environ: str) -> Iterator[SecureServe]:
    server = SecureServe(folder, Authority(folder), **environ)
    try:
        server.start()
        yield server
    finally:
        server.end()


def until_shown(server: SecureServe, serial: int) -> None:
    until_s = time.monotonic() + PATIENCE_S
    while server.shown_serial() != serial:
        assert time.monotonic() < until_s, "the new certificate is not shown"
        time.sleep(0.02)


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_events_go_by_https_and_wss_and_a_new_certificate_is_shown_after_sighup(
    tmp_path: Path, workers: str
) -> None:
    with secure(tmp_path, TIDEMARK_SERVER__WORKERS=workers, TIDEMARK_SERVER__DRAIN_S="5") as server:
        server.create("news")
        cursor = server.tip("news")
        url = f"wss://127.0.0.1:{server.port}{API}/channels/news/ws"
        async with connect(url, ssl=server.context, proxy=None, compression=None) as following:
            await asyncio.to_thread(server.publish, "news", "before")
            assert await next_data(following) == "before"
            _, _, serial = server.authority.sign()
            server.process.send_signal(signal.SIGHUP)
            await asyncio.to_thread(until_shown, server, serial)
            if workers == "1":
                await asyncio.to_thread(server.publish, "news", "after")
                assert await next_data(following) == "after", "the old connection goes on"
        # An old worker that is just ending may have been given the connection: a client comes again, as this one does.
        async for again in connect(f"{url}?cursor={cursor}", ssl=server.context, proxy=None):
            with suppress(ConnectionClosed):
                assert await next_data(again) == "before"
                await again.close()
                break
        assert await asyncio.to_thread(server.stop) == 0
        assert "Traceback" not in server.log.read_text()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_files_that_do_not_fit_at_sighup_change_nothing_and_are_said(tmp_path: Path, workers: str) -> None:
    with secure(tmp_path, TIDEMARK_SERVER__WORKERS=workers) as server:
        (tmp_path / "server.key").write_text("nonsense")
        server.process.send_signal(signal.SIGHUP)
        until_s = time.monotonic() + PATIENCE_S
        while "no certificate and key in PEM" not in server.log.read_text():
            assert time.monotonic() < until_s, server.log.read_text()
            time.sleep(0.02)
        assert server.shown_serial() == server.serial
        assert server.is_ready()
        assert "Traceback" not in server.log.read_text()


def test_the_commands_find_the_server_by_its_settings_and_trust_what_ssl_cert_file_says(tmp_path: Path) -> None:
    with secure(tmp_path) as server:
        server.create("news")
        done = server.command("publish", "news", '"hello"')
        assert done.returncode == 0, done.stderr
        assert server.events("news", server.tip("news")) == []
        tail = subprocess.Popen(
            [*COMMAND, "tail", "news", "--newest", "1"],
            cwd=tmp_path,
            env=environment(
                SSL_CERT_FILE=str(server.authority.file),
                TIDEMARK_URL=server.url,
                TIDEMARK_TOKEN=server.token("sub:news"),
            ),
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert tail.stdout is not None
            assert tail.stdout.readline().endswith('"hello"\n')
            while not server.ask("GET", "/channels/news").json()["subscriber_count"]:
                time.sleep(0.02)
            server.publish("news", "live")
            assert tail.stdout.readline().endswith('"live"\n')
        finally:
            tail.terminate()
            tail.communicate()
        untrusting = server.command("publish", "news", "1", SSL_CERT_FILE="/dev/null")
        assert untrusting.returncode == 1
        assert "certificate" in untrusting.stderr
        healthy = server.command("healthcheck", SSL_CERT_FILE="/dev/null")
        assert (healthy.returncode, healthy.stdout + healthy.stderr) == (0, "")


def test_what_cannot_be_served_with_is_refused_at_the_start_by_name(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    certificate, key, _ = authority.sign()
    _, other, _ = authority.sign("other")

    def start(**files: str) -> tuple[int, str]:
        settings = {f"TIDEMARK_SERVER__{name.upper()}": value for name, value in files.items()}
        return refused_start(tmp_path, "--port", "0", **settings)

    status, said = start(tls_certificate=str(certificate), tls_key=str(other))
    assert (status, f"The key {other} does not belong to the certificate {certificate}" in said) == (1, True)
    status, said = start(tls_certificate=str(tmp_path / "none.pem"), tls_key=str(key))
    assert (status, "none.pem cannot be read: no such file or directory" in said) == (1, True)
    status, said = start(tls_certificate=str(certificate))
    assert (status, "tls_certificate and tls_key are given both or not at all" in said) == (2, True)
    assert not (tmp_path / "data").exists(), "nothing was begun"
