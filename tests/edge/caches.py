"""Real nginx and real Varnish as children of the test, on free ports of 127.0.0.1, with the files of `deploy/`."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from bench.processes import answers, free_port
from broker.storage.engine_process import end, spawn
from tests.programs import program

DEPLOY = Path(__file__).parents[2] / "deploy"
PROGRAMS = {"nginx": "nginx", "varnish": "varnishd"}
CACHES = tuple(PROGRAMS)
START_S = 20.0
NGINX_MAIN = """\
daemon off;
{user}
worker_processes 2;
pid {directory}/nginx.pid;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    include {directory}/tidemark.conf;
}}
"""


@dataclass(frozen=True, slots=True)
class Cache:
    """A running cache: which, and where it listens."""

    name: str
    port: int

    @property
    def url(self) -> str:
        """The origin that it serves."""
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def running_cache(name: str, origin_port: int, directory: Path) -> Iterator[Cache]:
    """The cache of this name in front of 127.0.0.1:`origin_port`; skips the test where this machine has none."""
    path = program(PROGRAMS[name])
    for _ in range(3):  # until the port that was free is still free
        port = free_port()
        child = start(COMMANDS[name](path, port, origin_port, directory), directory)
        try:
            if is_listening(child, port):
                yield Cache(name, port)
                return
        finally:
            end(child)
    pytest.fail(f"{name} did not start: " + (directory / "output").read_text()[-2000:])


def start(words: list[str], directory: Path) -> "subprocess.Popen[bytes]":
    """Run a server that dies with this process; what it says goes to the file `output`."""
    with (directory / "lock").open("w") as lock:
        return spawn(["/bin/sh", "-c", 'exec "$@" >output 2>&1', "sh", *words], directory, lock.fileno())


def nginx_command(program: str, port: int, origin_port: int, directory: Path) -> list[str]:
    """How to start nginx with `deploy/nginx.conf` inside a minimal main configuration."""
    changes = {
        "server 127.0.0.1:8000;": f"server 127.0.0.1:{origin_port};",
        "/var/cache/nginx/tidemark": f"{directory}/cache",
        "listen 8080;": f"listen 127.0.0.1:{port};",
    }
    (directory / "tidemark.conf").write_text(on_this_site(DEPLOY / "nginx.conf", changes))
    # As root nginx gives its workers another user, who may not enter the directories of tests.
    main = NGINX_MAIN.format(directory=directory, user="user root;" if os.getuid() == 0 else "")
    (directory / "nginx.conf").write_text(main)
    return [program, "-e", "stderr", "-p", str(directory), "-c", str(directory / "nginx.conf")]


def varnish_command(program: str, port: int, origin_port: int, directory: Path) -> list[str]:
    """How to start Varnish with `deploy/varnish.vcl` and no parameter changed."""
    changes = {'.port = "8000";': f'.port = "{origin_port}";'}
    (directory / "tidemark.vcl").write_text(on_this_site(DEPLOY / "varnish.vcl", changes))
    listen, work = f"127.0.0.1:{port}", str(directory / "work")
    storage = "malloc,64m"
    return [program, "-F", "-j", "none", "-n", work, "-a", listen, "-f", f"{directory}/tidemark.vcl", "-s", storage]


COMMANDS: Mapping[str, Callable[[str, int, int, Path], list[str]]] = {
    "nginx": nginx_command,
    "varnish": varnish_command,
}


def on_this_site(path: Path, changes: Mapping[str, str]) -> str:
    """The text of a shipped file with its own placeholders replaced: each once, on a line that is marked SITE."""
    text = path.read_text()
    for shipped, ours in changes.items():
        lines = [line for line in text.splitlines() if shipped in line]
        assert len(lines) == 1 and "# SITE" in lines[0], f"{path.name}: {shipped}"
        text = text.replace(shipped, ours)
    return text


def is_listening(child: "subprocess.Popen[bytes]", port: int) -> bool:
    """True once the port accepts; False when the child ended or takes too long."""
    until = time.monotonic() + START_S
    while child.poll() is None and time.monotonic() < until:
        if answers(port):
            return child.poll() is None
        time.sleep(0.02)
    return False
