"""The pages of the site: it builds without a warning, its commands do what the pages say, its order is kept."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.docs.blocks import ROOT, Blocks, runs
from tests.docs.shells import answers, session, until
from tests.serve_process import environment

DOCS = ROOT / "docs"
MOST_LINES = 1_000


@pytest.mark.timeout(240)
def test_the_site_builds_without_a_warning_and_has_every_page(tmp_path: Path) -> None:
    words = [str(ROOT / ".venv/bin/mkdocs"), "build", "--strict", "--site-dir", str(tmp_path / "site")]
    done = subprocess.run(words, cwd=ROOT, env=environment(NO_MKDOCS_2_WARNING="1"), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    built = {path.parent.name for path in (tmp_path / "site").rglob("index.html")}
    assert {page.stem for page in DOCS.rglob("*.md")} - {"index", "README"} <= built
    outside = re.compile(r'<(?:script|link)[^>]*(?:src|href)="https?://(?!squidfunk)[^"]*"')
    assert not outside.search((tmp_path / "site/index.html").read_text()), "the site asks nobody else for its parts"


def test_every_page_is_in_the_navigation_once() -> None:
    text = (ROOT / "mkdocs.yml").read_text()
    listed = re.findall(r"[\w/-]+\.md", text[text.index("\nnav:") :])
    assert sorted(listed) == sorted(str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md"))


@pytest.mark.timeout(240)
@runs("docs/quickstart.md", "sh")
def test_five_minutes_do_what_they_say(tmp_path: Path, blocks: Blocks) -> None:
    *commands, follow = blocks
    with session(tmp_path) as page:
        made, first, missed = page.all(commands)
        tail = page.begin(follow)
        page.server.run(
            "publish", "orders", '{"order": 3}', "--type", "order.paid", "--data", "data"
        ).check_returncode()
        # What follows has it as well.
        until(lambda: '"order":3' in tail.read_text(), lambda: f"tail shows {tail.read_text()}")
    assert made and [each["type"] for each in answers(first)[0]["events"]] == ["order.paid", "order.sent"]
    assert [each["data"]["order"] for each in answers(missed[missed.index('{"events"') :])[0]["events"]] == [2]


@pytest.mark.timeout(240)
@runs("docs/channels.md", "sh")
def test_the_page_of_channels_does_what_it_says(tmp_path: Path, blocks: Blocks) -> None:
    with session(tmp_path) as page:
        made, published, pages, stream, changed = page.all(blocks)
    assert answers(made)[0]["id"] == "prices"
    one, again, batch = answers(published)
    assert one == again and [each["type"] for each in batch["events"]] == ["tick", "halt"]
    newest, halts = answers(pages)
    assert [each["type"] for each in newest["events"]] == ["tick", "halt"]
    assert [each["id"] for each in halts["events"]] == [newest["events"][1]["id"]]
    assert f"id: {newest['events'][1]['id']}" in stream
    status, rest = changed.split("\n", 1)
    assert status == "204" and '"is_public":false' in rest and "Subscribe token required" in rest


def test_the_reading_order_is_there_and_short() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    order = text[text.index("**Read the house") : text.index("**Add an endpoint**")]
    files = [
        ROOT / "docs/architecture.md",
        *(ROOT / name for name in re.findall(r"`((?:broker|handlers)/[\w/]+\.py)`", order)),
    ]
    assert len(files) >= 6
    assert sum(len(path.read_text().splitlines()) for path in files) < MOST_LINES
    assert len(text.splitlines()) <= 50, "one screen"
