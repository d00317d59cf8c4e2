"""docs/deploy.md tells the truth: its command serves, and so does its unit, which gives the server what it needs."""

import configparser
import shlex
from pathlib import Path

import pytest

from broker.config_sources import load_settings
from tests.docs.blocks import ROOT, Blocks, runs
from tests.docs.shells import shell, until
from tests.flows.test_readme import server_beneath
from tests.serve_process import ServeProcess, free_port

DEFAULTS = load_settings(None, {})


@pytest.mark.timeout(240)
@runs("docs/deploy.md#one-machine-no-container", "sh", "ini")
def test_its_command_and_its_unit_serve_and_end_well(tmp_path: Path, blocks: Blocks) -> None:
    command, unit = blocks
    parser = configparser.ConfigParser()
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(unit.text)
    service = parser["Service"]
    assert service["ExecStart"].removeprefix("/opt/tidemark") == command.text.strip().removeprefix(".")
    assert Path("/var/lib") / service["StateDirectory"] == Path(shlex.split(service["ExecStart"])[3])
    assert int(service["TimeoutStopSec"]) > DEFAULTS.server.shutdown_s + 5
    assert int(service["LimitNOFILE"]) > DEFAULTS.limits.connections
    # SIGTERM goes to the broker alone.
    assert service["KillMode"] == "mixed"
    (tmp_path / "tidemark.toml").write_text("[channels]\npoll_interval_s = 3\n")
    here = {
        "/opt/tidemark": str(ROOT),
        "/var/lib/tidemark": str(tmp_path / "state"),
        "/etc/tidemark.toml": str(tmp_path / "tidemark.toml"),
    }
    port = free_port()
    with shell(tmp_path, port, here) as bash:
        for text in (command.text, service["ExecStart"]):
            log = bash.type(text, goes_on=True)
            until(ServeProcess(tmp_path / "state", port, {}).is_ready, log.read_text)
            server_beneath(bash.pid).terminate()
            # Fails unless the server's status is 0.
            bash.type("wait %1")
    assert (tmp_path / "state/signing_key.json").exists()
