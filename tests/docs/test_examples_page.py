"""docs/examples.md tells the truth: its commands do what its table says. What each example does, tests/flows knows."""

import re
import shutil
from pathlib import Path

import pytest

from bench.processes import free_port
from examples import live_event
from tests.docs.blocks import Blocks, runs
from tests.docs.shells import session

ORIGINS = """["http://127.0.0.1:8010", "http://127.0.0.1:8011"]"""
SETTINGS = {
    "TIDEMARK_SERVER__ALLOWED_ORIGINS": ORIGINS,
    "TIDEMARK_OUTBOUND__ALLOW": '["127.0.0.0/8"]',
    "TIDEMARK_LIVE__INGEST_SECRET": "a-secret",
}
# There is a server with these settings already.
SERVES = {
    f"TIDEMARK_SERVER__ALLOWED_ORIGINS='{ORIGINS}' ./run serve": ":",
    """TIDEMARK_OUTBOUND__ALLOW='["127.0.0.0/8"]' ./run serve""": ":",
    "TIDEMARK_LIVE__INGEST_SECRET=a-secret ./run serve": ":",
}
HERE = {
    "host_metrics.py": "host_metrics.py --count 2 --every 0.1",
    "examples.price_ticker": "examples.price_ticker --port 0 --rounds 2 --every 0.1",
    "examples.chat": "examples.chat --port 0 --for-s 0.1",
    "slot_race.py": "slot_race.py --work-s 0.1",
    "scheduled_call.py": "scheduled_call.py --in-s 1",
    "live_event.py": f"live_event.py --live-s 1 --rtmp-port {free_port()}",
    " --token": " --url http://127.0.0.1:8000 --token",
    " --key": " --url http://127.0.0.1:8000 --key",
}


@pytest.mark.timeout(300)
@runs("docs/examples.md", "sh")
def test_its_commands_do_what_it_says(tmp_path: Path, blocks: Blocks) -> None:
    if live_event.nginx_path() is None or shutil.which("ffmpeg") is None:
        pytest.skip("no nginx with RTMP or no ffmpeg: apt-get install nginx libnginx-mod-rtmp ffmpeg")
    assert [serve in text for text, serve in zip([block.text for block in blocks[1:]], SERVES, strict=True)] == [
        True
    ] * 3
    with session(tmp_path, SETTINGS, here=SERVES | HERE) as page:
        first, pages, call, live = page.all(blocks)
    assert len(re.findall(r"agent-\d has the slot", first)) == 3
    assert re.search(r"Prices at http://\S+\nChat at http://", pages)
    assert "a retry of" in call
    assert "recording finalised" in live
