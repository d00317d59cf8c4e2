"""`./run token`: one token on stdout and nothing else, with or without a server."""

from pathlib import Path
from time import time

import pytest
from click.testing import CliRunner, Result

from broker.claims import Claims
from broker.signing_file import load_or_create
from broker.tokens import read_claims
from broker.trust import own_key
from handlers.__main__ import main


def run_token(*words: str, **environ: str) -> Result:
    """The outcome of the command."""
    return CliRunner().invoke(main, ["token", *words], env=environ)


def claims_of(result: Result, data: Path, audience: str = "http://x") -> Claims:
    """What the printed token says, verified with the data directory's key."""
    assert result.exit_code == 0, result.output
    key = load_or_create(data / "signing_key.json")
    keys = {key.kid: own_key(key.kid, key.public_x)}
    assert result.stdout.count("\n") == 1
    return read_claims(result.stdout.rstrip("\n"), keys, audiences=[audience], now_s=time())[0]


def test_the_token_says_what_was_asked(tmp_path: Path) -> None:
    words = ["--scope", "admin", "--scope", "pub:news", "--sub", "bob", "--name", "Bob", "--expires", "1h"]
    claims = claims_of(run_token("--data", str(tmp_path), *words), tmp_path)
    assert (claims.scopes, claims.sub, claims.name) == (("admin", "pub:news"), "bob", "Bob")
    assert (claims.expires_at_s or 0) - (claims.issued_at_s or 0) == 3600


def test_a_token_is_good_for_seven_days_unless_it_says_otherwise(tmp_path: Path) -> None:
    claims = claims_of(run_token("--data", str(tmp_path), "--scope", "sub:*"), tmp_path)
    assert (claims.expires_at_s or 0) - (claims.issued_at_s or 0) == 7 * 86_400


def test_it_names_the_server_it_is_for_where_that_is_configured(tmp_path: Path) -> None:
    url = "https://events.example.com"
    result = run_token("--data", str(tmp_path), "--scope", "admin", TIDEMARK_SERVER__PUBLIC_URL=url)
    claims_of(result, tmp_path, audience=url)
    with pytest.raises(Exception, match="Invalid or expired token"):
        claims_of(result, tmp_path, audience="https://other.example.com")


def test_the_data_directory_may_come_from_the_environment(tmp_path: Path) -> None:
    claims_of(run_token("--scope", "admin", TIDEMARK_SERVER__DATA=str(tmp_path)), tmp_path)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--scope", "pub"], "Invalid scope"),
        (["--scope", "admin", "--expires", "1"], "Invalid duration"),
        (["--scope", "admin", "--sub", "system-x"], "sub"),
        (["--scope", "admin", "--config", "/none"], "/none: No such file"),
        ([], "--scope"),
    ],
)
def test_a_slip_prints_no_token_and_names_itself(tmp_path: Path, words: list[str], says: str) -> None:
    result = run_token("--data", str(tmp_path), *words)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert says in result.stderr


def test_a_key_that_others_can_read_signs_nothing(tmp_path: Path) -> None:
    run_token("--data", str(tmp_path), "--scope", "admin")
    (tmp_path / "signing_key.json").chmod(0o644)
    result = run_token("--data", str(tmp_path), "--scope", "admin")
    assert result.exit_code == 1
    assert "chmod 600" in result.stderr
