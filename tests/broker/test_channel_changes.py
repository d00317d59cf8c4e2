"""Creating and changing channels: what the bodies may say, at each limit and beyond (contract section 4)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.channel_changes import ChannelLimits, apply_patch, merge_meta, parse_create
from broker.channels import ChannelRecord, NewChannel, record_of, render_record
from broker.errors import Conflict, Forbidden, Invalid, TooLarge
from broker.scopes import RESERVED_PREFIXES
from broker.strictjson import render_json

LIMITS = ChannelLimits(config_bytes=200, meta_bytes=100)
KEYS = st.text("abc", min_size=1, max_size=2)
METAS = st.dictionaries(KEYS, st.none() | st.booleans() | st.integers(0, 2) | st.text("xy", max_size=2), max_size=6)


def text_of(json_bytes: int) -> dict[str, str]:
    """An object of exactly so many bytes of JSON."""
    return {"a": "x" * (json_bytes - len(render_json({"a": ""})))}


def channel(channel_id: str = "news", **fields: Any) -> ChannelRecord:
    return record_of(NewChannel(channel_id, "News", **fields), tag=5, partition=0, created_ms=1)


def test_an_id_and_a_name_are_enough() -> None:
    assert parse_create({"id": "news", "name": "N", "public": True}, LIMITS) == NewChannel("news", "N")


def test_everything_can_be_said_at_creation() -> None:
    body = {
        "id": "news",
        "name": "N",
        "description": "",
        "tags": ["a", "a"],
        "is_public": True,
        "config": {"x": 1},
        "meta": {"y": None},
    }
    assert render_record(parse_create(body, LIMITS)) == body


LIMIT_CASES: list[tuple[dict[str, Any], type[Exception] | None]] = [
    ({"name": "n" * 200}, None),
    ({"name": "n" * 201}, Invalid),
    ({"name": ""}, Invalid),
    ({"name": None}, Invalid),
    ({"name": 7}, Invalid),
    ({"description": "d" * 2_000}, None),
    ({"description": "d" * 2_001}, Invalid),
    ({"description": 7}, Invalid),
    ({"tags": ["t" * 64] * 32}, None),
    ({"tags": ["t"] * 33}, Invalid),
    ({"tags": ["t" * 65]}, Invalid),
    ({"tags": [""]}, Invalid),
    ({"tags": [None]}, Invalid),
    ({"tags": "news"}, Invalid),
    ({"is_public": None}, Invalid),
    ({"is_public": 1}, Invalid),
    ({"is_public": "true"}, Invalid),
    ({"config": text_of(200)}, None),
    ({"config": text_of(201)}, TooLarge),
    ({"config": []}, Invalid),
    ({"meta": text_of(100)}, None),
    ({"meta": text_of(101)}, TooLarge),
    ({"meta": "{}"}, Invalid),
]


@pytest.mark.parametrize(("fields", "refusal"), LIMIT_CASES)
def test_a_field_is_taken_at_its_limit_and_refused_beyond(
    fields: dict[str, Any], refusal: type[Exception] | None
) -> None:
    created = {"id": "news", "name": "N", **fields}
    if refusal is None:
        for changed in (parse_create(created, LIMITS), apply_patch(channel(), fields, LIMITS)):
            assert fields.items() <= render_record(changed).items()
        return
    with pytest.raises(refusal):
        parse_create(created, LIMITS)
    with pytest.raises(refusal):
        apply_patch(channel(), fields, LIMITS)


@pytest.mark.parametrize("channel_id", [None, 7, "", "ab", "a" * 65, "News", "-news", "news-", "a b", "news\n"])
def test_a_bad_id_is_refused(channel_id: Any) -> None:
    with pytest.raises(Invalid):
        parse_create({"id": channel_id, "name": "N"}, LIMITS)


@pytest.mark.parametrize("body", [None, [], "news", 7, True])
def test_a_body_that_is_no_object_is_refused(body: Any) -> None:
    with pytest.raises(Invalid):
        parse_create(body, LIMITS)
    with pytest.raises(Invalid):
        apply_patch(channel(), body, LIMITS)
    with pytest.raises(Invalid):
        merge_meta(channel(), body, LIMITS)


@pytest.mark.parametrize("prefix", RESERVED_PREFIXES)
def test_a_reserved_id_is_a_conflict_once_the_body_is_good(prefix: str) -> None:
    with pytest.raises(Conflict):
        parse_create({"id": f"{prefix}x", "name": "N"}, LIMITS)
    with pytest.raises(Invalid):
        parse_create({"id": f"{prefix}x"}, LIMITS)


def test_an_empty_patch_changes_nothing() -> None:
    record = channel(description="d", tags=("a",), config={"x": 1}, meta={"y": 1})
    assert apply_patch(record, {}, LIMITS) == record
    assert apply_patch(record, {"public": True, "id": "other"}, LIMITS) == record


def test_null_clears() -> None:
    record = channel(description="d", tags=("a",), config={"x": 1}, meta={"y": 1})
    cleared = apply_patch(record, {"description": None, "tags": None, "config": None, "meta": None}, LIMITS)
    assert cleared == channel()


def test_config_is_replaced_whole() -> None:
    patched = apply_patch(channel(config={"a": 1, "b": {"c": 2}}), {"config": {"b": {}}}, LIMITS)
    assert patched.config == {"b": {}}


@given(METAS, METAS)
def test_a_meta_patch_sets_what_it_names_and_keeps_the_rest(meta: dict[str, Any], patch: dict[str, Any]) -> None:
    merged = merge_meta(channel(meta=meta or None), patch, ChannelLimits()).meta
    expected = {key: patch.get(key, meta.get(key)) for key in {*meta, *patch} if patch.get(key, 0) is not None}
    assert merged == (expected or None)
    assert merge_meta(channel(meta=merged), patch, ChannelLimits()).meta == merged


def test_a_merged_meta_is_bounded_as_a_whole() -> None:
    record = channel(meta=text_of(100))
    assert merge_meta(record, {"a": None, "b": 1}, LIMITS).meta == {"b": 1}
    with pytest.raises(TooLarge):
        merge_meta(record, {"b": 1}, LIMITS)


TYPES = {"types": {"a": {"schema": {}}}, "n": 1}


@pytest.mark.parametrize(
    ("patch", "expected"),
    [
        ({}, TYPES),
        ({"config": {"storage": {"retention_days": 3}}}, {**TYPES, "storage": {"retention_days": 3}}),
        ({"config": {**TYPES, "storage": {"retention_days": 3}}}, {**TYPES, "storage": {"retention_days": 3}}),
        ({"config": {"storage": None}}, {**TYPES, "storage": None}),
        ({"name": "News", "config": {}}, TYPES),
    ],
)
def test_of_a_reserved_channel_the_retention_can_be_changed(patch: dict[str, Any], expected: dict[str, Any]) -> None:
    record = channel("live-team-x", config=TYPES)
    assert apply_patch(record, patch, LIMITS) == channel("live-team-x", config=expected)


@pytest.mark.parametrize(
    "patch",
    [
        {"name": "x"},
        {"is_public": True},
        {"meta": {"a": 1}},
        {"tags": ["a"]},
        {"config": None},
        {"config": {"types": {}}},
        {"config": {"strict_types": True}},
        {"config": {"n": True}},
        {"config": {"n": 1.0}},
        {"name": "x", "config": {"storage": {"retention_days": 3}}},
    ],
)
def test_of_a_reserved_channel_nothing_else_can(patch: dict[str, Any]) -> None:
    with pytest.raises(Forbidden):
        apply_patch(channel("live-team-x", config=TYPES), patch, LIMITS)


def test_the_meta_of_a_reserved_channel_cannot_be_changed() -> None:
    with pytest.raises(Forbidden):
        merge_meta(channel("cuey-team-x"), {"a": 1}, LIMITS)
