"""What a page shows is compared by shape: only what is made anew each time may differ."""

import pytest

from tests.docs.shapes import is_alike, matches

ONE, OTHER, THIRD = "01JD3N6R00ABCDEFGHJ0000000", "01JD3N6Z00ABCDEFGHJ0000000", "01JD3N7000KMNPQRSTV0000000"


@pytest.mark.parametrize(
    ("shown", "came", "is_so"),
    [
        ({"a": 1}, {"a": 1}, True),
        ({"a": 1}, {"a": 2}, False),
        ({"a": 1}, {"a": True}, False),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ({"at": "2026-01-01T00:00:00Z"}, {"at": "2027-06-01T12:00:00.250Z"}, True),
        ({"at": "2026-01-01T00:00:00Z"}, {"at": "soon"}, False),
        ({"at": "2026-01-01T00:00:00Z"}, {"at": None}, False),
        ({"took_ms": 1.5}, {"took_ms": 99.25}, True),
        ({"at_ns": 1757669000000000000}, {"at_ns": 1795000000000000000}, True),
        ({"at_ns": 1757669000000000000}, {"at_ns": 0}, False),
        (["x", "y"], ["x"], False),
        ({"text": "ends..."}, {"text": "ends somehow"}, True),
        ({"text": "ends..."}, {"text": "begins"}, False),
        (None, None, True),
        (None, "", False),
    ],
)
def test_values_are_alike_but_for_times_and_what_is_cut(shown: object, came: object, is_so: bool) -> None:
    assert matches(shown, came, {}) is is_so


def test_an_id_stands_for_one_real_id_everywhere() -> None:
    real: dict[str, str] = {}
    assert matches({"id": ONE}, {"id": OTHER}, real)
    assert matches([ONE], [OTHER], real)
    assert not matches([ONE], [THIRD], real)
    assert not matches({"id": ONE}, {"id": "none"}, {})


def test_lines_are_compared_as_they_are() -> None:
    shown = f"2026-11-27T09:00:00.000Z  publish  news  {ONE}\n"
    assert is_alike(shown, f"2027-01-01T00:00:00.001Z  publish  news  {OTHER}\n", {})
    assert is_alike("key_0123456789abcdef01  tm_...", "key_fedcba987654321001  tm_x2", {})
    assert not is_alike("key_0123456789abcdef01", "tok_fedcba987654321001", {})
    assert not is_alike(shown, f"2027-01-01T00:00:00.001Z  trim  news  {OTHER}\n", {})
