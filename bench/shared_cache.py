"""A shared cache by the rules of RFC 9111 that real ones follow, on a clock of its own, and a real one to compare with.

An answer is kept for its `s-maxage`; what says nothing of the kind is not; what is too old is checked by its ETag.
"""

import re
from typing import NamedTuple

import httpx2

KEPT = re.compile(r"public, s-maxage=(\d+)")


class Page(NamedTuple):
    """What a poller needs of a page: where to go on, and whether at once."""

    cursor: str
    has_more: bool


class _Kept(NamedTuple):
    page: Page
    etag: str
    until_s: float


class SimulatedCache:
    """Answers polls from memory while it may, else from the broker behind `http`."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self._http = http
        self._kept: dict[str, _Kept] = {}

    async def get(self, target: str, now_s: float) -> Page:
        """The page at this path and query, asked for at this time."""
        kept = self._kept.get(target)
        if kept is not None and now_s < kept.until_s:
            return kept.page
        answer = await self._http.get(target, headers={} if kept is None else {"If-None-Match": kept.etag})
        page = kept.page if kept is not None and answer.status_code == 304 else parse_page(answer)
        for_s = KEPT.fullmatch(answer.headers["Cache-Control"])
        if for_s is not None:
            self._kept[target] = _Kept(page, answer.headers["ETag"], now_s + int(for_s[1]))
        return page


class RealCache:
    """The same through a cache that is a server of its own, with the time of the wall."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self._http = http

    async def get(self, target: str, _: float) -> Page:
        """The page at this path and query."""
        return parse_page(await self._http.get(target))


def parse_page(answer: httpx2.Response) -> Page:
    """What a poller needs of an answer; raises for one that is no page."""
    answer.raise_for_status()
    page = answer.json()
    return Page(page["cursor"], page["has_more"])
