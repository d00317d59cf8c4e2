"""docs/calendars.md tells the truth: its commands are typed into one shell, and lead to what the page says."""

import json
import re
from pathlib import Path

import pytest

from handlers.calendar.events import TYPES
from tests.docs.shells import shell
from tests.programs import program
from tests.serve_process import serving

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/calendars.md").read_text()
BLOCKS = re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.timeout(240)
def test_its_commands_do_what_it_says(tmp_path: Path) -> None:
    program("curl")
    for name in ("run", ".venv"):
        (tmp_path / name).symlink_to(ROOT / name)
    with serving(tmp_path / "data", {}) as server, shell(tmp_path, server.port) as bash:
        _, made, confirmed, last, feed, subscribed = [bash.type(block).read_text() for block in BLOCKS]
    assert json.loads(made)["metadata"] == {"deal_id": "deal_789"}
    assert json.loads((tmp_path / "refused.json").read_text())["error"]["code"] == "hold_conflict"
    assert json.loads(confirmed)["status"] == "confirmed"
    assert feed.startswith("BEGIN:VCALENDAR") and "SUMMARY:Strategy sync" in feed and "\n304\n" in feed
    assert subscribed.startswith('{"status":"syncing"}') and '"status":"paused"' in subscribed
    assert json.loads((tmp_path / "current.json").read_text())["availability_state"] == "partial"
    assert '"ical_url"' in feed.rpartition("\n304\n")[2]
    free, told = map(json.loads, last.replace("}{", "}\n{").splitlines())
    assert [each["start"][11:16] for each in free["slots"]] == ["09:00", "11:00"]
    assert [each["type"] for each in told["events"]][-4:] == [
        *(f"calendar.hold.{each}" for each in ("created", "expired", "created", "confirmed"))
    ]


def test_the_page_has_every_type() -> None:
    for name in TYPES:
        assert name in PAGE or f"`.{name.rpartition('.')[2]}`" in PAGE
