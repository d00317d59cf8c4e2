"""The programs are compiled once, and a machine that cannot compile them is told what it lacks."""

from pathlib import Path

import pytest

from bench.native import NoTools, Tools, compiled_tools


def test_they_compile_without_a_warning(checked_tools: Tools) -> None:
    assert checked_tools.load_client.exists()
    assert checked_tools.limit_server.exists()


def test_a_machine_without_a_compiler_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    with pytest.raises(NoTools, match="apt-get install gcc"):
        compiled_tools(tmp_path)


def test_what_the_compiler_says_is_passed_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    compiler = tmp_path / "broken-cc"
    compiler.write_text("#!/bin/sh\necho no headers here >&2\nexit 1\n")
    compiler.chmod(0o755)
    monkeypatch.setenv("CC", str(compiler))
    with pytest.raises(NoTools, match="cannot compile load_client:\nno headers here"):
        compiled_tools(tmp_path / "cache")


def test_the_same_sources_are_compiled_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    compiler, calls = tmp_path / "counting-cc", tmp_path / "calls"
    compiler.write_text(f'#!/bin/sh\necho >>{calls}\nfor word; do [ "$last" = -o ] && : >"$word"; last=$word; done\n')
    compiler.chmod(0o755)
    monkeypatch.setenv("CC", str(compiler))
    assert compiled_tools(tmp_path / "cache") == compiled_tools(tmp_path / "cache")
    assert len(calls.read_text().splitlines()) == 2
