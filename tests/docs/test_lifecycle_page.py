"""docs/lifecycle.md tells the truth: its commands are typed into one shell, and show what the page says they show."""

import re
from pathlib import Path

import pytest

from tests.docs.blocks import Blocks, runs
from tests.docs.shells import answers, session, until

ID = "c2ed3890-716d-4380-a597-d860ecacada0"


@pytest.mark.timeout(240)
@runs("docs/lifecycle.md", "sh", "json")
def test_its_commands_do_what_it_says(tmp_path: Path, blocks: Blocks) -> None:
    *commands, follow = blocks
    with session(tmp_path) as page:
        key, create, start, finish, cancel, select, told_page = page.all(commands)
        tail = page.begin(follow)
        until(lambda: "lifecycle.event.finished" in tail.read_text(), lambda: f"tail shows {tail.read_text()}")
    assert re.fullmatch(r"Made key_\w+ for acme\n", key), "the key is not shown"
    assert '"status":"StatusPending"' in create and '"status":"StatusStarted"' in start
    assert '"status":"StatusFinished"' in finish and '"failed_precondition"' in cancel
    assert re.search(r"(?im)^tidemark-channel: lifecycle-team-acme\r?$", select)
    [told] = answers(told_page)[0]["events"]
    assert re.search(rf"(?im)^tidemark-cursor: {told['id']}\r?$", select)
    assert told["data"]["subject"] == ID and told["data"]["event"] == answers(finish)[0]["events"][0]
    assert re.findall(r"lifecycle\.event\.\w+", tail.read_text()) == [
        f"lifecycle.event.{word}" for word in ("created", "started", "finished")
    ]
