"""Having a feed read by a process of its own, which may take so long and so much (decision 0020).

That process limits itself (`child.py`); here it is killed when it takes longer than that could, and no more is taken
from it than it may say. Whatever becomes of it is data.
"""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from broker.strictjson import parse_stored, render_json
from handlers.calendar.imports.fetching import Failed
from handlers.calendar.imports.occurrence import MOST_ANSWER_BYTES, NO_MEMORY, Expanded, Span, parse_expanded

ROOT = Path(__file__).parents[3]
PATIENCE = 4
"""How many times its processor time a reading may take by the wall clock: machines have other things to do."""

NOT_READ = "reading it failed"


class ReadLimits(NamedTuple):
    """What reading one feed may cost: processor time, and address space."""

    cpu_s: int = 20
    memory_bytes: int = 268_435_456


async def read_feed(feed: bytes, span: Span, limits: ReadLimits) -> Expanded | Failed:
    """What happens in a span of time, or why that cannot be said."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-P", "-m", "handlers.calendar.imports.child"),
        stdin=PIPE,
        stdout=PIPE,
        stderr=DEVNULL,
        env=_environment(),
        process_group=0,  # Ctrl-C in a terminal is for the parent
    )
    question = {"span": list(span), "cpu_s": limits.cpu_s, "memory_bytes": limits.memory_bytes}
    try:
        async with asyncio.timeout(limits.cpu_s * PATIENCE):
            answer = await _exchange(process, render_json(question) + b"\n" + feed)
            code = await process.wait()
    except TimeoutError:
        return Failed(_late(limits))
    finally:
        await _end(process)
    return _outcome(code, answer, limits)


async def _exchange(process: Process, question: bytes) -> bytes:
    """Give it all, and take what it says until it ends or says too much."""
    assert process.stdin is not None and process.stdout is not None  # noqa: S101 - tells the types
    # It may end before it took everything.
    with suppress(BrokenPipeError, ConnectionResetError):
        process.stdin.write(question)
        await process.stdin.drain()
    process.stdin.close()
    answer = bytearray()
    while len(answer) <= MOST_ANSWER_BYTES and (part := await process.stdout.read(65_536)):
        answer += part
    return bytes(answer)


async def _end(process: Process) -> None:
    """Leave nothing behind, also when we are cancelled."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.kill()
        await asyncio.shield(process.wait())


def _outcome(code: int, answer: bytes, limits: ReadLimits) -> Expanded | Failed:
    if code in (-signal.SIGXCPU, -signal.SIGKILL):
        return Failed(_late(limits))
    if code == -signal.SIGSEGV:
        return Failed(NO_MEMORY)
    if code != 0 or not answer:
        return Failed(f"{NOT_READ} ({code})")
    told = parse_stored(answer)
    return Failed(told["error"]) if "error" in told else parse_expanded(told)


def _late(limits: ReadLimits) -> str:
    return f"reading it takes more than {limits.cpu_s} s of a processor"


def _environment() -> dict[str, str]:
    """What it needs to find its modules, and nothing of what we were given."""
    given = [os.environ[name] for name in ("PYTHONPATH",) if name in os.environ]
    return {"PYTHONPATH": os.pathsep.join([str(ROOT), *given])}
