"""The Lua scripts: one file each under `lua/`, called by SHA, loaded where the server does not know them.

Arguments and answers are described at the head of each file. A script call is one round trip and atomic.
"""

from hashlib import sha1
from pathlib import Path
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import NoScriptError

from broker.storage.connect import answered

_FOLDER = Path(__file__).parent / "lua"


class Script:
    """One Lua script; calling it answers what the script returns, or raises `Unavailable`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.source = (_FOLDER / f"{name}.lua").read_text()
        self.sha = sha1(self.source.encode(), usedforsecurity=False).hexdigest()

    async def __call__(self, client: Redis, keys: list[str], args: list[Any]) -> Any:
        """Run the script; a server that does not know it has done nothing, so it is sent whole then."""
        try:
            return await answered(client.evalsha(self.sha, len(keys), *keys, *args))
        except NoScriptError:
            return await answered(client.eval(self.source, len(keys), *keys, *args))


APPEND = Script("append")
PAGE = Script("page")
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
