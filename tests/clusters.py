"""Real clusters for tests: servers on ports of 127.0.0.1, joined and given their slots by the fixture itself."""

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

from broker.storage.cluster.slots import SLOTS, slot_of_key
from broker.storage.keys import partition_keys, partition_of
from tests.engines import WHEEL, binary_path
from tests.serve_process import free_port

START_S = 20.0
STEADY_MS = 5_000
"""A node timeout that a busy machine does not reach."""

QUICK_MS = 500
"""One for tests in which a node is lost."""


STARTS = 3
"""Of a node: a port that was free may be somebody else's by the time it listens."""


class Node:
    """One server of a cluster."""

    def __init__(self, directory: Path, binary: str, timeout_ms: int) -> None:
        directory.mkdir()
        self._log = directory / "log"
        self.id: str = ""
        for _ in range(STARTS):
            self.port = free_port()
            self._words = _words(directory, binary, timeout_ms, self.port)
            self.client = Redis(port=self.port, protocol=2)
            self._process = self._start()
            wait_until(lambda: self._process.poll() is not None or self._answers())
            if self._process.poll() is None:
                break

    def start(self) -> None:
        """Start it again, with its data."""
        self._process = self._start()

    def tell(self, *words: Any) -> Any:
        """Answer of the node to a command."""
        return self.client.execute_command(*words)  # type: ignore[no-untyped-call]

    def is_up(self) -> bool:
        """Whether it answers."""
        assert self._process.poll() is None, self._log.read_text()
        return self._answers()

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL: nothing is written or said."""
        self._process.kill()
        self._process.wait()

    def end(self) -> None:
        """Make sure that nothing is left."""
        self._process.send_signal(signal.SIGCONT)
        self.kill()
        self.client.close()

    def _answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except RedisError:
            return False

    def _start(self) -> "subprocess.Popen[bytes]":
        with self._log.open("ab") as log:
            return subprocess.Popen(self._words, stdout=log, stderr=log, stdin=subprocess.DEVNULL)


@dataclass(slots=True)
class Cluster:
    """Primaries, and replicas of the first of them."""

    primaries: list[Node]
    replicas: list[Node]

    @property
    def nodes(self) -> list[Node]:
        """All nodes."""
        return [*self.primaries, *self.replicas]

    @property
    def url(self) -> str:
        """The URL for a broker."""
        return "redis+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in self.primaries)

    def owner(self, partition: int) -> Node:
        """The node that has a partition by its own word."""
        slot = slot_of_key(partition_keys(partition).floor)
        for node in self.nodes:
            try:
                ranges = node.tell("CLUSTER", "SLOTS")
            except RedisError:
                continue
            for first, last, (_, port, *_), *_ in ranges:
                if first <= slot <= last:
                    return next(each for each in self.nodes if each.port == port)
        raise AssertionError(f"nobody has partition {partition}")

    def partitions_of(self, node: Node) -> list[int]:
        """The partitions, of 16, that a node has."""
        return [number for number in range(16) if self.owner(number) is node]

    def empty(self) -> None:
        """Remove everything, scripts too."""
        for node in self.primaries:
            node.tell("FLUSHALL")
            node.tell("SCRIPT", "FLUSH")

    def name_in(self, *partitions: int, prefix: str = "news") -> str:
        """A channel id that lives in one of these partitions of 16."""
        return next(name for i in range(1_000) if partition_of(name := f"{prefix}-{i}", 16) in partitions)

    def publish(self, topic: str, payload: str) -> int:
        """SPUBLISH at the owner of the topic's slot; the number of those who heard."""
        slot = slot_of_key(topic)
        for node in self.primaries:
            try:
                return int(node.tell("SPUBLISH", topic, payload))
            except RedisError:
                continue
        raise AssertionError(f"nobody has slot {slot}")

    def give(self, slot: int, source: Node, target: Node) -> None:
        """Begin to move a slot: keys that are not at the source any more are asked for at the target."""
        target.tell("CLUSTER", "SETSLOT", slot, "IMPORTING", source.id)
        source.tell("CLUSTER", "SETSLOT", slot, "MIGRATING", target.id)

    def carry(self, slot: int, source: Node, target: Node, *, at_once: int = 10) -> bool:
        """Move some keys of a slot that is being moved; False when none was left."""
        keys = source.tell("CLUSTER", "GETKEYSINSLOT", slot, at_once)
        if keys:
            source.tell("MIGRATE", "127.0.0.1", target.port, "", 0, 5_000, "KEYS", *keys)
        return bool(keys)

    def settle(self, slot: int, target: Node) -> None:
        """Say that the slot is the target's: first to the target, so that it is never nobody's."""
        for node in [target, *(each for each in self.primaries if each is not target)]:
            node.tell("CLUSTER", "SETSLOT", slot, "NODE", target.id)

    def agrees(self, slot: int, owner: Node) -> bool:
        """Whether every primary says that the slot is this one's."""
        ranges = [node.tell("CLUSTER", "SLOTS") for node in self.primaries]
        return {entry[2][1] for each in ranges for entry in each if entry[0] <= slot <= entry[1]} == {owner.port}

    def move(self, slot: int, source: Node, target: Node) -> None:
        """Move a slot with all its keys."""
        self.give(slot, source, target)
        while self.carry(slot, source, target):
            pass
        self.settle(slot, target)


@contextmanager
def running_cluster(
    directory: Path, name: str = WHEEL, *, replicas: int = 0, timeout_ms: int = STEADY_MS
) -> Iterator[Cluster]:
    """Three primaries with a third of the slots each, and so many replicas of the first, until the block ends."""
    directory.mkdir(exist_ok=True)
    binary = binary_path(name)
    nodes: list[Node] = []
    try:
        nodes += [Node(directory / f"node-{i}", binary, timeout_ms) for i in range(3 + replicas)]
        cluster = Cluster(nodes[:3], nodes[3:])
        _join(cluster)
        yield cluster
    finally:
        for node in nodes:
            node.end()


def _join(cluster: Cluster) -> None:
    for node in cluster.nodes:
        wait_until(node.is_up)
        node.id = node.tell("CLUSTER", "MYID").decode()
    first, *others = cluster.nodes
    for i, node in enumerate(cluster.primaries):
        node.tell("CLUSTER", "SET-CONFIG-EPOCH", i + 1)
        node.tell("CLUSTER", "ADDSLOTSRANGE", i * SLOTS // 3, (i + 1) * SLOTS // 3 - 1)
    for node in others:
        # The port of the bus is not the usual one, so it is named.
        node.tell("CLUSTER", "MEET", "127.0.0.1", first.port, _bus_port(first))
    wait_until(lambda: all(_knows(node, len(cluster.nodes)) for node in cluster.nodes))
    for node in cluster.replicas:
        wait_until(lambda node=node: _replicate(node, first))  # type: ignore[misc]
    wait_until(lambda: all(_is_ok(node, len(cluster.replicas)) for node in cluster.nodes))


def _words(directory: Path, binary: str, timeout_ms: int, port: int) -> list[str]:
    return [
        *(binary, "--bind", "127.0.0.1", "--port", str(port), "--dir", str(directory)),
        *("--cluster-enabled", "yes", "--cluster-port", str(free_port()), "--cluster-node-timeout", str(timeout_ms)),
        *("--appendonly", "yes", "--save", "", "--repl-diskless-sync-delay", "0", "--repl-backlog-size", "1mb"),
        *("--cluster-replica-validity-factor", "0", "--repl-ping-replica-period", "1"),
    ]


def _bus_port(node: Node) -> int:
    return int(node.tell("CONFIG", "GET", "cluster-port")[1])


def _knows(node: Node, count: int) -> bool:
    lines = node.tell("CLUSTER", "NODES").decode().splitlines()
    return len(lines) == count and not any("handshake" in line or "noaddr" in line for line in lines)


def _replicate(node: Node, primary: Node) -> bool:
    try:
        node.tell("CLUSTER", "REPLICATE", primary.id)
    except RedisError:
        return False
    return True


def _is_ok(node: Node, replicas: int) -> bool:
    if b"cluster_state:ok" not in node.tell("CLUSTER", "INFO"):
        return False
    seen = sum(len(entry) - 3 for entry in node.tell("CLUSTER", "SLOTS"))
    if seen != replicas:
        return False
    link = node.client.info("replication")
    return bool(link["role"] == "master" or link["master_link_status"] == "up")


def wait_until(done: Callable[[], Any]) -> None:
    """Return when it is so, fail when it takes too long."""
    until = time.monotonic() + START_S
    while not done():
        assert time.monotonic() < until, "not within the time"
        time.sleep(0.02)
