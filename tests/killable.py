"""Processes that are killed at a place: they do real work up to it, say so on a line, and stand there."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
PATIENCE_S = 60.0


@asynccontextmanager
async def killable(module: str, *words: str) -> AsyncIterator[Process]:
    """A process that runs this module of the tests; it is killed at the end, if nobody did so before."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *words, cwd=ROOT, stdin=PIPE, stdout=PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@asynccontextmanager
async def ready(module: str, *words: str) -> AsyncIterator[Process]:
    """The same, which has said that it is ready."""
    async with killable(module, *words) as process:
        assert await said(process) == "ready"
        yield process


async def said(process: Process) -> str:
    """The next line that it says; empty where it has ended."""
    assert process.stdout is not None
    return (await asyncio.wait_for(process.stdout.readline(), PATIENCE_S)).decode().strip()


def tell(process: Process) -> None:
    """Let it go on."""
    assert process.stdin is not None
    process.stdin.write(b"go\n")
