"""docs/lifecycle.md tells the truth: its commands are typed into one shell, and show what the page says they show."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.docs.shells import shell, until
from tests.programs import program
from tests.serve_process import serving

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/lifecycle.md").read_text()
BLOCKS = re.findall(r"^```(sh|json)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
GENERATED = ("chat_id", "room_id")
ID = "c2ed3890-716d-4380-a597-d860ecacada0"


def shown(text: str) -> Any:
    """An answer without what is made up anew each time: ids of rooms and chats, and times but for being set."""
    value = json.loads(text)
    for event in value.get("events", ()):
        event.update(dict.fromkeys(GENERATED), **{name: event[name] > 0 for name in event if name.endswith("_time")})
    return value


@pytest.mark.timeout(240)
def test_its_commands_do_what_it_says(tmp_path: Path) -> None:
    program("curl")
    for name in ("run", ".venv"):
        (tmp_path / name).symlink_to(ROOT / name)
    with serving(tmp_path / "data") as server, shell(tmp_path, server.port) as bash:
        outputs: list[Path] = []
        for kind, block in BLOCKS:
            if kind == "json":
                assert shown(outputs[-1].read_text()) == shown(block)
            else:
                outputs.append(bash.type(block, goes_on="./run tail" in block))
        texts = [each.read_text() for each in outputs[:-1]]
        tail = outputs[-1]
        until(lambda: "lifecycle.event.finished" in tail.read_text(), f"tail shows {tail.read_text()}")
    key, create, start, finish, cancel, select, page = texts
    assert re.fullmatch(r"Made key_\w+ for acme\n", key), "the key is not shown"
    assert '"status":"StatusPending"' in create and '"status":"StatusStarted"' in start
    assert '"status":"StatusFinished"' in finish and '"failed_precondition"' in cancel
    assert re.search(r"(?im)^tidemark-channel: lifecycle-team-acme\r?$", select)
    [told] = json.loads(page)["events"]
    assert re.search(rf"(?im)^tidemark-cursor: {told['id']}\r?$", select)
    assert told["data"]["subject"] == ID and told["data"]["event"] == json.loads(finish)["events"][0]
    assert re.findall(r"lifecycle\.event\.\w+", tail.read_text()) == [
        f"lifecycle.event.{word}" for word in ("created", "started", "finished")
    ]
