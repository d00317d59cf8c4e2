"""docs/live.md tells the truth: its commands are typed into one shell, and lead to what the page says."""

from pathlib import Path

import pytest

from tests.docs.blocks import Blocks, runs
from tests.docs.shells import answers, session


@pytest.mark.timeout(240)
@runs("docs/live.md", "sh")
def test_its_commands_do_what_it_says(tmp_path: Path, blocks: Blocks) -> None:
    with session(tmp_path) as page:
        made, live, access = (answers(text) for text in page.all(blocks))
    [event] = made
    assert (event["status"], event["slug"]) == ("ready", "town-hall") and event["stream_key"].startswith("sk_")
    started, seen = live
    assert started["status"] == "live" and seen["watch_state"] == "access_required"
    token, verified, consumed = access
    assert token["max_uses"] == 1 and verified["verified"] is True and verified["playback_mode"] == "live"
    assert consumed == {"consumed": True, "already_consumed": False}
