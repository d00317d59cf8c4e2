"""Every metric there is: its name, what it says, its labels. `docs/operations.md` has the same table, and a test
compares both with what a server answers.

Labels have few values, known beforehand or bounded by the tables of routes, scripts and codes; a channel, a token or an
address is never one. What a gauge of several processes says together is its mode: the sum, the highest or the lowest.
"""

from collections.abc import Iterator
from typing import Literal, NamedTuple

Kind = Literal["counter", "gauge", "histogram"]
Mode = Literal["livesum", "livemax", "livemin"]


class Metric(NamedTuple):
    """A metric. `mode` is for gauges: how the values of the living processes become one."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    mode: Mode = "livesum"


def _counter(name: str, text: str, *labels: str) -> Metric:
    return Metric(f"tidemark_{name}_total", "counter", text, labels)


def _gauge(name: str, text: str, *labels: str, mode: Mode = "livesum") -> Metric:
    return Metric(f"tidemark_{name}", "gauge", text, labels, mode)


def _histogram(name: str, text: str, *labels: str) -> Metric:
    return Metric(f"tidemark_{name}", "histogram", text, labels)


CONNECTIONS_OPEN = _gauge("connections_open", "Open connections")
CONNECTIONS_LIMIT = _gauge("connections_limit", "Connections that may be open")
CONNECTIONS = _counter("connections", "Connections let in")
EDGE_REFUSALS = _counter("edge_refusals", "What the edge refused before a route was asked", "kind")
REQUESTS = _counter("http_requests", "Requests and handshakes answered", "method", "route", "status")
REQUEST_SECONDS = _histogram("http_request_seconds", "Until an answer begins; long polls not counted", "route")
READERS_OPEN = _gauge("readers_open", "Held-open readers: socket, stream, long_poll", "kind")

CHANNELS_WATCHED = _gauge("channels_watched", "Channels that somebody reads, counted by each process")
SUBSCRIPTIONS_OPEN = _gauge("subscriptions_open", "Subscriptions of held-open readers")
SUBSCRIPTION_ENDS = _counter("subscription_ends", "Subscriptions ended by the server", "code")
DELIVERIES = _counter("deliveries", "Events given to held-open readers")
CATCH_UPS = _counter("catch_up_reads", "Pages of a log for readers behind what memory holds; some may be of one read")

FEED_UP = _gauge("feed_up", "1 while the live feed of every process is connected", mode="livemin")
FEED_CONNECTS = _counter("feed_connects", "Connections of the live feed, the first of each process included")
FEED_MESSAGES = _counter("feed_messages", "Messages of the live feed that brought something new")
FEED_LAG_SECONDS = _histogram("feed_lag_seconds", "From an event's id to its arrival in a process")
FEED_MENDS = _counter("feed_mends", "Reads of a log for what the feed did not bring")
POSITION_CHECKS = _counter("position_checks", "Watched logs compared with what arrived")
POSITION_LOSSES = _counter("position_check_losses", "Position checks that found a lost message")

PUBLISHES = _counter("publishes", "Publishes stored")
EVENTS = _counter("published_events", "Events stored")
REPLAYS = _counter("publish_replays", "Publishes answered again for their Idempotency-Key")
APPEND_PUBLISHES = _histogram("append_call_publishes", "Publishes that shared a call of the append script")
TRIMMED = _counter("trimmed_events", "Events removed by retention")
RECORD_LOOKUPS = _counter("record_lookups", "Channel records wanted: hit, miss", "outcome")

TIMERS = _counter("timers", "Timers acted on: done, fenced, failed (tried again)", "outcome")
TIMER_LATE_SECONDS = _histogram("timer_late_seconds", "From when a timer was due until it was first claimed")
DELIVERY_ATTEMPTS = _counter("webhook_attempts", "Attempts to deliver to a webhook: taken, failed", "outcome")
CALLS = _counter("cuey_calls", "Calls of scheduled webhooks that were made: succeeded, failed", "outcome")
ICAL_POLLS = _counter("ical_polls", "Polls of iCal subscriptions: merged, unchanged, failed", "outcome")
EXPIRED = _counter("expired_documents", "Documents removed at the end of their lifetime")

ENGINE_UP = _gauge("engine_up", "1 while the engine answers every process", mode="livemin")
ENGINE_REPLY_SECONDS = _histogram("engine_reply_seconds", "Until the engine answers a question of no weight")
ENGINE_CLOCK = _gauge("engine_clock_difference_seconds", "Between the engine's clock and ours", mode="livemax")
ENGINE_MEMORY = _gauge("engine_memory_bytes", "Memory that the engine uses", mode="livemax")
ENGINE_MEMORY_LIMIT = _gauge("engine_memory_limit_bytes", "Its maxmemory; 0 for none", mode="livemax")
ENGINE_PERSISTS = _gauge("engine_persists", "1 while its append-only file is on and written", mode="livemin")
SCRIPT_SECONDS = _histogram("script_seconds", "Calls of the engine's scripts, as a process sees them", "script")

LOOP_LAG_SECONDS = _histogram("loop_lag_seconds", "How late the event loop is, ten times a second")
CPU_SECONDS = _counter("process_cpu_seconds", "CPU time used")
CPU_BUSIEST = _gauge("process_cpu_busiest_ratio", "CPU of the busiest process; 1 is a core", mode="livemax")
RESIDENT = _gauge("process_resident_bytes", "Resident memory")
GC_PAUSE_SECONDS = _histogram("gc_pause_seconds", "Pauses for garbage collection", "generation")
PROCESSES = _gauge("processes", "Processes that serve")
DRAINING = _gauge("draining_processes", "Processes that are being stopped")
STARTED = _gauge("start_time_seconds", "When the oldest process started, in Unix time", mode="livemin")
BUILD = _gauge("build_info", "1; what runs is in the labels", "version", "python", mode="livemax")


def all_metrics() -> Iterator[Metric]:
    """Every metric above, in that order."""
    return (each for each in globals().values() if isinstance(each, Metric))
