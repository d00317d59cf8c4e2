"""The pages of the site: it builds without a warning, its commands do what the pages say, its order is kept."""

import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]

from broker.config_sources import load_settings
from tests.docs.shells import shell
from tests.programs import program
from tests.serve_process import environment, serving

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
MOST_LINES = 1_000


def blocks(page: str, kind: str = "sh") -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", (DOCS / page).read_text(), re.MULTILINE | re.DOTALL)


def at_home(directory: Path) -> None:
    """Make it a directory in which the commands of pages work."""
    for name in ("run", ".venv"):
        (directory / name).symlink_to(ROOT / name)


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
def test_five_minutes_do_what_they_say(tmp_path: Path) -> None:
    program("curl")
    at_home(tmp_path)
    first, *others, follow = blocks("quickstart.md")
    assert first == "./run serve\n"
    with serving(tmp_path / "data") as server, shell(tmp_path, server.port) as bash:
        made, page, missed = [bash.type(block).read_text() for block in others]
        tail = bash.type(follow, goes_on=True)
        later = bash.type("""./run publish orders '{"order": 3}' --type order.paid""").read_text()
        # What follows has it as well.
        from_tail = bash.type(f"until grep -q '\"order\":3' {tail}; do sleep 0.1; done").read_text()
    assert "order.sent" in page and [each["type"] for each in json.loads(page)["events"]] == [
        "order.paid",
        "order.sent",
    ]
    assert [each["data"]["order"] for each in json.loads(missed[missed.index('{"events"') :])["events"]] == [2]
    assert made and later and not from_tail


@pytest.mark.timeout(240)
def test_the_page_of_channels_does_what_it_says(tmp_path: Path) -> None:
    program("curl")
    at_home(tmp_path)
    with serving(tmp_path / "data") as server, shell(tmp_path, server.port) as bash:
        made, published, pages, stream, changed = [bash.type(block).read_text() for block in blocks("channels.md")]
    assert json.loads(made)["id"] == "prices"
    one, again, batch = map(json.loads, re.sub(r"\}(?=\{)", "}\n", published).splitlines())
    assert one == again and [each["type"] for each in batch["events"]] == ["tick", "halt"]
    newest, halts = map(json.loads, re.sub(r"\}(?=\{)", "}\n", pages).splitlines())
    assert [each["type"] for each in newest["events"]] == ["tick", "halt"]
    assert [each["id"] for each in halts["events"]] == [newest["events"][1]["id"]]
    assert f"id: {newest['events'][1]['id']}" in stream
    status, rest = changed.split("\n", 1)
    assert status == "204" and '"is_public":false' in rest and "Subscribe token required" in rest


def test_the_manifest_for_kubernetes_names_what_there_is() -> None:
    [text] = blocks("kubernetes.md", "yaml")
    spec = yaml.safe_load(text)["spec"]["template"]["spec"]
    [container] = spec["containers"]
    settings = load_settings(None, environ={each["name"]: each["value"] for each in container["env"]})
    assert settings.server.drain_s < settings.server.shutdown_s < spec["terminationGracePeriodSeconds"]
    paths = {container[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "readiness", "liveness")}
    assert paths == {"/readyz", "/healthz"} and container["args"][0] == "serve"
    assert tomllib.loads((ROOT / "config.toml").read_text())["server"]["port"] == container["ports"][0]["containerPort"]


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
