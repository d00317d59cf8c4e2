"""docs/cuey.md tells the truth: its commands are typed into one shell, and lead to what the page says."""

import json
import re
from pathlib import Path

import pytest

from bench.processes import free_port
from tests.docs.shells import shell
from tests.programs import program
from tests.serve_process import serving

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/cuey.md").read_text()
BLOCKS = re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
OPEN = {"TIDEMARK_OUTBOUND__ALLOW": '["127.0.0.0/8"]'}


@pytest.mark.timeout(240)
def test_its_commands_do_what_it_says(tmp_path: Path) -> None:
    program("curl")
    for name in ("run", ".venv"):
        (tmp_path / name).symlink_to(ROOT / name)
    port = free_port()
    with serving(tmp_path / "data", OPEN) as server, shell(tmp_path, server.port) as bash:
        outputs = [bash.type(block.replace("8099", str(port))) for block in BLOCKS]
        _, made, called, crons, told = (each.read_text() for each in outputs)
    assert json.loads(made)["data"]["status"] == "pending"
    event = json.loads(called)["data"]
    assert (event["status"], event["response_status"], event["response_error"]) == ("success", 200, None)
    assert "GET /hook" in (tmp_path / "receiver.log").read_text()
    cron, pending = map(json.loads, crons.replace("}{", "}\n{").splitlines())
    assert cron["data"]["timezone"] == "Europe/Berlin"
    assert {each["cron_id"] for each in pending["data"]} == {cron["data"]["id"]}
    [succeeded] = json.loads(told)["events"]
    assert succeeded["data"]["subject"] == event["id"]
