"""docs/console.md tells the truth: its commands work on a server, and its table has the panels that there are."""

import re
from pathlib import Path

import pytest

from tests.docs.blocks import ROOT, Blocks, runs
from tests.docs.shells import session

PAGE = (ROOT / "docs/console.md").read_text()
PANELS = (ROOT / "handlers/static/console/panels.js").read_text()


@pytest.mark.timeout(240)
@runs("docs/console.md", "sh")
def test_its_commands_do_what_it_says(tmp_path: Path, blocks: Blocks) -> None:
    with session(tmp_path) as page:
        server = page.server
        server.create("orders")
        token, _, made = (text.split() for text in page.all(blocks))
        [event] = server.ask("GET", "/channels/orders/history").json()["events"]
        # Beside each key stands what it is for.
        keys = [word for word in made if word.startswith(("tm_", "chr_sk_"))]
        claims = server.ask("GET", "/tokens/claims", headers={"Authorization": f"Bearer {token[-1]}"}).json()
        tenants = [server.ask("GET", "/tenant", headers={"Authorization": f"Bearer {key}"}).json() for key in keys]
    assert claims["scopes"] == ["admin"] and claims["exp"] - claims["iat"] == 8 * 3600
    assert (event["type"], event["data"]["status"]) == ("order.paid", "paid")
    assert [each["scopes"] for each in tenants] == [["live", "cuey"], ["calendar"]]


def test_its_table_has_every_panel() -> None:
    titles = re.findall(r'title: "([^"]+)"', PANELS)
    rows = re.findall(r"^\| (\S[^|]*?) \|", PAGE, re.MULTILINE)
    assert len(titles) == 9 and [row for row in rows if row in titles] == titles
