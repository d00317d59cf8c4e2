"""Where settings come from, which source wins, and what is said of each mistake."""

import subprocess
import sys
from ipaddress import ip_network
from pathlib import Path

import pytest

from broker.config import Settings
from broker.config_sources import SettingsError, load_settings

ROOT = Path(__file__).parents[2]


def refused(text: str | None = None, environ: dict[str, str] | None = None, *, at: Path | None = None) -> list[str]:
    """The problems with a file of this text and this environment."""
    path = None if text is None or at is None else at / "mine.toml"
    if path is not None and text is not None:
        path.write_text(text)
    with pytest.raises(SettingsError) as caught:
        load_settings(path, environ or {})
    return caught.value.problems


def test_without_any_source_the_defaults_are_in_force() -> None:
    assert load_settings(None, {"HOME": "/root"}) == Settings()


def test_flags_win_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('[server]\nport = 1\nhost = "file"\ndata = "file"\n')
    environ = {"TIDEMARK_SERVER__PORT": "2", "TIDEMARK_SERVER__HOST": "env"}
    server = load_settings(path, environ, {"server": {"port": 3, "host": None}}).server
    assert (server.port, server.host, server.data) == (3, "env", "file")


def test_lists_and_tables_come_from_the_environment_as_json() -> None:
    settings = load_settings(
        None,
        {"TIDEMARK_OUTBOUND__ALLOW": '["127.0.0.0/8", "::1/128"]', "TIDEMARK_AUTH__ROLES": '{"all": ["sub:*"]}'},
    )
    assert settings.outbound.allow == (ip_network("127.0.0.0/8"), ip_network("::1/128"))
    assert settings.auth.roles == {"all": ["sub:*"]}


def test_text_in_the_environment_needs_no_quotes() -> None:
    settings = load_settings(None, {"TIDEMARK_LOG__LEVEL": "debug", "TIDEMARK_ENGINE__URL": "redis://h:6379/1"})
    assert (settings.log.level, settings.engine.url) == ("debug", "redis://h:6379/1")


def test_a_file_is_utf_8_whatever_the_locale(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_bytes('[server]\ndata = "ü"\n'.encode())
    program = "import broker.config_sources as it; print(ascii(it.load_settings('mine.toml', {}).server.data))"
    locale = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0", "PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-c", program]
    done = subprocess.run(words, cwd=tmp_path, env=locale, capture_output=True, text=True, timeout=50, check=True)
    assert done.stdout == "'\\xfc'\n"


def test_a_missing_file_is_refused_by_name() -> None:
    with pytest.raises(SettingsError, match=r"/no/such\.toml: No such file"):
        load_settings("/no/such.toml", {})


def test_a_file_that_is_not_toml_is_refused_with_the_line(tmp_path: Path) -> None:
    assert "line 1" in refused("port 9", at=tmp_path)[0]


def test_all_problems_are_told_at_once_each_with_its_source(tmp_path: Path) -> None:
    problems = refused("[server]\nport = 99999\n", {"TIDEMARK_LIMITS__WAIT_S": "-1"}, at=tmp_path)
    assert len(problems) == 2
    assert problems[0].startswith("server.port: ") and problems[0].endswith(f"(from {tmp_path / 'mine.toml'})")
    assert problems[1].startswith("limits.wait_s: ") and problems[1].endswith("(from TIDEMARK_LIMITS__WAIT_S)")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[servr]\nport = 1", "[servr]: there is no such section, did you mean server?"),
        ("[server]\nprot = 1", "server.prot: there is no such key, did you mean port?"),
        ("port = 1", "port: a key outside of any section"),
        ("[server]\nport = true", "server.port: Input should be a valid integer"),
        ("[server]\nport = '80'", "server.port: Input should be a valid integer"),
        ("[server]\nshutdown_s = nan", "server.shutdown_s: Input should be a finite number"),
        ("[server]\nport = 99999999999999999999999", "server.port: Input should be less than or equal to 65535"),
        ("[outbound]\nallow = ['10.0.0.1/8']", "outbound.allow[0]: 10.0.0.1/8 has host bits set"),
        ("[webhooks]\nanonymous = 1", "webhooks.anonymous: Input should be a valid boolean"),
    ],
)
def test_a_slip_in_the_file_is_refused_and_named(tmp_path: Path, text: str, problem: str) -> None:

    assert refused(text, at=tmp_path)[0].startswith(problem)


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        (
            "TIDEMARK_SERVER__PROT",
            "1",
            "TIDEMARK_SERVER__PROT: there is no such setting, did you mean TIDEMARK_SERVER__",
        ),
        ("TIDEMARK_X", "1", "TIDEMARK_X: there is no such setting"),
        ("TIDEMARK_SERVER__PORT", "", "server.port: must be a JSON value such as 8000"),
        ("TIDEMARK_OUTBOUND__ALLOW", "127.0.0.0/8", "outbound.allow: must be a JSON value such as []"),
        ("TIDEMARK_SERVER__HOST", "\udcff", "server.host: must be UTF-8"),
    ],
)
def test_a_slip_in_the_environment_is_refused_and_named(name: str, value: str, problem: str) -> None:
    assert refused(environ={name: value})[0].startswith(problem)


def test_a_password_in_a_refused_url_is_not_shown() -> None:
    assert "hunter2" not in str(refused(environ={"TIDEMARK_ENGINE__URL": "http://:hunter2@engine"}))


def test_what_the_clients_read_is_no_setting_and_no_slip() -> None:
    assert load_settings(None, {"TIDEMARK_TOKEN": "x.y.z", "TIDEMARK_URL": "https://events.example.com"}) == Settings()
    assert refused(environ={"TIDEMARK_TOKENS": "x"}) == [
        "TIDEMARK_TOKENS: there is no such setting (from the environment)"
    ]
