"""The composition root: a Starlette app made of settings, a signing key and an engine's URL.

Everything that runs in the background starts and stops with the app's lifespan: the feed, the hub's checks, trimming,
the watches of keys, what is told of readers and figures, the closing of subscriptions when a drain begins, and all that
a process does beside serving (`handlers.duties`).
"""

import socket
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from starlette.applications import Starlette

from broker.closing import RESTART
from broker.config import Settings
from broker.config_values import EMBEDDED
from broker.errors import Refusal
from broker.followers import Followers
from broker.hub import Hub
from broker.known_types import KnownTypes
from broker.sealing import Sealer
from broker.signing import SigningKey
from broker.storage.answers import Answers
from broker.storage.api_keys import ApiKeys
from broker.storage.appender import Appender
from broker.storage.channel_list import ChannelList
from broker.storage.channels import Channels
from broker.storage.clock import Clock
from broker.storage.commit import Commits
from broker.storage.deliveries import Deliveries
from broker.storage.documents import Documents
from broker.storage.endpoints import Endpoints
from broker.storage.engine import Engine, EngineUnfit
from broker.storage.feeds import LiveFeed, open_feed
from broker.storage.glances import Glances
from broker.storage.log import Log
from broker.storage.presence import Presence
from broker.storage.rates import RateLimits
from broker.storage.retention import Trimmer, Wait
from broker.storage.state import Reader
from broker.storage.timers import Timers
from handlers.admin_listener import serving_admin
from handlers.auth_watch import AuthWatch
from handlers.beside import run_beside
from handlers.broker import Broker
from handlers.duties import take_up
from handlers.front import front
from handlers.metrics import readings
from handlers.metrics.meter import Meter
from handlers.metrics.probe import Probe
from handlers.open_connections import OpenConnections
from handlers.push_room import PushRoom
from handlers.routes import ENVELOPES, all_routes
from handlers.serving.drain import Drain
from handlers.serving.refusals import Refusals
from handlers.trust_watch import TrustWatch
from handlers.wiring import (
    ack_of,
    api_limits_of,
    calendar_site_of,
    channel_limits_of,
    connected_engine,
    event_limits_of,
    hub_limits_of,
    ical_site_of,
    live_site_of,
    rates_of,
    retention_of,
    site_of,
    verifier_of,
)

SIGNING_KEY_DOCUMENT = "signing-key"


def create_app(
    settings: Settings,
    signing_key: SigningKey,
    engine_url: str,
    drain: Drain,
    refusals: Refusals,
    meter: Meter,
    admin: Sequence[socket.socket] = (),
) -> Starlette:
    """The whole server as an ASGI app; its lifespan raises `EngineUnfit` where the engine or key does not fit.

    `admin` are bound sockets on which administrators need no token, for as long as the app lives.
    """

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            app.state.broker = await _start(stack, settings, signing_key, engine_url, drain, refusals, meter)
            await stack.enter_async_context(serving_admin(app.state, admin))
            yield

    app = Starlette(routes=all_routes(), lifespan=lifespan)
    # A path with a slash behind it is another path: 404, and no redirect to wherever the Host header says.
    app.router.redirect_slashes = False
    app.state.envelopes = ENVELOPES
    app.middleware_stack = front(app.router, settings, refusals, meter.requests)
    return app


async def open_fit_engine(settings: Settings, signing_key: SigningKey, engine_url: str) -> Engine:
    """A connected engine that may be served from; raises `EngineUnfit`, or `Unavailable` where none answers."""
    engine = await connected_engine(settings, engine_url)
    try:
        await _clock_of(settings, engine).start()
        await _register_signing_key(engine, signing_key)
    except (EngineUnfit, Refusal):
        await engine.close()
        raise
    return engine


async def _start(
    stack: AsyncExitStack,
    settings: Settings,
    signing_key: SigningKey,
    engine_url: str,
    drain: Drain,
    refusals: Refusals,
    meter: Meter,
) -> Broker:
    engine = await open_fit_engine(settings, signing_key, engine_url)
    stack.push_async_callback(engine.close)
    appender = Appender(engine, retention_of(settings), ack_of(settings))
    stack.push_async_callback(appender.drained)
    feed = open_feed(engine_url, reply_timeout_s=settings.engine.reply_timeout_s)
    broker = _assemble(settings, signing_key, engine, appender, feed, drain, refusals, meter)
    await broker.trust.look()
    await broker.auth.look()
    wait = Wait(Followers(broker.endpoints, broker.reader).read, settings.webhooks.wait_s * 1000)
    interval_s = settings.channels.trim_interval_s
    trimmer = Trimmer(engine, broker.channels, retention_of(settings), wait, interval_s=interval_s)
    probe = Probe(engine, broker.hub.counts)
    meter.add(partial(readings.read_hub, broker.hub, feed))
    meter.add(partial(readings.read_storage, appender, broker.channels, trimmer))
    meter.add(partial(readings.read_probe, probe))
    stack.push_async_callback(broker.presence.withdraw)
    drained = _close_on_drain(broker, drain, settings.server.drain_s)
    run_beside(stack, feed=feed.run(), hub=broker.hub.run(), trimmer=trimmer.run(), drain=drained)
    run_beside(stack, keys=broker.trust.watch(), api_keys=broker.auth.watch())
    run_beside(stack, probe=probe.run(), meter=meter.run(), presence=broker.presence.run())
    await take_up(stack, settings, engine_url, broker)
    return broker


def _assemble(
    settings: Settings,
    signing_key: SigningKey,
    engine: Engine,
    appender: Appender,
    feed: LiveFeed,
    drain: Drain,
    refusals: Refusals,
    meter: Meter,
) -> Broker:
    channels, log = Channels(engine, most=settings.limits.channels), Log(engine, appender)
    documents, verifier = Documents(engine), verifier_of(settings, signing_key)
    hub = Hub(engine, channels, log, feed, hub_limits_of(settings))
    sealer = Sealer(signing_key.private_key.private_bytes_raw())
    reader = Reader(engine, channels, sealer)
    commits = Commits(engine, channels, reader, sealer, retention_of(settings), ack_of(settings))
    api_keys = ApiKeys(engine, reader, commits)
    return Broker(
        engine=engine,
        channels=channels,
        channel_list=ChannelList(engine, channels),
        log=log,
        glances=Glances(channels),
        documents=documents,
        endpoints=Endpoints(engine),
        reader=reader,
        answers=Answers(engine, reader, sealer, retention_of(settings)),
        commits=commits,
        timers=Timers(engine),
        deliveries=Deliveries(engine),
        clock=_clock_of(settings, engine),
        hub=hub,
        presence=Presence(engine),
        verifier=verifier,
        trust=TrustWatch(documents, verifier, hub, signing_key),
        api_keys=api_keys,
        auth=AuthWatch(api_keys, channels, verifier, hub),
        signing_key=signing_key,
        site=site_of(settings),
        limits=api_limits_of(settings),
        event_limits=event_limits_of(settings),
        channel_limits=channel_limits_of(settings),
        known_types=KnownTypes(settings.limits.schema_bytes),
        open_connections=OpenConnections(settings.limits.connections_per_token),
        meter=meter,
        rates=rates_of(settings),
        rate_limits=RateLimits(engine),
        refusals=refusals,
        now_s=time.time,
        is_draining=lambda: drain.started,
        live=live_site_of(settings),
        calendar=calendar_site_of(settings),
        ical=ical_site_of(settings),
        push_room=PushRoom({"live-watch-": settings.live.push_connections}),
    )


def _clock_of(settings: Settings, engine: Engine) -> Clock:
    is_test = settings.clock.mode == "test"
    if is_test and settings.engine.url != EMBEDDED:
        raise EngineUnfit('[clock] mode = "test" is for the embedded engine only: set [engine] url = "embedded"')
    return Clock(engine, is_test=is_test)


async def _register_signing_key(engine: Engine, signing_key: SigningKey) -> None:
    """The first broker's public key is the one of the data; a broker with another would mint tokens nobody trusts."""
    document, _ = await Documents(engine).change(SIGNING_KEY_DOCUMENT, lambda known: known or signing_key.jwk())
    if document["x"] != signing_key.public_x:
        raise EngineUnfit(
            f"The data was made with another signing key (kid {document['kid']}, this one is {signing_key.kid}). "
            "Point [auth] signing_key_file at the key that belongs to the data."
        )


async def _close_on_drain(broker: Broker, drain: Drain, spread_s: float) -> None:
    await drain.wait()
    await broker.hub.close_all(RESTART, spread_s=spread_s)
    for end in list(broker.ended_by_drain):
        end(RESTART)
