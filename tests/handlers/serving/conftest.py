"""The tests of this folder run on both event loops: asyncio's own, and uvloop, which serves in production."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import uvloop

from handlers.serving.tls import Tls, TlsFiles
from tests.certificates import Authority


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture(autouse=True)
def no_log_is_an_error(caplog: pytest.LogCaptureFixture) -> Any:
    """Whatever a client does, it is no error of the server."""
    yield
    errors = [record for record in caplog.get_records("call") if record.levelname in ("ERROR", "CRITICAL")]
    assert not errors, [record.getMessage() for record in errors]


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Who signs certificates that the clients of a test trust."""
    return Authority(tmp_path)


@pytest.fixture
def tls(authority: Authority) -> Tls:
    """The TLS of a server with a certificate of that authority."""
    certificate, key, _ = authority.sign()
    return Tls(TlsFiles(certificate, key))
