"""docs/console.md tells the truth: its commands work on a server, and its table has the panels that there are."""

import re
from pathlib import Path

import pytest

from tests.docs.shells import shell
from tests.serve_process import serving

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/console.md").read_text()
BLOCKS = re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
PANELS = (ROOT / "handlers/static/console/panels.js").read_text()


@pytest.mark.timeout(240)
def test_its_commands_do_what_it_says(tmp_path: Path) -> None:
    for name in ("run", ".venv"):
        (tmp_path / name).symlink_to(ROOT / name)
    with serving(tmp_path / "data") as server, shell(tmp_path, server.port) as bash:
        server.create("orders")
        token, _, made = [bash.type(block).read_text().split() for block in BLOCKS]
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
