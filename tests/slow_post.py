"""A POST whose body comes late: the server has checked its head and waits."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from tests.serving_app import raw_client


@asynccontextmanager
async def slow_post(
    port: int, path: str, authorization: str, body: bytes
) -> AsyncIterator[Callable[[], Awaitable[int]]]:
    """Entered when the server has asked for the body; what it gives sends the body, and tells the answer's status."""
    lines = [f"POST {path} HTTP/1.1", "Host: x", f"Content-Length: {len(body)}", "Expect: 100-continue"]
    async with raw_client(port) as client:
        await client.send("\r\n".join([*lines, f"Authorization: {authorization}", "", ""]).encode())
        interim = await client.reader.readuntil(b"\r\n\r\n")
        assert interim.startswith(b"HTTP/1.1 100"), interim

        async def finish() -> int:
            await client.send(body)
            return int((await client.read_answer()).split(b" ")[1])

        yield finish
