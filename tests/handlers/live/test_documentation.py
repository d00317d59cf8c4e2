"""The documents and the page say what the live events API does."""

from pathlib import Path

from handlers.asyncapi import render_asyncapi
from handlers.live.events import CHANGED, TYPES
from handlers.live.operations import OPERATIONS, PREFIX, TEAM_PATH, WATCH_PATH
from handlers.live.shown import CreatedShown, EventShown, WatchShown
from handlers.live.watch import WatchState
from handlers.openapi import render_openapi
from handlers.routes import CONNECTIONS_OF_ALL

PAGE = (Path(__file__).parents[3] / "docs/live.md").read_text()
VIEWERS = ("watch", "verify-password", "verify-token", "consume-grant", "ingest")


def test_its_21_calls_and_the_hook_are_there() -> None:
    assert len(OPERATIONS) == 22 and {each.path.startswith(PREFIX) for each in OPERATIONS} == {True}
    open_to_all = [each for each in OPERATIONS if each.access == "none"]
    assert len(open_to_all) == 5 and all(any(name in each.path for name in VIEWERS) for each in open_to_all)


def test_every_write_of_an_organiser_takes_an_idempotency_key() -> None:
    for each in OPERATIONS:
        has_key = "Idempotency-Key" in {name.name for name in each.parameters}
        assert has_key is (each.method != "GET" and each.access == "tenant")


def test_every_refusal_is_documented_with_the_body_of_this_api() -> None:
    for path in render_openapi(OPERATIONS)["paths"].values():
        for operation in path.values():
            for status, response in operation["responses"].items():
                if int(status) >= 400:
                    schema = response["content"]["application/json"]["schema"]
                    assert {"error", "detail"} <= schema["properties"].keys()


def test_the_typed_events_are_in_the_asyncapi_document() -> None:
    document = render_asyncapi(CONNECTIONS_OF_ALL, "")
    team, watch = (document["channels"][name] for name in ("liveTeam", "liveWatch"))
    assert (team["address"], list(team["messages"])) == (TEAM_PATH, list(TYPES))
    assert (watch["address"], list(watch["messages"])) == (WATCH_PATH, [CHANGED])


def test_a_stream_key_is_in_no_answer_but_the_first() -> None:
    assert "stream_key" in CreatedShown.model_fields and "stream_key" not in EventShown.model_fields
    assert not {"stream_key", "password"} & WatchShown.model_fields.keys()


def test_the_page_has_every_watch_state() -> None:
    assert all(f"`{state}`" in PAGE for state in WatchState)
