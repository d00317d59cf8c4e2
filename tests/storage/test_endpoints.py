"""Endpoints on real engines: the tail as cursor, limits under concurrency, stale records, expiry."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import NamedTuple

import pytest

from broker.channels import ChannelRecord, NewChannel
from broker.endpoints import Endpoint, EndpointLimits, Owner, Registered, Registration, fresh_id, register, remove
from broker.errors import NotFound, TooMany
from broker.events import Stored
from broker.ids import parse_position
from broker.storage.appender import Appender, Retention
from broker.storage.channels import Channels, keys_of
from broker.storage.connect import answered
from broker.storage.endpoints import Endpoints
from broker.storage.engine import Engine, open_engine
from broker.storage.log import Log, Stale

ANN = Owner("k ann", is_anonymous=False)
LIMITS = EndpointLimits(per_channel=5, per_address=2)
EVENT = Stored(None, None, None, b'"data":1}')


class Parts(NamedTuple):
    engine: Engine
    channels: Channels
    log: Log
    endpoints: Endpoints
    channel: ChannelRecord


@pytest.fixture
async def parts(engine_url: str) -> AsyncIterator[Parts]:
    engine = await open_engine(engine_url)
    channels = Channels(engine, most=100)
    log = Log(engine, Appender(engine, Retention(7, 100, 60)))
    channel = await channels.create(NewChannel("news", "news", is_public=True))
    yield Parts(engine, channels, log, Endpoints(engine), channel)
    await engine.close()


def registering(
    url: str, owner: Owner = ANN, ttl_s: int = 60
) -> Callable[[Registered, int], tuple[Registered, Endpoint]]:
    def decide(registered: Registered, now_ms: int) -> tuple[Registered, Endpoint]:
        asked = Registration(url, None, ttl_s)
        new_id = fresh_id(now_ms, abs(hash((url, owner))) % (1 << 80))
        return register(registered, asked, owner, LIMITS, new_id=new_id, now_ms=now_ms)

    return decide


def removing(endpoint_id: str) -> Callable[[Registered, int], tuple[Registered, None]]:
    return lambda registered, now_ms: (remove(registered, endpoint_id, ANN, is_admin=True, now_ms=now_ms), None)


async def fields_of(parts: Parts) -> dict[str, bytes]:
    fields = await answered(parts.engine.client.hgetall(keys_of(parts.channel).endpoints))
    return {name.decode(): value for name, value in fields.items()}


async def tail_of(parts: Parts) -> bytes:
    (meta,) = await parts.channels.metas([parts.channel])
    assert meta is not None
    return meta.top.stream.encode()


async def test_a_new_endpoint_starts_at_the_tail_and_keeps_its_place_when_renewed(parts: Parts) -> None:
    first = await parts.endpoints.change(parts.channel, registering("a"))
    start = await tail_of(parts)
    await parts.log.append(parts.channel, [EVENT])
    second = await parts.endpoints.change(parts.channel, registering("b"))
    assert start != await tail_of(parts)
    await parts.log.append(parts.channel, [EVENT])
    assert (await parts.endpoints.change(parts.channel, registering("a"))).id == first.id
    fields = await fields_of(parts)
    assert fields[f"cursor:{first.id}"] == start
    assert start < fields[f"cursor:{second.id}"] < await tail_of(parts)


async def test_one_that_is_activated_again_starts_at_the_tail_and_an_inactive_one_is_not_marked(parts: Parts) -> None:
    first, second = [await parts.endpoints.change(parts.channel, registering(each)) for each in "ab"]
    start = await tail_of(parts)

    def changing(**changed: bool | int) -> Callable[[Registered, int], tuple[Registered, None]]:
        return lambda registered, _: (
            tuple(replace(each, **changed) if each.id == first.id else each for each in registered),  # type: ignore[arg-type]
            None,
        )

    await parts.endpoints.change(parts.channel, changing(is_active=False))
    followed = await answered(parts.engine.client.hget(keys_of(parts.channel).meta, "followed"))
    assert second.id in followed.decode() and first.id not in followed.decode()
    assert [each.endpoint.id for each in await parts.endpoints.active(parts.channel)] == [second.id]
    await parts.log.append(parts.channel, [EVENT])
    assert (await fields_of(parts))[f"cursor:{first.id}"] == start
    await parts.endpoints.change(parts.channel, changing(is_active=True, activation=1))
    fields = await fields_of(parts)
    assert fields[f"cursor:{first.id}"] == await tail_of(parts) > start == fields[f"cursor:{second.id}"]


async def test_a_removed_endpoint_leaves_nothing_behind(parts: Parts) -> None:
    first = await parts.endpoints.change(parts.channel, registering("a"))
    second = await parts.endpoints.change(parts.channel, registering("b"))
    await parts.endpoints.change(parts.channel, removing(first.id))
    assert set(await fields_of(parts)) == {"document", "version", f"cursor:{second.id}"}
    await parts.endpoints.change(parts.channel, removing(second.id))
    assert await fields_of(parts) == {}
    assert await parts.endpoints.list(parts.channel) == ()


async def test_concurrent_registrations_never_exceed_the_limit(parts: Parts, engine_url: str) -> None:
    """Three processes that know nothing of each other, each with twelve registrations at once."""
    engines = [await open_engine(engine_url) for _ in range(3)]
    outcomes = await asyncio.gather(
        *[
            Endpoints(engine).change(parts.channel, registering(f"{number}-{at}"))
            for at, engine in enumerate(engines)
            for number in range(12)
        ],
        return_exceptions=True,
    )
    made = [each for each in outcomes if isinstance(each, Endpoint)]
    assert len(made) == LIMITS.per_channel
    assert {each.id for each in await parts.endpoints.list(parts.channel)} == {each.id for each in made}
    cursors = {name for name in await fields_of(parts) if name.startswith("cursor:")}
    assert cursors == {f"cursor:{each.id}" for each in made}
    assert all(isinstance(each, Endpoint | TooMany) for each in outcomes)
    for engine in engines:
        await engine.close()


async def test_one_url_registered_at_once_is_one_endpoint(parts: Parts, engine_url: str) -> None:
    other = await open_engine(engine_url)
    stores = [parts.endpoints, Endpoints(other)]
    made = await asyncio.gather(*[stores[at % 2].change(parts.channel, registering("a")) for at in range(20)])
    assert len({each.id for each in made}) == 1
    await other.close()


async def test_registering_while_events_come_loses_and_repeats_none(parts: Parts) -> None:
    """Wherever the cursor falls, what was appended after it is what was appended after the registration."""
    appending = [parts.log.append(parts.channel, [EVENT]) for _ in range(30)]
    _, endpoint, *_ = await asyncio.gather(
        asyncio.gather(*appending), parts.endpoints.change(parts.channel, registering("a"))
    )
    late = await parts.log.append(parts.channel, [EVENT])
    place = parse_position((await fields_of(parts))[f"cursor:{endpoint.id}"])
    after = (await parts.log.after(parts.channel, place, limit=100)).frames
    assert after[-1].position == late.positions[0]
    everything = (await parts.log.after(parts.channel, parts.channel.start, limit=100)).frames
    assert len(everything) == 31
    assert after == [event for event in everything if event.position > place]


async def test_a_changed_record_is_stale(parts: Parts) -> None:
    changed = await parts.channels.change("news", lambda record: replace(record, name="Changed"))
    with pytest.raises(Stale):
        await parts.endpoints.change(parts.channel, registering("a"))
    with pytest.raises(Stale):
        await parts.endpoints.list(parts.channel)
    assert await parts.endpoints.change(changed, registering("a"))


async def test_a_record_that_changes_during_the_decision_is_stale_and_nothing_is_written(parts: Parts) -> None:
    decide = registering("a")
    kept = await parts.endpoints._load(parts.channel)
    await parts.channels.change("news", lambda record: replace(record, name="Changed"))
    with pytest.raises(Stale):
        await parts.endpoints._put(parts.channel, kept, decide(kept.endpoints, kept.now_ms)[0], None)
    assert await fields_of(parts) == {}


async def test_those_registered_after_all_were_gone_are_not_those_that_were_read(parts: Parts) -> None:
    first = await parts.endpoints.change(parts.channel, registering("a"))
    kept = await parts.endpoints._load(parts.channel)
    await parts.endpoints.change(parts.channel, removing(first.id))
    second = await parts.endpoints.change(parts.channel, registering("b"))
    assert not await parts.endpoints._put(parts.channel, kept, registering("c")(kept.endpoints, kept.now_ms)[0], None)
    assert await parts.endpoints.list(parts.channel) == (second,)


async def test_a_deleted_channel_takes_its_endpoints_along(parts: Parts) -> None:
    await parts.endpoints.change(parts.channel, registering("a"))
    await parts.channels.delete("news")
    with pytest.raises(Stale):
        await parts.endpoints.change(parts.channel, registering("a"))
    assert await fields_of(parts) == {}
    again = await parts.channels.create(NewChannel("news", "news"))
    assert await parts.endpoints.list(again) == ()


async def test_expired_endpoints_vanish_and_make_room(parts: Parts) -> None:
    for number in range(5):
        await parts.endpoints.change(parts.channel, registering(str(number), ttl_s=60))
    parts.engine.clock_offset_ms = 60_000
    assert await parts.endpoints.list(parts.channel) == ()
    fresh = await parts.endpoints.change(parts.channel, registering("fresh"))
    assert set(await fields_of(parts)) == {"document", "version", f"cursor:{fresh.id}"}


async def test_endpoints_are_kept_until_the_last_one_expires(parts: Parts) -> None:
    await parts.endpoints.change(parts.channel, registering("a", ttl_s=1_000))
    await parts.endpoints.change(parts.channel, registering("b", ttl_s=10))
    left_ms = await answered(parts.engine.client.pttl(keys_of(parts.channel).endpoints))
    assert 990_000 < left_ms <= 1_000_000


async def test_what_the_decision_raises_writes_nothing(parts: Parts) -> None:
    await parts.endpoints.change(parts.channel, registering("a"))
    before = await fields_of(parts)
    with pytest.raises(NotFound):
        await parts.endpoints.change(parts.channel, removing("wh_none"))
    assert await fields_of(parts) == before
