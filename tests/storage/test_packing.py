"""Commands on the wire: packed as redis-py packs them, whatever the words are."""

from typing import Any

import pytest
from redis.asyncio import BlockingConnectionPool
from redis.exceptions import DataError

from broker.storage.packing import pack_by_hiredis

WORDS: list[tuple[Any, ...]] = [
    ("GET", "key"),
    ("SET", "kéy", "日本", b"\x00\xff\r\n", 7, -1, 1.5, ""),
    ("CLIENT SETINFO", "LIB-NAME", "x"),
    ("EVALSHA", "0" * 40, 1, "k", "x" * 70_000),
]


def made(pool: BlockingConnectionPool) -> Any:
    return pool.make_connection()  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1", "rediss://127.0.0.1:1", "unix:///nowhere"])
@pytest.mark.parametrize("words", WORDS, ids=lambda words: words[0])
def test_a_command_is_the_same_bytes_as_redis_py_writes(url: str, words: tuple[Any, ...]) -> None:
    plain, ours = BlockingConnectionPool.from_url(url), BlockingConnectionPool.from_url(url)
    pack_by_hiredis(ours)
    expected = b"".join(made(plain).pack_command(*words))
    assert b"".join(made(ours).pack_command(*words)) == expected


def test_what_is_no_word_is_refused() -> None:
    pool = BlockingConnectionPool.from_url("redis://127.0.0.1:1")
    pack_by_hiredis(pool)
    with pytest.raises(DataError):
        made(pool).pack_command("SET", "key", object())
