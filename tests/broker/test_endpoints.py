"""Webhook endpoints: parsing, ownership, limits and expiry (contract section 10)."""

from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ulid import ULID

from broker.endpoints import (
    DEFAULT_TTL_S,
    MAX_TTL_S,
    EndpointLimits,
    Owner,
    Registered,
    Registration,
    alive,
    fresh_id,
    parse_registration,
    parse_stored,
    register,
    remove,
    render_endpoint,
    render_stored,
)
from broker.errors import Forbidden, Invalid, NotFound, TooMany
from broker.strictjson import parse_json, render_json
from tests.json_values import values

URL = "https://example.com/hook"
LIMITS = EndpointLimits(per_channel=4, per_address=2)
ANN, BOB = Owner("k ann", is_anonymous=False, key_id="k", key_x="x"), Owner("k bob", is_anonymous=False)
HOST = Owner("203.0.113.7", is_anonymous=True)


def parse(body: Any) -> Registration:
    return parse_registration(body, allow=(), type_chars=10)


def registered(*asked: tuple[Owner, str], now_ms: int = 1_000) -> Registered:
    kept: Registered = ()
    for number, (owner, url) in enumerate(asked):
        kept, _ = register(kept, Registration(url, None, 10), owner, LIMITS, new_id=f"wh_{number}", now_ms=now_ms)
    return kept


def test_only_a_url_is_needed() -> None:
    assert parse({"url": URL, "more": 1}) == Registration(URL, None, DEFAULT_TTL_S)


def test_all_fields_are_read() -> None:
    body = {"url": "HTTPS://Example.com:443/hook#x", "event_types": ["a", "", "a"], "ttl_seconds": 60}
    assert parse(body) == Registration(URL, ("a", ""), 60)


def test_null_and_an_empty_list_are_no_filter() -> None:
    assert parse({"url": URL, "event_types": [], "ttl_seconds": None}).event_types is None
    assert parse({"url": URL, "event_types": None}).event_types is None


@pytest.mark.parametrize(("ttl", "seconds"), [(1, 1), (2.0, 2), (MAX_TTL_S, MAX_TTL_S), (10**40, MAX_TTL_S)])
def test_a_long_life_is_capped(ttl: Any, seconds: int) -> None:
    assert parse({"url": URL, "ttl_seconds": ttl}).ttl_s == seconds


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        "x",
        {},
        {"url": None},
        {"url": 1},
        {"url": "ftp://example.com"},
        {"url": "http://127.0.0.1/"},
        {"url": "https://user@example.com/"},
        {"url": URL, "event_types": "a"},
        {"url": URL, "event_types": {"a": 1}},
        {"url": URL, "event_types": [1]},
        {"url": URL, "event_types": ["x" * 11]},
        {"url": URL, "event_types": [str(number) for number in range(33)]},
        {"url": URL, "ttl_seconds": 0},
        {"url": URL, "ttl_seconds": -1},
        {"url": URL, "ttl_seconds": 0.5},
        {"url": URL, "ttl_seconds": 1.5},
        {"url": URL, "ttl_seconds": True},
        {"url": URL, "ttl_seconds": "60"},
        {"url": URL, "ttl_seconds": [60]},
    ],
)
def test_a_malformed_registration_is_invalid(body: Any) -> None:
    with pytest.raises(Invalid):
        parse(body)


@given(values | st.fixed_dictionaries({"url": st.just(URL)}, optional={"event_types": values, "ttl_seconds": values}))
@settings(max_examples=60, deadline=None)
def test_parsing_raises_nothing_but_invalid(body: Any) -> None:
    try:
        asked = parse(body)
    except Invalid:
        return
    assert 1 <= asked.ttl_s <= MAX_TTL_S


def test_an_opened_network_may_be_pointed_at() -> None:
    body = {"url": "http://127.0.0.1:9000/"}
    assert parse_registration(body, allow=[ip_network("127.0.0.0/8")], type_chars=9).url == body["url"]


@given(st.integers(0, (1 << 48) - 1), st.integers(0, (1 << 80) - 1))
def test_an_id_is_a_ulid_of_its_time_and_all_random_bits(now_ms: int, random_bits: int) -> None:
    assert int(ULID.from_str(fresh_id(now_ms, random_bits).removeprefix("wh_"))) == now_ms << 80 | random_bits


def test_the_same_url_of_the_same_owner_is_renewed() -> None:
    kept = registered((ANN, URL))
    again = Registration(URL, ("a",), 60)
    kept, endpoint = register(kept, again, ANN, LIMITS, new_id="wh_new", now_ms=5_000)
    assert kept == (endpoint,)
    assert render_endpoint("news", endpoint) == {
        "id": "wh_0",
        "channel_id": "news",
        "url": URL,
        "event_types": ["a"],
        "expires_at": "1970-01-01T00:01:05.000Z",
        "created_at": "1970-01-01T00:00:01.000Z",
    }


def test_the_same_url_of_another_owner_is_another_endpoint() -> None:
    same_name = Owner(HOST.id, is_anonymous=False)
    kept = registered((ANN, URL), (BOB, URL), (HOST, URL), (same_name, URL))
    assert [each.id for each in kept] == ["wh_0", "wh_1", "wh_2", "wh_3"]


def test_an_owner_is_known_by_another_key_of_the_same_name() -> None:
    kept = registered((ANN, URL))
    renewed = Owner(ANN.id, is_anonymous=False, key_id="k", key_x="y")
    kept, endpoint = register(kept, Registration(URL, None, 1), renewed, LIMITS, new_id="wh_new", now_ms=2_000)
    assert (endpoint.id, endpoint.owner.key_x) == ("wh_0", "y")


def test_a_full_channel_takes_renewals_only() -> None:
    kept = registered(*[(ANN, f"{URL}{number}") for number in range(4)])
    with pytest.raises(TooMany):
        register(kept, Registration(URL, None, 1), BOB, LIMITS, new_id="wh_new", now_ms=1_000)
    kept, _ = register(kept, Registration(f"{URL}0", None, 1), ANN, LIMITS, new_id="wh_new", now_ms=1_000)
    assert len(kept) == 4


def test_a_host_without_a_token_has_a_limit_of_its_own() -> None:
    kept = registered((HOST, "https://a.example/"), (HOST, "https://b.example/"))
    with pytest.raises(TooMany):
        register(kept, Registration(URL, None, 1), HOST, LIMITS, new_id="wh_new", now_ms=1_000)
    neighbour = Owner("203.0.113.8", is_anonymous=True)
    assert len(register(kept, Registration(URL, None, 1), neighbour, LIMITS, new_id="wh_n", now_ms=1_000)[0]) == 3


def test_what_has_expired_does_not_count_and_is_not_renewed() -> None:
    kept = registered(*[(HOST, f"https://{name}.example/") for name in "ab"])
    assert len(alive(kept, 10_999)) == 2 and alive(kept, 11_000) == ()
    again = Registration("https://a.example/", None, 1)
    kept, endpoint = register(kept, again, HOST, LIMITS, new_id="wh_new", now_ms=11_000)
    assert kept == (endpoint,) and (endpoint.id, endpoint.created_ms) == ("wh_new", 11_000)


def test_only_its_owner_or_an_admin_removes_an_endpoint() -> None:
    kept = registered((ANN, URL), (BOB, URL), (HOST, URL))
    with pytest.raises(Forbidden):
        remove(kept, "wh_0", BOB, is_admin=False, now_ms=1_000)
    assert [each.id for each in remove(kept, "wh_1", BOB, is_admin=False, now_ms=1_000)] == ["wh_0", "wh_2"]
    assert [each.id for each in remove(kept, "wh_2", BOB, is_admin=True, now_ms=1_000)] == ["wh_0", "wh_1"]


@pytest.mark.parametrize(("endpoint_id", "now_ms"), [("wh_9", 1_000), ("", 1_000), ("wh_0", 11_000)])
def test_what_is_not_there_or_has_expired_cannot_be_removed(endpoint_id: str, now_ms: int) -> None:
    with pytest.raises(NotFound):
        remove(registered((ANN, URL)), endpoint_id, ANN, is_admin=True, now_ms=now_ms)


def test_what_is_kept_comes_back() -> None:
    kept, _ = register(
        registered((ANN, URL), (HOST, URL)), Registration(URL, ("a",), 9), BOB, LIMITS, new_id="wh_b", now_ms=7
    )
    document = parse_json(render_json(render_stored(kept)), depth=9, keys=99)
    assert parse_stored(document) == kept
    assert parse_stored(None) == ()


@dataclass
class Model:
    """What should be kept: (owner, URL) to (id, expiry)."""

    kept: dict[tuple[str, str], tuple[str, int]] = field(default_factory=dict)

    def expire(self, now_ms: int) -> None:
        self.kept = {name: value for name, value in self.kept.items() if value[1] > now_ms}


OWNERS = (ANN, BOB, HOST, Owner("203.0.113.8", is_anonymous=True))
steps = st.tuples(
    st.sampled_from(["register", "remove"]),
    st.sampled_from(OWNERS),
    st.sampled_from("abc"),
    st.integers(1, 5),
    st.integers(0, 3),
)


@given(st.lists(steps, max_size=30))
def test_any_order_of_registrations_and_removals_is_as_in_a_simple_model(
    order: list[tuple[str, Owner, str, int, int]],
) -> None:
    model, now_ms = Model(), 0
    registrations: Registered = ()
    for number, (verb, owner, name, ttl_s, pause_s) in enumerate(order):
        now_ms += pause_s * 1000
        model.expire(now_ms)
        place, url = (owner.id, name), f"https://{name}.example/"
        try:
            if verb == "register":
                asked = Registration(url, None, ttl_s)
                registrations, made = register(
                    registrations, asked, owner, LIMITS, new_id=f"wh_{number}", now_ms=now_ms
                )
                assert made.id == model.kept.get(place, (f"wh_{number}",))[0]
                model.kept[place] = (made.id, now_ms + ttl_s * 1000)
            else:
                known = model.kept.get(place, ("wh_none",))[0]
                registrations = remove(registrations, known, owner, is_admin=False, now_ms=now_ms)
                del model.kept[place]
        except TooMany:
            own = sum(each == owner.id for each, _ in model.kept)
            assert place not in model.kept
            assert len(model.kept) == LIMITS.per_channel or (owner.is_anonymous and own == LIMITS.per_address)
        except NotFound:
            assert place not in model.kept
        assert {each.id for each in alive(registrations, now_ms)} == {known for known, _ in model.kept.values()}
        assert len(model.kept) <= LIMITS.per_channel
