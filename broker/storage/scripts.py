"""The Lua scripts: one file each under `lua/`, called by SHA, loaded where the server does not know them.

Arguments and answers are described at the head of each file. A script call is one round trip and atomic. A line
`--@include name` stands for the file `parts/name.lua`: what several scripts share is written once.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha1
from pathlib import Path
from time import perf_counter
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import NoScriptError

from broker.counts import Histogram
from broker.storage.connect import answered
from broker.storage.replication import then_wait

_FOLDER = Path(__file__).parent / "lua"
_INCLUDE = re.compile(r"^--@include (\w+)$", re.MULTILINE)


@dataclass(slots=True)
class Keep:
    """The answer to an Idempotency-Key for `Script.once` to keep: its keys and words (parts/keeping.lua).

    `is_kept` says that it was, by a step that succeeded.
    """

    keys: tuple[str, str]
    words: tuple[Any, ...]
    is_kept: bool = False


class Answered(Exception):
    """The Idempotency-Key has its answer already, so nothing was done: find it, and give it again."""


class Script:
    """One Lua script; calling it answers what the script returns, or raises `Unavailable`.

    `times` are the seconds that calls took in this process, also those that failed.
    """

    def __init__(self, name: str, *, is_keeping: bool = False) -> None:
        self.name = name
        self.source = _compose((_FOLDER / f"{name}.lua").read_text())
        if is_keeping:
            around = _compose((_FOLDER / "parts" / "keeping.lua").read_text())
            self.source = around.replace("--@script", self.source)
        self.sha = sha1(self.source.encode(), usedforsecurity=False).hexdigest()
        self.times = Histogram()
        self._keeping: Script | None = None

    async def __call__(self, client: Redis, keys: list[str], args: list[Any]) -> Any:
        """Run the script; a server that does not know it has done nothing, so it is sent whole then."""
        begun = perf_counter()
        try:
            return await answered(client.evalsha(self.sha, len(keys), *keys, *args))
        except NoScriptError:
            return await answered(client.eval(self.source, len(keys), *keys, *args))
        finally:
            self.times.observe(perf_counter() - begun)

    async def replicated(self, client: Redis, keys: list[str], args: list[Any], *, timeout_ms: int) -> tuple[Any, bool]:
        """Run the script and wait for a replica: what it returns, and whether one has what it wrote, in time."""
        begun = perf_counter()
        try:
            return await then_wait(client, ("EVALSHA", self.sha, len(keys), *keys, *args), timeout_ms)
        except NoScriptError:
            return await then_wait(client, ("EVAL", self.source, len(keys), *keys, *args), timeout_ms)
        finally:
            self.times.observe(perf_counter() - begun)

    async def once(self, client: Redis, keys: list[str], args: list[Any], keep: Keep | None) -> Any:
        """The same, and `keep` in the same step where it succeeds; raises `Answered` where that is not the first time.

        For scripts that say by 'ok' or a number that they succeeded.
        """
        if keep is None:
            return await self(client, keys, args)
        if self._keeping is None:
            self._keeping = Script(self.name, is_keeping=True)
            self._keeping.times = self.times
        outcome = await self._keeping(client, [*keys, *keep.keys], [*args, *keep.words])
        if outcome == b"answered":
            raise Answered
        keep.is_kept = outcome == b"ok" or outcome.isdigit()
        return outcome


def _compose(text: str) -> str:
    return _INCLUDE.sub(lambda line: (_FOLDER / "parts" / f"{line[1]}.lua").read_text(), text)


APPEND = Script("append")
PAGE = Script("page")
CHECK_LOGS = Script("check_logs")
THREAD = Script("thread")
DELETE_EVENT = Script("delete_event")
TRIM = Script("trim")
CREATE_CHANNEL = Script("create_channel")
CHANGE_CHANNEL = Script("change_channel")
DELETE_CHANNEL = Script("delete_channel")
PUT_DOCUMENT = Script("put_document")
PUT_ENDPOINTS = Script("put_endpoints")
TAKE_RATE = Script("take_rate")
RAISE_FLOOR = Script("raise_floor")
COMMIT = Script("commit")
READ_DOCUMENTS = Script("read_documents")
LIST_DOCUMENTS = Script("list_documents")
EXPIRE_DOCUMENTS = Script("expire_documents")
KEEP_ANSWER = Script("keep_answer")
CLAIM_TIMERS = Script("claim_timers")
RELEASE_TIMER = Script("release_timer")
LIST_TIMERS = Script("list_timers")
CLAIM_DELIVERIES = Script("claim_deliveries")
REST_DELIVERY = Script("rest_delivery")
MARK_DELIVERY = Script("mark_delivery")
REPORT_PRESENCE = Script("report_presence")
READ_PRESENCE = Script("read_presence")


def all_scripts() -> Iterator[Script]:
    """Every script above."""
    return (each for each in globals().values() if isinstance(each, Script))
