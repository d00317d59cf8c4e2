"""`./run key`: one key on stdout and nothing else, on the engine of a running server."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from broker.storage.embedded import EmbeddedEngine
from handlers.__main__ import main


@pytest.fixture
def data(shared_engine: EmbeddedEngine, engine_url: str) -> str:
    """The data directory of an engine that runs and holds nothing."""
    assert engine_url
    return str(shared_engine.data)


def run_key(*words: str, **environ: str) -> Result:
    return CliRunner().invoke(main, ["key", *words], env=environ)


def test_a_new_key_is_all_there_is_on_stdout(data: str) -> None:
    for scope, form in (("lifecycle", "tm_"), ("calendar", "chr_sk_")):
        result = run_key("--data", data, "--tenant", "acme", "--scope", scope)
        assert result.exit_code == 0, result.output
        assert re.fullmatch(form + r"\d\d[0-9A-Za-z]{40}\n", result.stdout)
    agent = run_key("--data", data, "--tenant", "acme", "--scope", "calendar", "--agent", "a1")
    assert agent.stdout.startswith("chr_ak_")


def test_keys_are_listed_and_revoked(data: str, engine_url: str, tmp_path: Path) -> None:
    made = run_key("--data", data, "--tenant", "acme", "--scope", "cuey", "--scope", "live")
    by_url = {"TIDEMARK_ENGINE__URL": engine_url}
    [line] = run_key("--list", "--data", str(tmp_path), **by_url).stdout.splitlines()
    key_id, prefix, tenant, scopes, _ = line.split("  ")
    assert made.stdout.startswith(prefix.removesuffix("...")) and made.stdout.strip() not in line
    assert (tenant, scopes) == ("acme", "live,cuey")
    assert run_key("--data", data, "--list", "--tenant", "other").stdout == ""
    assert " revoked 20" in run_key("--data", data, "--revoke", key_id).stdout
    assert " revoked 20" in run_key("--data", data, "--list").stdout


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--tenant", "acme"],
        ["--scope", "cuey"],
        ["--list", "--revoke", "x"],
        ["--tenant", "Acme", "--scope", "cuey"],
        ["--tenant", "acme", "--scope", "nothing"],
        ["--tenant", "acme", "--scope", "cuey", "--agent", "a"],
    ],
)
def test_what_makes_no_sense_is_a_usage_error(data: str, words: list[str]) -> None:
    result = run_key("--data", data, *words)
    assert result.exit_code == 2 and result.stdout == ""


def test_an_unknown_key_and_a_server_that_does_not_run_are_told(data: str, tmp_path: Path) -> None:
    assert "not found" in run_key("--data", data, "--revoke", "key_1").output
    missing = run_key("--data", str(tmp_path), "--tenant", "acme", "--scope", "cuey")
    assert missing.exit_code == 1 and "./run serve" in missing.output
