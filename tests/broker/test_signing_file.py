"""The key's file: made once, for its owner only, never half."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from broker.signing_file import KeyFileUnfit, key_path, load_or_create


def test_a_missing_key_is_made_for_its_owner_only_and_then_kept(tmp_path: Path) -> None:
    path = tmp_path / "signing_key.json"
    made = load_or_create(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_or_create(path).kid == made.kid
    assert [path.name for path in tmp_path.iterdir()] == ["signing_key.json"]


def test_processes_that_start_at_once_use_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        keys = list(threads.map(load_or_create, [tmp_path / "key"] * 16))
    assert len({key.kid for key in keys}) == 1


def test_a_configured_file_wins_over_the_data_directory(tmp_path: Path) -> None:
    assert key_path(tmp_path, "") == tmp_path / "signing_key.json"
    assert key_path(tmp_path, "/run/secrets/key") == Path("/run/secrets/key")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_that_others_can_read_is_refused_with_the_command_that_mends_it(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "key"
    load_or_create(path)
    path.chmod(mode)
    with pytest.raises(KeyFileUnfit, match=f"chmod 600 {path}"):
        load_or_create(path)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b'{"kty":"OKP"}'])
def test_a_damaged_key_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key"
    path.touch(mode=0o600)
    path.write_bytes(content)
    with pytest.raises(KeyFileUnfit, match="no signing key"):
        load_or_create(path)
    assert path.read_bytes() == content


def test_a_directory_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyFileUnfit, match="Cannot make the signing key"):
        load_or_create(tmp_path / "none" / "key")
