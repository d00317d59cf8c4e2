"""The directory of a server's metrics: new at each start, never another server's, removed in the end."""

import subprocess
import sys
from pathlib import Path

from handlers.metrics.directory import metrics_directory

HOLDER = """
import sys, time
from pathlib import Path
from handlers.metrics.directory import metrics_directory
with metrics_directory(Path(sys.argv[1])) as path:
    (path / "counter_1-1.db").write_bytes(bytes(8))
    print(path, flush=True)
    time.sleep(60)
"""


def test_two_servers_on_one_data_directory_have_a_directory_each(tmp_path: Path) -> None:
    with metrics_directory(tmp_path) as one, metrics_directory(tmp_path) as other:
        assert one != other
        assert one.is_dir()
        assert other.is_dir()
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_server_left_is_removed_by_the_next_and_what_a_living_one_uses_is_not(tmp_path: Path) -> None:
    words = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        held = Path(holder.stdout.readline().strip())
        with metrics_directory(tmp_path):
            assert held.is_dir()
        holder.kill()
    assert held.is_dir()
    with metrics_directory(tmp_path) as own:
        assert list(tmp_path.iterdir()) == [own]


def test_other_files_of_the_data_directory_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "metrics").mkdir()
    for name in ("signing_key.json", "metrics-of-june.txt"):
        (tmp_path / name).write_text("{}")
    with metrics_directory(tmp_path):
        pass
    assert {path.name for path in tmp_path.iterdir()} == {"metrics", "metrics-of-june.txt", "signing_key.json"}
