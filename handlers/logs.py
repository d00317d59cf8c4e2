"""Structured logs on stderr: a JSON object a line, or text for people. No secret leaves through them.

Whatever is logged, by us or by a library, is cleaned as the last step: bearer tokens, JWTs, API keys, query strings and
the user part of URLs are replaced (reliability.md section E). Field names: `time` (ISO 8601, UTC), `level`, `logger`,
`message`, `error` (a traceback), and what the call gives as `extra={"fields": {...}}`.
"""

import logging
import re
import sys
from datetime import UTC, datetime
from typing import Any, TextIO

import orjson

HIDDEN = "[hidden]"

_SECRETS = (
    re.compile(r"(?<=://)[^\s/@'\"]+(?=@)"),
    re.compile(r"(?<=\bBearer )[^\s'\"\\]+", re.IGNORECASE),
    re.compile(r"\b(?:tm|chr_[sa]k)_[0-9]{2}[0-9A-Za-z]{5,}"),
    re.compile(r"\beyJ[\w-]+(?:\.[\w-]*){1,4}"),
    re.compile(r"(?<=[\w/.~%-]\?)[^\s'\"<>\\]+"),
    re.compile(r"(?<=token=)[^\s'\"&\\]+"),
)

_QUIET = ("uvicorn.access", "websockets", "asyncio", "redis")


def configure_logs(level: str, form: str, stream: TextIO | None = None) -> None:
    """Send all logs of the process to `stream`, by default stderr. `form` is `json` or `text`.

    Libraries that log requests, frames or commands are kept to warnings: their contents are the users'.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonForm() if form == "json" else TextForm())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def clean(text: str) -> str:
    """The text without tokens, query strings and passwords in URLs."""
    for secret in _SECRETS:
        text = secret.sub(HIDDEN, text)
    return text


class JsonForm(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON."""
        line = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": clean(record.getMessage()),
            **_fields(record),
        }
        if record.exc_info:
            line["error"] = clean(self.formatException(record.exc_info))
        return orjson.dumps(line, default=repr, option=orjson.OPT_NON_STR_KEYS).decode()


class TextForm(logging.Formatter):
    """One readable line; a traceback below it."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as text; line ends of the message are escaped, so that nobody forges a line."""
        message = _one_line(clean(record.getMessage()))
        fields = "".join(f" {name}={_one_line(str(value))}" for name, value in _fields(record).items())
        line = f"{_time(record)} {record.levelname.lower():7} {record.name}: {message}{fields}"
        return line + "\n" + clean(self.formatException(record.exc_info)) if record.exc_info else line


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    fields: dict[str, Any] = getattr(record, "fields", {})
    return {name: clean(value) if isinstance(value, str) else value for name, value in fields.items()}


def _one_line(text: str) -> str:
    return text.replace("\r", "\\r").replace("\n", "\\n")


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
