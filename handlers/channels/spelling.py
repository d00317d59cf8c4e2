"""The one spelling of a poll's query, so that a shared cache keeps one copy of a page (contract 8, design section 6).

Equal requests of all readers become equal URLs: numbers without leading zeros, times in UTC to the millisecond, types
sorted, and what asks for nothing left out (`on_gap=page`, an empty list of types). A `limit` stays as given. Pure.
"""

from broker.ids import parse_time, render_time


def spell_poll(
    *, cursor: str | None, since: str | None, types: str | None, limit: str | None, gap_is_error: bool
) -> dict[str, str]:
    """The parameters that decide a page, from their valid texts (None: not given), each in its one spelling."""
    spelled = {
        "cursor": cursor,
        "limit": None if limit is None else str(int(limit)),
        "on_gap": "error" if gap_is_error else None,
        "since": None if since is None else spell_time(since),
        "type": spell_types(types or ""),
    }
    return {name: value for name, value in spelled.items() if value}


def spell_time(text: str) -> str:
    """A time as events carry it, `2025-01-15T09:30:01.250Z`; whole seconds may also go without their `.000`."""
    full = render_time(parse_time(text))
    short = full.replace(".000Z", "Z")
    return short if text == short else full


def spell_types(text: str) -> str:
    """A comma list of types: trimmed, each once, in order."""
    return ",".join(sorted({name.strip() for name in text.split(",")} - {""}))
