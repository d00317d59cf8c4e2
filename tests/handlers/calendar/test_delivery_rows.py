"""Rows of deliveries, on a real engine: when they begin and end, how many are kept, and what they count."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from broker.change import Change, DocumentKey, Put
from broker.channels import ChannelRecord
from broker.deliveries import Attempt, Outcome, Waiting
from broker.delivery_forms import Facts, Noting
from broker.delivery_log import gap_of
from broker.events import Frame
from broker.ids import Position, render_ulid
from broker.progress import Progress, parse_progress, render_progress
from broker.signing import SigningKey
from broker.storage.state import Loaded, Page
from handlers.broker import CalendarSite
from handlers.calendar.delivering import AT_A_TIME, SPARE, form_of
from handlers.calendar.delivery_rows import FINISHED, KIND, MOST_FINISHED, begin, index_of, note, parse_row
from handlers.calendar.events import org_of
from tests.stores import Store

SUBJECT, TENANT = "ABCDEFGHJ/whk_1", "acme"
STATE = DocumentKey("webhook", SUBJECT)
NOW = 1_800_000_000_000
START = Progress(Position(NOW, 0))


def waiting(number: int) -> Waiting:
    frame = Frame(Position(NOW + number, 0), render_ulid("ABCDEFGHJ", Position(NOW + number, 0)), b'"x"', b"{}")
    return Waiting(frame._replace(type_json=b'"calendar.event.created"'), ("s",), 0, is_sent=True)


def attempt(number: int, verdict: str, next_ms: int | None = None) -> Attempt:
    status = 200 if verdict == "delivered" else 500
    return Attempt(waiting(number).frame.id, 1, verdict, Outcome(status, None, NOW + number, 3), next_ms)


class Rows:
    """An endpoint's rows, written as a round writes them."""

    def __init__(self, store: Store, channel: ChannelRecord) -> None:
        self.store = store
        self.channel = channel
        self.partition = store.engine.partition(TENANT)
        key = SigningKey.of(Ed25519PrivateKey.generate())
        made = form_of(key, store.reader, CalendarSite()).rows
        assert made is not None
        self.kept = made

    async def write(self, noting: Noting) -> Progress:
        def decide(loaded: Loaded) -> Change:
            found = loaded.documents[STATE]
            progress, documents = noting.write(parse_progress(found.body) if found else START, loaded)
            return Change((Put(STATE, found.version if found else 0, render_progress(progress)), *documents))

        committed = await self.store.commits.execute(TENANT, [STATE, *noting.keys], decide)
        [put, *_] = committed.change.documents
        assert isinstance(put, Put)
        return parse_progress(put.body)

    async def noted(self, *attempts: Attempt) -> Progress:
        return await self.write(note(Facts(SUBJECT, 0, attempts, [])))

    async def page(self, status: str | None = None, limit: int = 100) -> Page:
        return await self.store.reader.page(self.partition, KIND, index_of(SUBJECT, status), limit=limit)

    async def statuses(self) -> list[str]:
        return [parse_row(document)["status"] for _, document in (await self.page()).documents]

    async def finish(self, numbers: range) -> None:
        for start in range(0, len(numbers), 100):
            some = numbers[start : start + 100]
            await self.write(begin(SUBJECT, [waiting(each) for each in some]))
            await self.noted(*(attempt(each, "delivered") for each in some))


@pytest.fixture
async def rows(store: Store) -> Rows:
    return Rows(store, await store.channels.ensure(org_of(TENANT)))


async def test_a_row_is_pending_from_when_it_is_read_to_its_result(rows: Rows) -> None:
    assert (await rows.write(begin(SUBJECT, [waiting(1), waiting(2), waiting(3)]))).pending == 3
    assert await rows.statuses() == ["pending"] * 3
    counts = await rows.noted(attempt(1, "delivered"), attempt(2, "retrying", NOW + 9), attempt(3, "dead"))
    assert (counts.pending, counts.delivered, counts.given_up) == (1, 1, 1)
    assert await rows.statuses() == ["delivered", "pending", "failed"]
    for status, total in (("pending", 1), ("delivered", 1), ("failed", 1), (FINISHED, 2), (None, 3)):
        assert (await rows.page(status)).total == total
    [(_, document)] = (await rows.page("pending")).documents
    row = parse_row(document)
    assert (row["attempts"], row["next_retry_ms"], row["response_status"]) == (1, NOW + 9, 500)


async def test_what_is_read_twice_is_counted_once_and_what_is_read_again_is_pending_again(rows: Rows) -> None:
    for _ in range(2):
        assert (await rows.write(begin(SUBJECT, [waiting(1)]))).pending == 1
    await rows.noted(attempt(1, "delivered"))
    again = await rows.write(begin(SUBJECT, [waiting(1)]))
    assert (again.pending, again.delivered) == (1, 1)
    counts = await rows.noted(attempt(1, "delivered"))
    assert (counts.pending, counts.delivered) == (0, 2)
    [(_, document)] = (await rows.page()).documents
    assert parse_row(document)["attempts"] == 2


async def test_a_gap_is_a_row_of_the_engines_own_log(rows: Rows) -> None:
    gap = gap_of("0" * 26, "1" * 26, NOW)
    assert (await rows.write(note(Facts(SUBJECT, 4, [], [gap])))).logged == 5
    assert (await rows.page()).total == 0


async def test_of_what_is_finished_the_last_thousand_are_kept_and_all_that_is_pending(rows: Rows) -> None:
    await rows.write(begin(SUBJECT, [waiting(0)]))
    await rows.finish(range(1, MOST_FINISHED + 1))
    assert await rows.kept.spare(rows.channel, SUBJECT, 0) is None
    room = await rows.kept.spare(rows.channel, SUBJECT, 16)
    assert room is not None
    await rows.write(room)
    assert (await rows.page(FINISHED)).total == MOST_FINISHED - 16 - SPARE
    first = [parse_row(document)["event_id"] for _, document in (await rows.page(None, 2)).documents]
    assert first == [waiting(0).frame.id, waiting(16 + SPARE + 1).frame.id]


async def test_what_waits_of_a_webhook_that_is_off_is_given_up_page_by_page(rows: Rows) -> None:
    for start in (0, 90):
        await rows.write(begin(SUBJECT, [waiting(start + each) for each in range(90)]))
    for left in (180 - AT_A_TIME, 0, 0):
        counts = await rows.write(await rows.kept.close(rows.channel, SUBJECT))
        assert counts.pending == left and counts.given_up == 180 - left
    assert (await rows.page("failed")).total == 180
    [(_, document), *_] = (await rows.page("failed", 1)).documents
    assert parse_row(document)["error"] == "the webhook was not active any more"
