"""Starts that cannot be: one clear line, no traceback, a status; and the first start, whose line can be pasted."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from handlers.commands.first_steps import RUN
from tests.programs import program
from tests.serve_process import COMMAND, ServeProcess, environment, free_port, refused_start, serving


def test_a_port_in_use_is_named_before_anything_is_started(server: ServeProcess, tmp_path: Path) -> None:
    status, words = refused_start(tmp_path, "--port", str(server.port), "--data", "other")
    assert status == 1
    assert words.startswith(f"Error: Cannot listen on 127.0.0.1:{server.port}: address already in use")
    assert not (tmp_path / "other").exists()


def test_data_that_another_broker_serves_is_refused_by_its_pid(server: ServeProcess, tmp_path: Path) -> None:
    status, words = refused_start(tmp_path, "--port", "0", "--data", str(server.data))
    assert status == 1
    assert f"Error: Another broker (pid {server.process.pid}) serves {server.data}" in words
    assert server.is_ready()


@pytest.mark.parametrize(
    ("words", "environ", "says"),
    [
        (["--port", "65536"], {}, "server.port"),
        (["--config", "none.toml"], {}, "none.toml: No such file"),
        (["--port", "x"], {}, "--port"),
        (["--nonsense"], {}, "--nonsense"),
        ([], {"TIDEMARK_SERVER__PROT": "1"}, "did you mean TIDEMARK_SERVER__PORT?"),
        ([], {"TIDEMARK_CHANNELS__POLL_INTERVAL_S": "0"}, "channels.poll_interval_s"),
        ([], {"TIDEMARK_ENGINE__URL": "http://x"}, "engine.url"),
    ],
)
def test_a_configuration_with_mistakes_is_a_usage_error_that_names_them(
    tmp_path: Path, words: list[str], environ: dict[str, str], says: str
) -> None:
    status, told = refused_start(tmp_path, *words, **environ)
    assert status == 2
    assert says in told
    assert not list(tmp_path.iterdir())


def test_an_address_that_is_not_ours_is_refused(tmp_path: Path) -> None:
    status, words = refused_start(tmp_path, "--host", "192.0.2.1", "--port", "0")
    assert (status, words.startswith("Error: Cannot listen on 192.0.2.1:0: ")) == (1, True)


def test_an_engine_that_is_not_there_is_named_without_its_password(tmp_path: Path) -> None:
    port = free_port()
    status, words = refused_start(tmp_path, "--port", "0", TIDEMARK_ENGINE__URL=f"redis://:hunter2@127.0.0.1:{port}/0")
    assert status == 1
    assert f"127.0.0.1:{port}/0 cannot be used" in words and "refused" in words
    assert "hunter2" not in words


def test_a_lost_signing_key_is_noticed_and_the_way_out_is_named(server: ServeProcess, tmp_path: Path) -> None:
    assert server.stop() == 0
    key = server.data / "signing_key.json"
    shutil.move(key, tmp_path / "backup.json")
    status, words = refused_start(tmp_path, "--port", "0", "--data", str(server.data))
    assert status == 1
    assert "made with another signing key" in words and "signing_key_file" in words
    assert "First start" not in words
    with serving(server.data, signing_key=tmp_path / "backup.json") as again:
        assert again.is_ready()


def test_the_line_of_the_first_start_works_as_it_is_printed(server: ServeProcess) -> None:
    program("curl")
    log = server.log.read_text()
    [line] = re.findall(r"^  (curl .*)$", log, re.MULTILINE)
    # Outside of the project's folder the line names the folder's ./run, which would make an environment: ours is there.
    assert f"$({RUN} token" in line
    python = " ".join(COMMAND)
    pasted = line.replace(str(RUN), python)
    words = [program("bash"), "-c", pasted]
    done = subprocess.run(words, cwd=server.data.parent, env=environment(), capture_output=True, text=True, timeout=40)
    assert '"id":"hello"' in done.stdout, done.stderr
    assert server.ask("GET", "/channels/hello").json()["is_public"] is True
    assert "eyJ" not in log, "no credential is printed"


def test_the_line_is_printed_at_the_first_start_only(server: ServeProcess) -> None:
    assert server.stop() == 0
    server.start()
    assert server.log.read_text().count("First start") == 1
