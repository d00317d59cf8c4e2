"""docs/calendars.md tells the truth: its commands are typed into one shell, and lead to what the page says."""

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest

from broker.events import Frame
from broker.ids import Position, render_ulid
from handlers.calendar.sent import headers_of
from handlers.calendar.webhook_models import EventName
from tests.docs.shells import shell
from tests.programs import program
from tests.serve_process import serving

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/calendars.md").read_text()
[CHECK] = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
BLOCKS = re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.timeout(240)
def test_its_commands_do_what_it_says(tmp_path: Path) -> None:
    program("curl")
    for name in ("run", ".venv"):
        (tmp_path / name).symlink_to(ROOT / name)
    with serving(tmp_path / "data", {}) as server, shell(tmp_path, server.port) as bash:
        _, made, confirmed, last, hook, feed, subscribed = [bash.type(block).read_text() for block in BLOCKS]
    assert json.loads(made)["metadata"] == {"deal_id": "deal_789"}
    assert json.loads((tmp_path / "refused.json").read_text())["error"]["code"] == "hold_conflict"
    assert json.loads(confirmed)["status"] == "confirmed"
    assert json.loads(hook)["secret"].startswith("whsec_") and json.loads(hook)["active"] is True
    assert json.loads((tmp_path / "inactive.json").read_text())["active"] is False
    deliveries = json.loads((tmp_path / "deliveries.json").read_text())
    assert deliveries["stats"] == {"pending": 0, "delivered": 0, "failed": 0}
    assert feed.startswith("BEGIN:VCALENDAR") and "SUMMARY:Strategy sync" in feed and "\n304\n" in feed
    assert subscribed.startswith('{"status":"syncing"}') and '"status":"paused"' in subscribed
    assert json.loads((tmp_path / "current.json").read_text())["availability_state"] == "partial"
    assert '"ical_url"' in feed.rpartition("\n304\n")[2]
    free, told = map(json.loads, last.replace("}{", "}\n{").splitlines())
    assert [each["start"][11:16] for each in free["slots"]] == ["09:00", "11:00"]
    assert [each["type"] for each in told["events"]][-4:] == [
        *(f"calendar.hold.{each}" for each in ("created", "expired", "created", "confirmed"))
    ]


def test_its_check_of_a_signature_takes_what_is_sent_and_nothing_else() -> None:
    own: dict[str, Any] = {}
    exec(CHECK, own)  # noqa: S102 - a block of our own page
    place = Position(1, 0)
    frame = Frame(place, render_ulid("0" * 9, place), b'"calendar.event.created"', b"{}")
    now_ms = int(time.time() * 1000)
    headers = headers_of("whsec_x", "whk_1", frame, b'{"a":1}', now_ms)
    old = headers_of("whsec_x", "whk_1", frame, b'{"a":1}', now_ms - 400_000)
    assert own["is_genuine"](headers, b'{"a":1}', "whsec_x")
    assert not own["is_genuine"](headers, b'{"a":2}', "whsec_x")
    assert not own["is_genuine"](headers, b'{"a":1}', "whsec_y")
    assert not own["is_genuine"](old, b'{"a":1}', "whsec_x")


def test_the_page_has_every_name_that_webhooks_may_ask_for() -> None:
    for name in EventName.__args__:  # type: ignore[attr-defined]
        assert f"`{name}`" in PAGE or name.startswith("proposal.")
