"""The one place where redis-py clients are made, and where its errors become ours.

redis-py's defaults retry writes, which duplicates them (ecosystem 4.1), so retries are off, every timeout is explicit,
and the number of connections is bounded. A write whose connection broke has an unknown outcome: it is `Unavailable`.
"""

import asyncio
from collections.abc import Awaitable
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ClusterDownError, OutOfMemoryError, ReadOnlyError, ResponseError
from redis.exceptions import ConnectionError as EngineConnectionError
from redis.exceptions import TimeoutError as EngineTimeoutError

from broker.errors import Unavailable

OLDEST_ENGINE = (7, 0)
REFUSING = ("MISCONF", "BUSY", "NOREPLICAS")
"""Codes of refusals that pass, for which redis-py has no class. It takes the code off the text where it has one."""

CLOSED = "the handler is closed"


def connect(url: str, *, connect_timeout_s: float, reply_timeout_s: float, connections: int = 32) -> Redis:
    """A client for `redis://`, `rediss://` or `unix://`: no retries, explicit timeouts, bounded pool."""
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
    )
    return Redis(connection_pool=pool)


def is_lost(error: BaseException) -> bool:
    """Whether this is what a connection that broke, or does not answer, looks like.

    Writing to a connection that was closed meanwhile is a RuntimeError of uvloop, which redis-py passes on as it is.
    """
    is_closed = isinstance(error, RuntimeError) and str(error).endswith(CLOSED)
    return is_closed or isinstance(error, EngineConnectionError | EngineTimeoutError | OSError | TimeoutError)


async def answered(call: Awaitable[Any]) -> Any:
    """Await an engine call; no answer, or a refusal to write, is `Unavailable` with Retry-After.

    Any, as redis-py's types say `bytes | str` of everything; here it is always bytes.
    """
    task = asyncio.current_task()
    asked = task.cancelling() if task else 0
    try:
        answer = await call
    except ResponseError as error:
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


def _refused(error: ResponseError) -> Exception:
    if isinstance(error, OutOfMemoryError):
        return Unavailable("The engine is out of memory", retry_after_s=5, code="storage_full")
    # Not at the beginning: a pipeline says before it which command was refused.
    if isinstance(error, ReadOnlyError | ClusterDownError) or any(f"{code} " in str(error) for code in REFUSING):
        return Unavailable("The engine refuses this now", retry_after_s=5)
    return error


def version_of(facts: dict[str, Any]) -> tuple[int, int]:
    """Major and minor of the server's `INFO server`; Valkey answers the Redis version that it is compatible with."""
    major, minor, *_ = str(facts["redis_version"]).split(".")
    return int(major), int(minor)
