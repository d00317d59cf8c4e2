"""Kinds of settings: what each takes."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from broker.config_values import AdminListen, EngineUrl, Network, Origin, PublicUrl, Scope

GOOD = [
    (AdminListen, "127.0.0.1:9001"),
    (AdminListen, ""),
    (EngineUrl, "redis+cluster://a:1,b:2"),
    (EngineUrl, "unix:///run/redis.sock"),
    (Network, "10.0.0.0/8"),
    (Origin, "*"),
    (PublicUrl, "https://events.example.com/base"),
    (Scope, "sub:news"),
]
BAD = [
    (AdminListen, "0.0.0.0:9001"),
    (AdminListen, "127.0.0.1:99999"),
    (EngineUrl, "http://a"),
    (Network, "10.0.0.1/8"),
    (Network, 5),
    (Origin, "https://a.example/path"),
    (PublicUrl, "events.example.com"),
    (Scope, "root"),
]


@pytest.mark.parametrize(("kind", "value"), GOOD)
def test_these_are_taken(kind: Any, value: Any) -> None:
    TypeAdapter(kind).validate_python(value)


@pytest.mark.parametrize(("kind", "value"), BAD)
def test_these_are_refused(kind: Any, value: Any) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(kind).validate_python(value)
