"""Servers are pinned, found with all their children, and gone afterwards."""

import os
import sys
from pathlib import Path

import pytest

from bench.cores import choose_cores, pin
from bench.processes import NotServing, answers, family, free_port, running, split_family

SLEEPS = "import time; time.sleep(60)"


def test_a_server_runs_on_its_core_and_is_gone_afterwards(tmp_path: Path) -> None:
    core = max(os.sched_getaffinity(0))
    with running([sys.executable, "-c", SLEEPS], core, tmp_path / "log") as child:
        assert os.sched_getaffinity(child.pid) == {core}
        pin([child.pid], min(os.sched_getaffinity(0)))
        assert os.sched_getaffinity(child.pid) == {min(os.sched_getaffinity(0))}
    assert not Path(f"/proc/{child.pid}").exists()


def test_what_a_server_wrote_is_told_when_it_ends_instead_of_serving(tmp_path: Path) -> None:
    words = [sys.executable, "-c", "import sys; sys.exit('no such port')"]
    with running(words, 0, tmp_path / "log") as child, pytest.raises(NotServing, match=r"(?s)status 1: .*no such port"):
        child.wait_for(lambda: False)


def test_a_server_that_prints_no_port_is_not_serving(tmp_path: Path) -> None:
    with (
        running([sys.executable, "-c", "print('hello')"], 0, tmp_path / "log") as child,
        pytest.raises(NotServing),
    ):
        child.read_port()


def test_children_belong_to_the_server(tmp_path: Path) -> None:
    words = ["bash", "-c", "sleep 60 & echo 1; wait"]
    with running(words, 0, tmp_path / "log") as child:
        # A child that was just forked has its parent's name until it runs its own program.
        child.wait_for(lambda: sorted(family(child.pid).values()) == ["bash", "sleep"])
        names = family(child.pid)
        servers, engines = split_family(child.pid)
    assert (set(servers), engines) == (set(names), ())


def test_the_engine_is_counted_apart(tmp_path: Path) -> None:
    program = tmp_path / "redis-server"
    program.symlink_to("/usr/bin/sleep")
    with running(["bash", "-c", f"{program} 60 & echo 1; wait"], 0, tmp_path / "log") as child:
        child.read_port()
        child.wait_for(lambda: bool(split_family(child.pid)[1]))
        servers, engines = split_family(child.pid)
    assert servers == (child.pid,)
    assert len(engines) == 1


def test_nobody_answers_at_a_free_port() -> None:
    port = free_port()
    assert not answers(port)
    assert not answers(port, "/")


def test_server_and_client_have_different_cores_where_there_are_two() -> None:
    cores = choose_cores()
    assert cores.are_apart == (len(os.sched_getaffinity(0)) > 1)
