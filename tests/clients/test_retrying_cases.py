"""A call made until there is an answer, case by case (`clients/cases/retrying.json`)."""

from typing import Any

import pytest

from tests.clients.cases import answer_of, cases
from tidemark_client.answers import KEY_HEADER, Call
from tidemark_client.errors import Refused, Unreachable
from tidemark_client.retrying import Retrying
from tidemark_client.steps import Ask, Done, Finish, Pause
from tidemark_client.timing import Timing

ALL = cases("retrying")
CALL = Call("POST", ("channels", "news", "events"), {}, b"{}", {KEY_HEADER: "k"})


def shown(step: Ask | Pause | Done | Finish) -> Any:
    match step:
        case Pause(seconds):
            return {"pause": round(seconds, 6)}
        case Ask(call):
            assert call is CALL, "the same request, with the same key"
            return {"ask": True}
        case Done(answer):
            return {"done": answer.status}
        case Finish(error):
            more = {"status": error.status} if isinstance(error, Refused) else {}
            return {"finish": type(error).__name__, **more}


@pytest.mark.parametrize("case", ALL, ids=[case["name"] for case in ALL])
def test_case(case: dict[str, Any]) -> None:
    core = Retrying(CALL, case["patience_s"], 0, Timing())
    for line in case["lines"]:
        match line:
            case ["step", now, chance, expected]:
                assert shown(core.next_step(now, chance)) == expected, line
            case ["answer", _, told]:
                core.on_answer(answer_of(told))
            case ["failure", _, says, *passing]:
                core.on_failure(says, is_passing=all(passing))
            case ["said", expected]:
                assert core.say() == expected
            case _:
                pytest.fail(f"no such line: {line}")


def test_whoever_gives_up_has_the_key_to_try_again_with() -> None:
    core = Retrying(CALL, 0, 0, Timing())
    core.on_failure("it broke")
    step = core.next_step(0, 0)
    assert isinstance(step, Finish) and isinstance(step.error, Unreachable)
    assert step.error.key == "k"
