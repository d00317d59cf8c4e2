"""What is at `/`: the console's page for browsers with its policy, and nothing for programs."""

import re
from pathlib import Path

import pytest

from handlers.console import PAGE, wants_html
from tests.broker_server import BrokerServer

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
FILES = sorted(path for path in PAGE.parent.rglob("*") if path.is_file())
MODULES = [path for path in FILES if path.suffix == ".js"]
LINES = 300
FORBIDDEN = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function|localStorage")


@pytest.mark.parametrize(
    ("accept", "is_wanted"),
    [
        (BROWSER, True),
        ("TEXT/HTML", True),
        ("application/json, text/html;q=0.5", True),
        ("text/html; q=0", False),
        ("*/*", False),
        ("application/json", False),
        ("", False),
    ],
)
async def test_browsers_get_the_page_and_programs_what_they_always_got(
    broker_server: BrokerServer, accept: str, is_wanted: bool
) -> None:
    assert wants_html(accept) is is_wanted
    answer = await broker_server.http.get("/", headers={"Accept": accept})
    assert answer.status_code == (200 if is_wanted else 404)
    if is_wanted:
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8" and "<main" in answer.text
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
    else:
        assert answer.json() == {"error": "Not Found"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
async def test_every_file_is_served_with_a_type_that_browsers_take(broker_server: BrokerServer, path: Path) -> None:
    answer = await broker_server.http.get(f"/static/console/{path.relative_to(PAGE.parent)}")
    kinds = {".js": "javascript", ".css": "text/css", ".html": "text/html", ".svg": "image/svg+xml"}
    assert answer.status_code == 200 and kinds[path.suffix] in answer.headers["Content-Type"]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_a_module_is_one_small_room_that_says_what_it_is_for_and_makes_no_markup_of_text(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= LINES and text.startswith("// ")
    assert not FORBIDDEN.search(text)
    exported = re.findall(r"(?:^|\n)(.*)\nexport (?:async )?(?:function|class|const) (\w+)", text)
    assert [name for before, name in exported if not before.strip().endswith("*/")] == []
    for imported in re.findall(r'from "([^"]+)"', text):
        assert (path.parent / imported).is_file()


def test_the_page_has_no_inline_code_and_no_inline_style() -> None:
    text = PAGE.read_text()
    assert not re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=", text)
