"""The file that keeps the signing key: a private JWK in JSON, mode 0600, made at the first start.

It is written aside and linked into place, so that of two processes that start at once both use the key of the first,
and nobody ever reads half a key. A file that others may read is refused, as ssh does it.
"""

import os
import tempfile
from pathlib import Path

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from broker.errors import Invalid
from broker.signing import SigningKey


class KeyFileUnfit(Exception):
    """The key file cannot be used. The text names it and says how to mend it."""


def key_path(data: Path, configured: str) -> Path:
    """Where the key is: the configured file, or `signing_key.json` in the data directory."""
    return Path(configured).expanduser() if configured else data / "signing_key.json"


def load_or_create(path: Path) -> SigningKey:
    """The key in the file; a new one is made where there is no file. Raises `KeyFileUnfit`."""
    try:
        return _load(path)
    except FileNotFoundError:
        pass
    try:
        _create(path)
        return _load(path)
    except OSError as error:
        raise KeyFileUnfit(f"Cannot make the signing key {path}: {error.strerror}") from error


def _load(path: Path) -> SigningKey:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            content = file.read(10_000)
    except PermissionError as error:
        raise KeyFileUnfit(f"Cannot read the signing key {path}: run as its owner") from error
    except IsADirectoryError as error:
        raise KeyFileUnfit(f"The signing key {path} is a directory") from error
    if mode & 0o077:
        raise KeyFileUnfit(f"Others can read the signing key {path} (mode {mode & 0o777:o}): chmod 600 {path}")
    try:
        return SigningKey.from_jwk(orjson.loads(content))
    except (orjson.JSONDecodeError, Invalid) as error:
        raise KeyFileUnfit(
            f"{path} is no signing key ({error}). Restore it from a backup: the data knows the key that belongs to it"
        ) from error


def _create(path: Path) -> None:
    key = SigningKey.of(Ed25519PrivateKey.generate())
    fd, name = tempfile.mkstemp(prefix=".signing_key-", dir=path.parent)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(orjson.dumps(key.private_jwk()) + b"\n")
            file.flush()
            os.fsync(fd)
        os.link(name, path)
        _sync(path.parent)
    except FileExistsError:
        pass  # another process was first, and its key is the one
    finally:
        Path(name).unlink()


def _sync(directory: Path) -> None:
    """Make the new name itself durable: tokens must not outlive the key that signed them."""
    fd = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
