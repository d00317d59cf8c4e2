"""A Change in the words of the script: all keys in one slot, what is written checked once."""

from broker.change import Change, Delete, Document, DocumentKey, Entry, Put, emit
from broker.channels import NewChannel, record_of
from broker.storage.appender import Retention
from broker.storage.commit_call import call_of
from broker.timers import Claimed, Timer, TimerName

KEPT = Retention(days=7, events=10_000, idempotency_ttl_s=86_400)
A, B, C = (DocumentKey("thing", name) for name in "abc")
LOG = record_of(NewChannel("news", "News"), tag=5, partition=3, created_ms=1)
TICK = TimerName("tick", "acme", "a")


def test_documents_that_are_written_are_not_checked_twice() -> None:
    change = Change((Put(A, 4, b"1", (Entry("things", 9, "a"),), 77), Delete(B, 5)))
    read = {A: Document(4, b"0", ("things", "old")), B: Document(5, b"1", ("others",)), C: None}
    call = call_of(3, change, read=read, records={}, retention=KEPT, offset_ms=0)
    assert call.keys[8:11] == ["{p03}:state:thing:c", "{p03}:state:thing:a", "{p03}:state:thing:b"]
    assert set(call.keys[11:]) == {f"{{p03}}:index:{name}" for name in ("things", "old", "others")}
    assert call.args[12:] == [3, 0, 0, "check", 0, "put", 4, b"1", 77, "things\na\n9\n", "delete", 5]


def test_events_stand_by_their_log_and_all_keys_in_one_slot() -> None:
    events = (emit("news", "t", 1, "system-x"), emit("news", "t", 2, "system-x"))
    change = Change(events=events, timers=(Timer(TICK, 8), TICK._replace(subject="b")))
    claimed = Claimed(Timer(TICK, 8), 12, 0)
    call = call_of(3, change, read={}, records={"news": LOG}, retention=KEPT, offset_ms=9, claimed=claimed)
    assert call.logs == ["news"] and len(call.keys) == 11
    assert all(key.startswith("{p03}:") for key in call.keys)
    assert call.args[:5] == [9, "{p03}:timer-topic", "{p03}:index:", "tick/acme/a", 12]
    assert call.args[12:15] == [0, 1, 2] and call.args[20] == 2
    assert call.args[-6:] == ["arm", "tick/acme/a", 8, "disarm", "tick/acme/b", 0]
