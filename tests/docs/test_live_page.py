"""docs/live.md tells the truth: its commands are typed into one shell, and lead to what the page says."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.docs.shells import shell
from tests.programs import program
from tests.serve_process import serving

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/live.md").read_text()
BLOCKS = re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def answers(text: str) -> list[Any]:
    """The JSON values that commands have printed one after the other."""
    found, decoder = [], json.JSONDecoder()
    while text.strip():
        value, end = decoder.raw_decode(text.strip())
        found.append(value)
        text = text.strip()[end:]
    return found


@pytest.mark.timeout(240)
def test_its_commands_do_what_it_says(tmp_path: Path) -> None:
    program("curl")
    for name in ("run", ".venv"):
        (tmp_path / name).symlink_to(ROOT / name)
    with serving(tmp_path / "data") as server, shell(tmp_path, server.port) as bash:
        made, live, access = (bash.type(block).read_text() for block in BLOCKS)
    event = json.loads(made[made.index("{") :])
    assert (event["status"], event["slug"]) == ("ready", "town-hall") and event["stream_key"].startswith("sk_")
    started, seen = answers(live)
    assert started["status"] == "live" and seen["watch_state"] == "access_required"
    token, verified, consumed = answers(access)
    assert token["max_uses"] == 1 and verified["verified"] is True and verified["playback_mode"] == "live"
    assert consumed == {"consumed": True, "already_consumed": False}
