"""How a server presents itself: its name, what it is for, and whom to ask (contract channels.md section 11). Pure.

The document is what `GET /server` shows; a server that was never told anything shows the default name, and null as its
`updated_at`. Everything is text for people, shown on pages and in feeds, so control characters are refused.
"""

import re
from collections.abc import Mapping
from typing import Any

from broker.channel_changes import MAX_DESCRIPTION_CHARS, MAX_TAG_CHARS, MAX_TAGS
from broker.claims import parse_name
from broker.errors import Invalid

DEFAULT_NAME = "Zooid"
"""What a server is called that was given no name (contract section 11)."""

MAX_EMAIL_CHARS = 254

_FIELDS = ("name", "description", "tags", "owner", "company", "email")
_EMAIL = re.compile(r"[^\s@<>(),;:\"\\\[\]]+@[^\s@<>(),;:\"\\\[\]]+")
_NOT_IN_TEXT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")

Identity = dict[str, Any]


def render_identity(document: Identity | None) -> Identity:
    """What is shown: `{name, description, tags, owner, company, email, updated_at}`, defaults where nothing is set."""
    return {
        "name": DEFAULT_NAME,
        "description": None,
        "tags": [],
        "owner": None,
        "company": None,
        "email": None,
        "updated_at": None,
        **(document or {}),
    }


def parse_identity(body: Any) -> Identity:
    """The changes that the body of `PUT /server` asks for: named fields only, null clears. Raises Invalid."""
    if not isinstance(body, Mapping):
        raise Invalid("Request body must be a JSON object")
    return {field: _PARSE[field](body[field]) for field in _FIELDS if field in body}


def apply_identity(document: Identity | None, changes: Identity, updated_at: str) -> Identity:
    """The document with the changes of `parse_identity`, made at `updated_at` (ISO 8601). No change leaves it as is."""
    if not changes:
        return document or {}
    changed = {**(document or {}), **changes, "updated_at": updated_at}
    return {field: value for field, value in changed.items() if value is not None}


def _name(value: Any) -> str | None:
    name = parse_name("name", value)
    if name is None and value is not None:
        raise Invalid("name must not be empty; null brings back the default")
    return name


def _description(value: Any) -> str | None:
    """Text that may have several lines."""
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > MAX_DESCRIPTION_CHARS or _NOT_IN_TEXT.search(value):
        raise Invalid(
            f"description must be text of at most {MAX_DESCRIPTION_CHARS} characters without control characters"
        )
    return value


def _tags(value: Any) -> list[str] | None:
    if value is None:
        return None
    if not isinstance(value, list) or len(value) > MAX_TAGS:
        raise Invalid(f"tags must be a list of at most {MAX_TAGS} texts")
    return [_tag(tag) for tag in value]


def _tag(value: Any) -> str:
    tag = parse_name("tags", value)
    if tag is None or len(tag) > MAX_TAG_CHARS:
        raise Invalid(f"tags must be texts of 1 to {MAX_TAG_CHARS} characters")
    return tag


def _email(value: Any) -> str | None:
    email = parse_name("email", value)
    if email is not None and (len(email) > MAX_EMAIL_CHARS or not _EMAIL.fullmatch(email)):
        raise Invalid("email must be an address of the form name@example.com, without a display name")
    return email


_PARSE = {
    "name": _name,
    "description": _description,
    "tags": _tags,
    "owner": lambda value: parse_name("owner", value),
    "company": lambda value: parse_name("company", value),
    "email": _email,
}
