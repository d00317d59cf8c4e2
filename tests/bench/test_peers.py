"""Which peers are measured: those that are here, those that are named, or none; what is named must be here."""

from pathlib import Path

import pytest

from bench.peers import PROGRAMS, STARTS, UnknownPeer, parse_peers


@pytest.fixture
def nothing_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine without any of the programs."""
    monkeypatch.setattr("bench.peers.SYSTEM_PATH", "")
    monkeypatch.setenv("PATH", str(tmp_path))


def test_every_peer_has_a_program_and_can_be_started() -> None:
    assert set(PROGRAMS) == set(STARTS)


@pytest.mark.usefixtures("nothing_here")
def test_without_programs_there_are_no_peers() -> None:
    assert parse_peers("found", {}) == parse_peers("all", {}) == parse_peers("none", {}) == {}


@pytest.mark.usefixtures("nothing_here")
def test_a_program_that_is_named_makes_its_peer_known() -> None:
    named = {"centrifugo": Path("/opt/centrifugo")}
    assert parse_peers("found", named) == parse_peers("all", named) == parse_peers("centrifugo", named) == named


@pytest.mark.usefixtures("nothing_here")
def test_none_means_none_whatever_is_named() -> None:
    assert parse_peers("none", {"nats": Path("/opt/nats-server")}) == {}


@pytest.mark.usefixtures("nothing_here")
@pytest.mark.parametrize(
    ("text", "says"), [("nats", "nats is not on this machine"), ("redis", "There is no peer 'redis'")]
)
def test_a_peer_that_was_asked_for_must_be_here(text: str, says: str) -> None:
    with pytest.raises(UnknownPeer, match=says):
        parse_peers(text, {})


def test_a_program_on_the_path_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "nats-server"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert parse_peers("nats", {}) == {"nats": program}
