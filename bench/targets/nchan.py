"""Nchan (the nginx module), one worker, keeping a history in memory as Tidemark keeps one in its engine."""

import os
import resource
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.event import CHANNEL, wire_event
from bench.processes import answers, free_port, running, split_family
from bench.requests import post, upgrade
from bench.stage import Stage
from bench.target import Readers, Requests, Target

MODULES = (
    Path("/usr/lib/nginx/modules/ngx_nchan_module.so"),
    Path("/usr/share/nginx/modules/ngx_nchan_module.so"),
    Path("/usr/lib64/nginx/modules/ngx_nchan_module.so"),
)

CONFIG = """
load_module {module};
daemon off;
{user}
pid {work}/nginx.pid;
error_log {work}/nchan.log warn;
worker_processes 1;
worker_rlimit_nofile {files};
events {{ worker_connections {connections}; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 600s;
  client_body_temp_path {work}/body;
  proxy_temp_path {work}/proxy;
  fastcgi_temp_path {work}/fastcgi;
  uwsgi_temp_path {work}/uwsgi;
  scgi_temp_path {work}/scgi;
  nchan_shared_memory_size 1024M;
  nchan_message_buffer_length {history};
  nchan_message_timeout 1h;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location = / {{ return 200; }}
    location ~ ^/publish/(.+)$ {{ nchan_publisher http; nchan_channel_id $1; }}
    location ~ ^/follow/(.+)$ {{
      nchan_subscriber websocket; nchan_channel_id $1; nchan_subscriber_first_message newest;
    }}
    location ~ ^/replay/(.+)$ {{
      nchan_subscriber websocket; nchan_channel_id $1; nchan_subscriber_first_message oldest;
    }}
  }}
}}
"""


@contextmanager
def nchan(stage: Stage, door: str = "follow", channels: int = 1) -> Iterator[Target]:
    """nginx with the module; at the door `replay` readers first get the whole history."""
    names = [CHANNEL, *(f"{CHANNEL}-{number:05d}" for number in range(1, channels))]
    port = free_port()
    work = Path(tempfile.mkdtemp(prefix="nchan-", dir=stage.work))
    (work / "nginx.conf").write_text(_config(work, port))
    log = stage.work / "nchan.log"
    words = [stage.peers["nchan"], "-p", work, "-c", work / "nginx.conf", "-e", log]
    with running(words, stage.cores.server, log) as child:
        child.wait_for(lambda: answers(port, "/"))
        requests = Requests(port, tuple(post(f"/publish/{name}", wire_event()) for name in names))
        readers = Readers(port, tuple(upgrade(f"/{door}/{name}") for name in names))
        yield Target(readers, requests, split_family(child.pid)[0])


def module() -> Path | None:
    """Where the module is, None when it is not installed."""
    return next((path for path in MODULES if path.exists()), None)


def _config(work: Path, port: int) -> str:
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return CONFIG.format(
        module=module(),
        user="user root;" if os.geteuid() == 0 else "",
        work=work,
        files=files,
        connections=files - 100,
        history=10_000,
        port=port,
    )
