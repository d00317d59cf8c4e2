"""What a process does beside serving: timers that are due, calls that they lead to, and deliveries to webhooks.

Each has a scheduler, connections and bounds of its own where it waits for other people's servers: however many of them
hang, timers are on time.
"""

from contextlib import AsyncExitStack
from functools import partial

from broker.config import Settings
from broker.endpoints import CHANNEL_FORM
from broker.scheduled import TIMER_KIND
from broker.scheduler import OnTimer, Scheduler
from broker.storage.deliveries import KIND as DELIVERY_KIND
from broker.storage.feeds import open_feed
from broker.storage.lifetimes import Lifetimes
from broker.webclient import WebClient, open_client
from broker.webhooks import Parts, Webhooks
from handlers.beside import run_beside
from handlers.broker import Broker
from handlers.calendar.delivering import calendar_form
from handlers.calendar.imports.documents import POLL_TIMER
from handlers.calendar.imports.syncing import Parts as SyncParts
from handlers.calendar.imports.syncing import Syncs, wait_of
from handlers.calendar.timing import timers_of
from handlers.calendar.webhooks import FORM as CALENDAR_FORM
from handlers.channels.delivering import channel_form
from handlers.channels.scheduling import publish_scheduled
from handlers.cuey.calling import Calls
from handlers.cuey.documents import AGAIN, TIMER
from handlers.live.timing import ON_TIMER as ON_LIVE_TIMER
from handlers.metrics import readings
from handlers.openapi import VERSION
from handlers.wiring import call_limits_of, delivery_limits_of, scheduler_limits_of, server_url_of

USER_AGENT = f"Tidemark/{VERSION}"


async def take_up(stack: AsyncExitStack, settings: Settings, engine_url: str, broker: Broker) -> None:
    """Begin all of it; it ends with the stack."""
    client = await stack.enter_async_context(open_client(settings.outbound.allow, user_agent=USER_AGENT))
    calls = Calls(broker.commits, client.send, call_limits_of(settings))
    stack.push_async_callback(calls.drained)
    broker.meter.add(partial(readings.read_calls, calls))
    parts = SyncParts(broker.engine, broker.reader, broker.commits, client.send)
    syncs = Syncs(parts, broker.ical, wait_of(broker.ical))
    stack.push_async_callback(syncs.drained)
    broker.meter.add(partial(readings.read_syncs, syncs))
    _keep_time(stack, settings, engine_url, broker, calls, syncs)
    _deliver(stack, settings, engine_url, broker, client)


def _keep_time(
    stack: AsyncExitStack, settings: Settings, engine_url: str, broker: Broker, calls: Calls, syncs: Syncs
) -> None:
    """Have done what is to be done at a time: timers, and the end of documents."""
    lifetimes = Lifetimes(broker.engine, interval_s=settings.channels.trim_interval_s)
    # A connection of its own: what wakes the scheduler does not stand behind events.
    wakes = open_feed(engine_url, reply_timeout_s=settings.engine.reply_timeout_s)
    on_timer: dict[str, OnTimer] = {
        TIMER_KIND: partial(publish_scheduled, broker),
        TIMER: calls.on_due,
        AGAIN: calls.on_again,
        **timers_of(broker),
        POLL_TIMER: syncs.on_due,
        **{kind: partial(act, broker) for kind, act in ON_LIVE_TIMER.items()},
    }
    scheduler = Scheduler(broker.timers, wakes, on_timer, scheduler_limits_of(settings), broker.clock.look)
    stack.push_async_callback(scheduler.drained)
    broker.meter.add(partial(readings.read_timers, scheduler, lifetimes))
    run_beside(stack, lifetimes=lifetimes.run(), wakes=wakes.run(), timers=scheduler.run())


def _deliver(stack: AsyncExitStack, settings: Settings, engine_url: str, broker: Broker, client: WebClient) -> None:
    """Have delivered what webhooks are to be told."""
    webhooks = _webhooks_of(settings, broker, client)
    # A feed and a scheduler of its own: however many receivers hang, timers are on time.
    marks = open_feed(engine_url, reply_timeout_s=settings.engine.reply_timeout_s)
    on_mark: dict[str, OnTimer] = {DELIVERY_KIND: webhooks.deliver}
    scheduler = Scheduler(broker.deliveries, marks, on_mark, delivery_limits_of(settings), broker.clock.look)
    stack.push_async_callback(scheduler.drained)
    broker.meter.add(partial(readings.read_webhooks, webhooks))
    run_beside(stack, marks=marks.run(), webhooks=scheduler.run())


def _webhooks_of(settings: Settings, broker: Broker, client: WebClient) -> Webhooks:
    timeout_s = settings.webhooks.timeout_s
    forms = {
        CHANNEL_FORM: channel_form(broker, server_url=server_url_of(settings), timeout_s=timeout_s),
        CALENDAR_FORM: calendar_form(broker),
    }
    return Webhooks(
        Parts(
            log=broker.log,
            endpoints=broker.endpoints,
            reader=broker.reader,
            commits=broker.commits,
            deliveries=broker.deliveries,
            send=client.send,
            forms=forms,
            refresh=broker.channels.refresh,
        )
    )
