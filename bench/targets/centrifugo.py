"""Centrifugo 6 with its unidirectional WebSocket and a history in memory. Written from its documentation, and not
tried: no binary was at hand."""

from collections.abc import Iterator
from contextlib import contextmanager

import orjson

from bench.event import CHANNEL, wire_event
from bench.processes import answers, free_port, running, split_family
from bench.requests import post, upgrade
from bench.stage import Stage
from bench.target import Readers, Requests, Target

KEY = "bench"


@contextmanager
def centrifugo(stage: Stage) -> Iterator[Target]:
    """A server with one namespace, which keeps a history."""
    port = free_port()
    config = stage.work / f"centrifugo-{port}.json"
    config.write_bytes(orjson.dumps(_config(port)))
    words = [stage.peers["centrifugo"], "--config", config]
    with running(words, stage.cores.server, stage.work / "centrifugo.log") as child:
        child.wait_for(lambda: answers(port, "/health"))
        body = b'{"channel":"%b","data":%b}' % (CHANNEL.encode(), wire_event())
        connect = orjson.dumps({"subs": {CHANNEL: {}}})
        readers = Readers(port, (upgrade("/connection/uni_websocket"),), connect, "client")
        requests = Requests(port, (post("/api/publish", body, {"X-API-Key": KEY}),))
        yield Target(readers, requests, split_family(child.pid)[0])


def _config(port: int) -> dict[str, object]:
    return {
        "http_server": {"address": "127.0.0.1", "port": port},
        "http_api": {"key": KEY},
        "health": {"enabled": True},
        "log": {"level": "error"},
        "client": {"insecure": True, "allowed_origins": ["*"], "connection_limit": 0},
        "uni_websocket": {"enabled": True},
        "channel": {
            "without_namespace": {
                "history_size": 10_000,
                "history_ttl": "1h",
                "allow_subscribe_for_client": True,
                "allow_subscribe_for_anonymous": True,
            }
        },
    }
