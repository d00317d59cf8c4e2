"""Mercure with its Bolt history; readers are SSE streams. Written from its documentation, and not tried: no binary was
at hand."""

import base64
import hashlib
import hmac
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import orjson

from bench.event import CHANNEL, wire_event
from bench.processes import answers, free_port, running, split_family
from bench.requests import get, post
from bench.stage import Stage
from bench.target import Readers, Requests, Target

KEY = "a key of the benchmark, which is no secret at all"
CONFIG = """
{{
  auto_https off
  admin off
  persist_config off
}}
http://127.0.0.1:{port} {{
  mercure {{
    transport bolt {{
      path {work}/mercure.db
      size 10000
    }}
    publisher_jwt "{key}"
    anonymous
    heartbeat 60s
    write_timeout 0s
  }}
  respond /healthz 200
}}
"""


@contextmanager
def mercure(stage: Stage) -> Iterator[Target]:
    """A hub that anybody may follow."""
    port = free_port()
    work = Path(tempfile.mkdtemp(prefix="mercure-", dir=stage.work))
    config = work / "mercure.caddyfile"
    config.write_text(CONFIG.format(port=port, work=work, key=KEY))
    words = [stage.peers["mercure"], "run", "--config", config, "--adapter", "caddyfile"]
    with running(words, stage.cores.server, stage.work / "mercure.log") as child:
        child.wait_for(lambda: answers(port, "/healthz"))
        form = f"topic={CHANNEL}&data={quote(wire_event(), safe='=')}".encode()
        headers = {"Authorization": f"Bearer {_token()}", "Content-Type": "application/x-www-form-urlencoded"}
        readers = Readers(port, (get(f"/.well-known/mercure?topic={CHANNEL}"),), framed=False)
        yield Target(
            readers, Requests(port, (post("/.well-known/mercure", form, headers),)), split_family(child.pid)[0]
        )


def _token() -> str:
    parts = [_base64(orjson.dumps(part)) for part in ({"alg": "HS256", "typ": "JWT"}, {"mercure": {"publish": ["*"]}})]
    signed = ".".join(parts)
    return f"{signed}.{_base64(hmac.digest(KEY.encode(), signed.encode(), hashlib.sha256))}"


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
