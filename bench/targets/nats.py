"""NATS with its WebSocket listener; the subject is stored by a JetStream stream, as Tidemark stores its log.

It is published to over NATS's own protocol, as it has no HTTP; `verbose` makes it answer every publish.
"""

import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson

from bench.event import CHANNEL, wire_event
from bench.processes import NotServing, answers, free_port, running, split_family
from bench.requests import upgrade
from bench.stage import Stage
from bench.target import Readers, Requests, Target

CONNECT = b'CONNECT {"verbose":true,"pedantic":false,"lang":"bench","version":"1"}\r\n'
FOLLOW = b'CONNECT {"verbose":false,"pedantic":false}\r\nSUB %b 1\r\nPING\r\n' % CHANNEL.encode()
CONFIG = """
host: "127.0.0.1"
port: {port}
max_pending: 256MB
write_deadline: "60s"
jetstream {{ store_dir: "{work}" }}
websocket {{ host: "127.0.0.1", port: {socket_port}, no_tls: true, compression: false }}
"""
STREAM = {
    "name": CHANNEL,
    "subjects": [CHANNEL],
    "retention": "limits",
    "max_consumers": -1,
    "max_msgs": 10_000_000,
    "max_bytes": -1,
    "max_age": 0,
    "storage": "file",
    "num_replicas": 1,
    "discard": "old",
    "no_ack": True,
}


@contextmanager
def nats(stage: Stage) -> Iterator[Target]:
    """A server with a stream on the channel."""
    port, socket_port = free_port(), free_port()
    work = Path(tempfile.mkdtemp(prefix="nats-", dir=stage.work))
    config = work / "nats.conf"
    config.write_text(CONFIG.format(port=port, socket_port=socket_port, work=work))
    with running([stage.peers["nats"], "-c", config], stage.cores.server, stage.work / "nats.log") as child:
        child.wait_for(lambda: answers(port) and answers(socket_port))
        _create_stream(port)
        event = wire_event()
        publish = b"PUB %b %d\r\n%b\r\n" % (CHANNEL.encode(), len(event), event)
        readers = Readers(socket_port, (upgrade("/"),), FOLLOW, "PONG")
        yield Target(readers, Requests(port, (publish,), CONNECT, http=False), split_family(child.pid)[0])


def _create_stream(port: int) -> None:
    body = orjson.dumps(STREAM)
    subject = b"$JS.API.STREAM.CREATE.%b" % CHANNEL.encode()
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(b'CONNECT {"verbose":false}\r\nSUB answer 1\r\nPUB %b answer %d\r\n' % (subject, len(body)))
        client.sendall(body + b"\r\n")
        received = b""
        while b'"type":"io.nats.jetstream' not in received:
            chunk = client.recv(65_536)
            if not chunk:
                raise NotServing(f"NATS made no stream: {received!r}")
            received += chunk
    if b'"error"' in received:
        raise NotServing(f"NATS made no stream: {received!r}")
