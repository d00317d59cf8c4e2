"""docs/cuey.md tells the truth: its commands are typed into one shell, and lead to what the page says."""

from pathlib import Path

import pytest

from bench.processes import free_port
from tests.docs.blocks import Blocks, runs
from tests.docs.shells import answers, session

OPEN = {"TIDEMARK_OUTBOUND__ALLOW": '["127.0.0.0/8"]'}


@pytest.mark.timeout(240)
@runs("docs/cuey.md", "sh")
def test_its_commands_do_what_it_says(tmp_path: Path, blocks: Blocks) -> None:
    with session(tmp_path, OPEN, here={"8099": str(free_port())}) as page:
        _, made, called, crons, told = (answers(text) for text in page.all(blocks))
    assert made[0]["data"]["status"] == "pending"
    event = called[0]["data"]
    assert (event["status"], event["response_status"], event["response_error"]) == ("success", 200, None)
    assert "GET /hook" in (tmp_path / "receiver.log").read_text()
    cron, pending = crons
    assert cron["data"]["timezone"] == "Europe/Berlin"
    assert {each["cron_id"] for each in pending["data"]} == {cron["data"]["id"]}
    [succeeded] = told[0]["events"]
    assert succeeded["data"]["subject"] == event["id"]
