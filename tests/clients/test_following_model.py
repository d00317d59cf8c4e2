"""Whatever breaks, a reader is given the whole log once and in order, but for what it was told is gone: each core."""

import json
import os
import random
import subprocess
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from soak.clients.node import NODE
from tests.clients.cases import ulid
from tests.clients.model_session import Session
from tests.clients.test_following_cases import shown

FOLDER = Path(__file__).parents[2] / "clients/js"
TRANSPORTS = st.lists(st.sampled_from(["ws", "sse", "poll"]), min_size=1, unique=True)
STARTS = st.sampled_from([{"cursor": ulid(0)}, {"newest": 3}, {}])
SESSIONS_OF_BOTH = 60


@settings(max_examples=50)
@given(st.integers(0, 2**32), TRANSPORTS, STARTS)
def test_every_event_once_in_order_or_a_word_about_the_gap(seed: int, ways: list[str], start: dict[str, Any]) -> None:
    session = Session(random.Random(seed), {"transports": ways, **start}, shown)
    session.run()
    assert session.given == sorted(set(session.given))
    begin = session.given[0] if "cursor" not in start and session.given else ulid(0)
    missing = [at for at in session.log if at > begin and at not in session.given]
    assert all(any(after < at <= resume for after, resume in session.gaps) for at in missing), missing
    assert session.given[-1] == session.log[-1]
    for after, resume in session.gaps:
        assert not [at for at in session.given if after < at <= resume], "what was given is not gone"
        assert [at for at in session.log if after < at <= resume], "a gap is where something was"


def test_the_javascript_core_does_the_very_same(tmp_path: Path) -> None:
    cases = []
    for number in range(SESSIONS_OF_BOTH):
        chance = random.Random(f"{os.getpid()} {number}")
        ways = chance.sample(["ws", "sse", "poll"], chance.randint(1, 3))
        asked: dict[str, Any] = {"transports": ways, **chance.choice([{"cursor": ulid(0)}, {"newest": 3}, {}])}
        session = Session(chance, asked, shown)
        session.run()
        cases.append({"name": f"session {number}", "asked": asked, "timing": {}, "lines": session.lines})
    path = tmp_path / "sessions.json"
    path.write_text(json.dumps(cases))
    done = subprocess.run(
        [NODE, "--test", FOLDER / "test/cases.test.js"],
        env={**os.environ, "TIDEMARK_CASES": str(path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert f"session {SESSIONS_OF_BOTH - 1}" in done.stdout
