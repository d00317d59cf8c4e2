"""Logs are structured, and no secret leaves through them, whoever logged it."""

import io
import logging
from collections.abc import Iterator

import orjson
import pytest

from handlers.logs import clean, configure_logs

CANARY = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJlLWNhbmFyeQ"


@pytest.fixture
def restored() -> Iterator[None]:
    """Leave the root logger as pytest had it."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers, root.level = handlers, level


def logged(form: str, *, level: str = "debug") -> tuple[logging.Logger, io.StringIO]:
    """A logger, and what is written when it is used."""
    stream = io.StringIO()
    configure_logs(level, form, stream)
    return logging.getLogger("tidemark.test"), stream


@pytest.mark.usefixtures("restored")
def test_a_line_is_a_json_object_with_its_fields() -> None:
    logger, stream = logged("json")
    logger.info("hello %s", "you", extra={"fields": {"status": 200}})
    line = orjson.loads(stream.getvalue())
    assert line.pop("time").endswith("Z")
    assert line == {"level": "info", "logger": "tidemark.test", "message": "hello you", "status": 200}


@pytest.mark.usefixtures("restored")
def test_the_level_is_that_of_the_settings() -> None:
    logger, stream = logged("json", level="warning")
    logger.info("quiet")
    assert stream.getvalue() == ""


@pytest.mark.usefixtures("restored")
def test_a_line_end_in_a_message_does_not_forge_a_line() -> None:
    for form in ("json", "text"):
        logger, stream = logged(form)
        logger.warning("one\n2026-01-01 error two")
        assert stream.getvalue().count("\n") == 1


@pytest.mark.usefixtures("restored")
def test_a_line_end_in_a_field_does_not_forge_a_line() -> None:
    """A path is decoded, so that a client may put one there."""
    for form in ("json", "text"):
        logger, stream = logged(form)
        logger.warning("answered", extra={"fields": {"path": "/one\n2026-01-01 error two\r"}})
        assert stream.getvalue().count("\n") == 1 and "\r" not in stream.getvalue()


@pytest.mark.usefixtures("restored")
@pytest.mark.parametrize("form", ["json", "text"])
@pytest.mark.parametrize(
    "text",
    [
        f'127.0.0.1:1 - "WebSocket /api/v1/channels/c/ws?token={CANARY}" [accepted]',
        f"> Authorization: Bearer {CANARY}",
        f"{{'authorization': 'bearer {CANARY}'}}",
        f"b'authorization', b'Bearer {CANARY}'",
        "GET /api/v1/channels/c/events?cursor=canary&types=canary HTTP/1.1",
        "Bearer opaque-canary",
        "https://example.com/hook?key=canary",
        "cannot reach redis://user:canary@engine:6379/0",
        "token=canary",
        CANARY,
        CANARY[:30],
    ],
)
def test_a_secret_is_not_in_the_log_wherever_it_stood(form: str, text: str) -> None:
    logger, stream = logged(form)
    logger.info("%s", text)
    logger.info("x", extra={"fields": {"given": text}})
    try:
        raise ValueError(text)
    except ValueError:
        logger.exception("failed")
    assert "canary" not in stream.getvalue()
    assert CANARY[:30] not in stream.getvalue()


@pytest.mark.usefixtures("restored")
def test_requests_frames_and_commands_that_libraries_log_are_left_out() -> None:
    _, stream = logged("json")
    for name in ("uvicorn.access", "websockets.server", "redis"):
        logging.getLogger(name).info("private")
    assert stream.getvalue() == ""


@pytest.mark.parametrize("text", ["What is it?", "GET /api/v1/channels", "5 tokens", "https://example.com/"])
def test_what_is_no_secret_stays(text: str) -> None:
    assert clean(text) == text
