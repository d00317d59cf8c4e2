"""The one place where redis-py clients are made, and where its errors become ours.

redis-py's defaults retry writes, which duplicates them (ecosystem 4.1), so retries are off, every timeout is explicit,
and the number of connections is bounded. A write whose connection broke has an unknown outcome: it is `Unavailable`.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.client import Pipeline
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.driver_info import DriverInfo
from redis.exceptions import AuthenticationError, OutOfMemoryError, ReadOnlyError, ResponseError
from redis.maint_notifications import MaintNotificationsConfig

from broker.errors import Unavailable
from broker.storage.cluster.client import ClusterClient, ClusterPipeline
from broker.storage.cluster.nodes import Nodes
from broker.storage.cluster.sending import REFUSALS
from broker.storage.cluster.urls import is_cluster_url, parse_cluster_url
from broker.storage.losses import is_lost
from broker.storage.packing import pack_by_hiredis

OLDEST_ENGINE = (7, 0)
DRIVER = DriverInfo()
"""Made once: redis-py reads its package's metadata for each connection otherwise, in 2.4 ms of CPU."""

REFUSING = ("MISCONF", "BUSY", "NOREPLICAS")
"""Codes of refusals that pass, for which redis-py has no class. It takes the code off the text where it has one."""


def connect(url: str, *, connect_timeout_s: float, reply_timeout_s: float, connections: int = 32) -> Redis:
    """A client for `redis://`, `rediss://`, `unix://` or a cluster: no retries, explicit timeouts, bounded pool.

    `connections` are those to each node of a cluster. Raises ValueError for a URL that is none.
    """

    def make(node_url: str) -> Redis:
        return _connect(node_url, connect_timeout_s, reply_timeout_s, connections)

    nodes = cluster_nodes(url, make)
    return make(url) if nodes is None else ClusterClient(nodes)


def cluster_nodes(url: str, make: Callable[[str], Redis]) -> Nodes | None:
    """The nodes behind the URL of a cluster, None for another URL. Raises ValueError for a malformed one."""
    return Nodes(parse_cluster_url(url), make) if is_cluster_url(url) else None


def _connect(url: str, connect_timeout_s: float, reply_timeout_s: float, connections: int) -> Redis:
    pool = BlockingConnectionPool.from_url(
        url,
        protocol=3,
        max_connections=connections,
        timeout=reply_timeout_s,
        socket_connect_timeout=connect_timeout_s,
        socket_timeout=reply_timeout_s,
        retry=Retry(NoBackoff(), 0),
        retry_on_error=[],
        health_check_interval=0,
        driver_info=DRIVER,
        # With these on, redis-py does not notice that a connection in its pool was closed, and the next call is lost.
        maint_notifications_config=MaintNotificationsConfig(enabled=False),
    )
    pack_by_hiredis(pool)
    client = Redis(connection_pool=pool)
    client.set_response_callback("XRANGE", _as_it_came)
    return client


def _as_it_came(response: Any, **kwargs: Any) -> Any:
    """redis-py makes a dict of each entry: 1.3 us an event for reading a page, and 0.8 without (pages of 1,000)."""
    return response


async def each_node(client: Redis) -> list[Redis]:
    """The clients of all primaries behind a client: itself, where it is no cluster. Raises redis-py's errors."""
    if not isinstance(client, ClusterClient):
        return [client]
    await client.nodes.refresh()
    return [client.nodes.client(address) for address in client.nodes.primaries]


def asked_once(client: Redis) -> Pipeline:
    """A pipeline that takes a refusal for an answer: what is away is told at once, and holds nothing else up."""
    pipeline = client.pipeline(transaction=False)
    if isinstance(pipeline, ClusterPipeline):
        pipeline.patience_s = 0.0
    return pipeline


def each_replica(client: Redis) -> list[Redis]:
    """The clients of the replicas of a cluster, as far as known; some may be down."""
    return [client.nodes.client(each) for each in client.nodes.replicas] if isinstance(client, ClusterClient) else []


async def answered(call: Awaitable[Any]) -> Any:
    """Await an engine call; no answer, or a refusal that may pass, is `Unavailable` with Retry-After.

    Any, as redis-py's types say `bytes | str` of everything; here it is always bytes.
    """
    task = asyncio.current_task()
    asked = task.cancelling() if task else 0
    try:
        answer = await call
    except (ResponseError, AuthenticationError) as error:
        raise _refused(error) from error
    except Exception as error:
        if not is_lost(error):
            raise
        raise Unavailable("The engine did not answer in time", retry_after_s=1) from error
    finally:
        # redis-py writes by `asyncio.wait_for`, and that of Python 3.11 forgets a cancellation that meets its end.
        if task is not None and task.cancelling() > asked:
            raise asyncio.CancelledError
    return answer


def _refused(error: ResponseError | AuthenticationError) -> Exception:
    if isinstance(error, AuthenticationError):
        return Unavailable("The engine does not take the user and password of its URL, or wants some", retry_after_s=5)
    if isinstance(error, OutOfMemoryError):
        return Unavailable("The engine is out of memory", retry_after_s=5, code="storage_full")
    # Not at the beginning: a pipeline says before it which command was refused.
    if isinstance(error, REFUSALS):
        return Unavailable("The engine's cluster is being changed", retry_after_s=1)
    if isinstance(error, ReadOnlyError) or any(f"{code} " in str(error) for code in REFUSING):
        return Unavailable("The engine refuses this now", retry_after_s=5)
    return error


def version_of(facts: dict[str, Any]) -> tuple[int, int]:
    """Major and minor of the server's `INFO server`; Valkey answers the Redis version that it is compatible with."""
    major, minor, *_ = str(facts["redis_version"]).split(".")
    return int(major), int(minor)
