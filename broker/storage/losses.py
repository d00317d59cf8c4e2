"""What a connection to the engine that broke looks like."""

from redis.exceptions import ConnectionError as EngineConnectionError
from redis.exceptions import TimeoutError as EngineTimeoutError

CLOSED = "the handler is closed"


def is_lost(error: BaseException) -> bool:
    """Whether this is what a connection that broke, or does not answer, looks like.

    Writing to a connection that was closed meanwhile is a RuntimeError of uvloop, which redis-py passes on as it is.
    """
    is_closed = isinstance(error, RuntimeError) and str(error).endswith(CLOSED)
    return is_closed or isinstance(error, EngineConnectionError | EngineTimeoutError | OSError | TimeoutError)
