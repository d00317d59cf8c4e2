"""How operators' commands reach the engine, and what they say when they cannot."""

from pathlib import Path

import click
import pytest

from broker.config_sources import load_settings
from broker.errors import NotFound
from broker.storage.embedded import EmbeddedEngine
from broker.storage.engine import Engine
from handlers.commands.engine_access import on_engine


async def now_ms(engine: Engine) -> int:
    return await engine.now_ms()


async def refuse(_: Engine) -> None:
    raise NotFound("There is no such thing")


def test_it_is_the_engine_of_the_data_directory_or_the_one_of_the_url(
    shared_engine: EmbeddedEngine, engine_url: str, tmp_path: Path
) -> None:
    by_data = load_settings(None, {}, {"server": {"data": str(shared_engine.data)}})
    by_url = load_settings(None, {}, {"server": {"data": str(tmp_path)}, "engine": {"url": engine_url}})
    assert abs(on_engine(by_url, now_ms) - on_engine(by_data, now_ms)) < 60_000


def test_without_a_server_it_says_how_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(click.ClickException, match=r"\./run serve"):
        on_engine(load_settings(None, {}, {"server": {"data": str(tmp_path)}}), now_ms)


def test_what_does_not_fit_or_is_refused_is_told(engine_url: str) -> None:
    settings = load_settings(None, {}, {"engine": {"url": engine_url}})
    on_engine(settings, now_ms)
    with pytest.raises(click.ClickException, match="no such thing"):
        on_engine(settings, refuse)
    with pytest.raises(click.ClickException, match="partitions"):
        on_engine(load_settings(None, {}, {"engine": {"url": engine_url, "partitions": 3}}), now_ms)
