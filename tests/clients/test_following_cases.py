"""Following, case by case: what the core asks for, gives, and where it stands (`clients/cases/following.json`)."""

import json
import math
from typing import Any

import pytest

from tests.clients.cases import answer_of, cases
from tidemark_client.asked import Asked
from tidemark_client.errors import Cut, Gap, Invalid, Refused
from tidemark_client.event import Event
from tidemark_client.following import Follow
from tidemark_client.inbox import Given
from tidemark_client.steps import Ask, Finish, Open, Pause, Step
from tidemark_client.timing import Timing

ALL = cases("following")


def shown(step: Step | None) -> Any:
    match step:
        case Pause(seconds):
            return {"pause": round(seconds, 6)}
        case Ask(call):
            assert (call.method, call.path) == ("GET", ("channels", "news", "events"))
            etag = {"etag": call.headers["If-None-Match"]} if call.headers else {}
            return {"ask": {**call.query, **etag}}
        case Open(transport, path, query):
            assert path == ("channels", "news", transport)
            return {"open": transport, "query": dict(query)}
        case Finish(error):
            more = {"status": error.status} if isinstance(error, Refused) else {}
            code = {"code": error.code} if isinstance(error, Cut) and error.code else {}
            return {"finish": type(error).__name__, **more, **code}
    return None


def given_as(given: Given) -> Any:
    if isinstance(given, Event):
        return given.id
    return {"gap": list(given)} if isinstance(given, Gap) else {"trouble": given.text}


def taken(core: Follow, most: float = math.inf) -> list[Any]:
    found: list[Any] = []
    while len(found) < most and (given := core.take()) is not None:
        found.append(given_as(given))
    return found


def play(core: Follow, line: list[Any]) -> None:
    match line:
        case ["step", now, chance, expected]:
            assert shown(core.next_step(now, chance)) == expected
        case ["answer", now, told]:
            core.on_answer(answer_of(told), now)
        case ["open", now]:
            core.on_open(now)
        case ["frame", now, fields]:
            core.on_frame(json.dumps(fields), now)
        case ["chunk", now, text]:
            core.on_chunk(text.encode(), now)
        case ["close", now, code, reason]:
            core.on_close(code, reason, now)
        case ["refusal", now, told]:
            core.on_refusal(answer_of(told), now)
        case ["failure", now, says, *passing]:
            core.on_failure(says, now, is_passing=all(passing))
        case ["wake", now, expected]:
            assert shown(core.wake(now)) == expected
        case ["probe", now, told]:
            core.on_probe(told and answer_of(told), now)
        case ["taken", expected, *most]:
            assert taken(core, *most) == expected
        case ["cursor", expected]:
            assert core.cursor == expected
        case ["is_open", expected]:
            assert core.is_open is expected
        case ["due", expected]:
            assert core.due_s == expected
        case _:
            pytest.fail(f"no such line: {line}")


@pytest.mark.parametrize("case", ALL, ids=[case["name"] for case in ALL])
def test_case(case: dict[str, Any]) -> None:
    core = Follow(Asked("news", **case["asked"]), Timing(**case["timing"]))
    for number, line in enumerate(case["lines"]):
        try:
            play(core, line)
        except AssertionError as error:
            raise AssertionError(f"line {number}, {line}: {error}") from error


@pytest.mark.parametrize("asked", [{"cursor": "x"}, {"transports": ["pigeon"]}, {"transports": []}, {"types": "a"}])
def test_what_cannot_be_followed_is_told_at_once(asked: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        Follow(Asked("news", **asked), Timing())
