"""A reader's session against a model of a server, drawn at random: what the core was told, what it asked and gave.

The model is a log that grows and is trimmed, whose doors break in every way. The session is kept as lines in the form
of `clients/cases/following.json`, so that another core can be held to the very same.
"""

import json
import random
from collections.abc import Callable
from typing import Any

from tests.clients.cases import answer_of, ulid
from tidemark_client.asked import Asked
from tidemark_client.following import Follow
from tidemark_client.ids import cursor_before
from tidemark_client.steps import Ask, Finish, Open, Pause
from tidemark_client.timing import Timing

TURNS = 40
CALM_TURNS = 60
SHARED = {"cache-control": "public, s-maxage=2"}
TROUBLES = (429, 500, 503)


class Session:
    """One session; `lines` is all of it. `given` are the ids in order, `gaps` what was told to be gone."""

    def __init__(self, chance: random.Random, asked: dict[str, Any], shown: Any) -> None:
        self.chance = chance
        self.core = Follow(Asked("news", **asked), Timing())
        self.lines: list[list[Any]] = []
        self.given: list[str] = []
        self.gaps: list[tuple[str, str]] = []
        self.log: list[str] = []
        self.kept_after = ulid(0)
        self.is_calm = False
        self._shown = shown
        self._now = 0.0

    def run(self) -> None:
        """Turns in which anything may break, then enough in which nothing does."""
        for _ in range(TURNS):
            self._turn()
        self.is_calm = True
        self._append(1)
        for _ in range(CALM_TURNS):
            if self.given[-1:] == self.log[-1:]:
                return
            self._turn()

    def _turn(self) -> None:
        if not self.is_calm:
            self._append(self.chance.choice((0, 0, 1, 3)))
            self._trim()
        chance = self.chance.choice((0, 0.5, 1))
        step = self.core.next_step(self._now, chance)
        self.lines.append(["step", self._now, chance, self._shown(step)])
        match step:
            case Pause(seconds):
                self._now += seconds
            case Ask(call):
                self._answer_or_fail(dict(call.query))
            case Open(transport, _, query):
                if transport == "ws":
                    self._socket(query["cursor"])
                else:
                    self._stream(query["cursor"])
            case Finish(error):
                raise AssertionError("a reader that gives up") from error
        self._take()

    def _answer_or_fail(self, query: dict[str, str]) -> None:
        luck = self.chance.random()
        if self.is_calm or luck < 0.6:
            self._tell("answer", self._now, self._page(query))
        elif luck < 0.8:
            status = self.chance.choice(TROUBLES)
            self._tell("answer", self._now, {"status": status, "headers": {}, "body": {"error": "busy"}})
        else:
            self._tell("failure", self._now, "it broke")

    def _socket(self, cursor: str) -> None:
        if not self._opens():
            return
        if self._is_gone(cursor):
            self._tell("close", self._now, 4410, f"cursor expired; cursor={self.kept_after}")
            return
        self._read(cursor, self._frame, self._socket_ends)

    def _stream(self, cursor: str) -> None:
        if not self._opens():
            return
        self._chunks("retry: 2000\n\n")
        if self._is_gone(cursor):
            self._chunks(f'event: cursor_expired\nid: {self.kept_after}\ndata: {{"cursor":"{self.kept_after}"}}\n\n')
            cursor = self.kept_after
        self._read(cursor, lambda at: self._chunks(f"id: {at}\ndata: {json.dumps({'id': at})}\n\n"), self._stream_ends)

    def _opens(self) -> bool:
        luck = self.chance.random()
        if self.is_calm or luck < 0.6:
            self._tell("open", self._now)
            return True
        if luck < 0.8:
            self._tell("failure", self._now, "no way")
        else:
            status = self.chance.choice((426, 502, 503))
            body = {"error": "said no"} if self.chance.random() < 0.5 else "<html>"
            self._tell("refusal", self._now, {"status": status, "headers": {}, "body": body})
        return False

    def _read(self, cursor: str, give: Any, end: Any) -> None:
        """Give what comes after the cursor, in part, and more that is published meanwhile; then end it."""
        while self.core.is_open:
            ready = [at for at in self.log if at > cursor][: 100 if self.is_calm else self.chance.randint(0, 4)]
            for at in ready:
                give(at)
                cursor = at
            if self.chance.random() < 0.3:
                self._take()
            if not self.is_calm:
                self._append(self.chance.choice((0, 1)))
            if self.is_calm or self.chance.random() < 0.4:
                end(cursor)

    def _socket_ends(self, cursor: str) -> None:
        luck = self.chance.random()
        if luck < 0.3:
            self._tell("close", self._now, self.chance.choice((None, 1006)), "")
        elif luck < 0.7:
            self._tell("close", self._now, self.chance.choice((1012, 1013, 4408)), f"bye; cursor={cursor}")
        elif luck < 0.8:
            self._tell("close", self._now, 1011, "a defect")
        else:
            self._wake()

    def _stream_ends(self, cursor: str) -> None:
        if self.chance.random() < 0.5:
            self._tell("close", self._now, None, "")
        else:
            told = json.dumps({"code": self.chance.choice((1012, 1013, 4408)), "reason": "bye", "cursor": cursor})
            self._chunks(f"event: close\ndata: {told}\n\n")

    def _wake(self) -> None:
        self._now = max(self._now, self.core.due_s)
        probe = self.core.wake(self._now)
        self.lines.append(["wake", self._now, self._shown(probe)])
        if probe is not None:
            answer = None if self.chance.random() < 0.5 else self._page(dict(probe.call.query))
            self._tell("probe", self._now, answer)

    def _page(self, query: dict[str, str]) -> dict[str, Any]:
        limit, cursor = int(query["limit"]), query.get("cursor")
        kept = [at for at in self.log if at > self.kept_after]
        if cursor is None:
            last = kept[-limit:]
            page = {"events": [{"id": at} for at in last], "cursor": (self.log or [ulid(0)])[-1], "has_more": False}
            return {"status": 200, "headers": SHARED, "body": {**page, "complete": True}}
        is_complete = not self._is_gone(cursor)
        after = [at for at in kept if at > cursor]
        found = after[: min(limit, self.chance.randint(1, 5))]
        end = found[-1] if found else max(cursor, self.kept_after)
        page = {"events": [{"id": at} for at in found], "cursor": end, "has_more": len(found) < len(after)}
        gone = {} if is_complete else {"oldest": kept[0] if kept else None}
        return {"status": 200, "headers": SHARED, "body": {**page, "complete": is_complete, **gone}}

    def _frame(self, at: str) -> None:
        self._tell("frame", self._now, {"id": at})

    def _chunks(self, text: str) -> None:
        while text and self.core.is_open:
            size = len(text) if self.is_calm else self.chance.randint(1, len(text))
            self._tell("chunk", self._now, text[:size])
            text = text[size:]

    def _take(self) -> None:
        shown: list[Any] = []
        while (given := self.core.take()) is not None:
            match given:
                case (after, resume):
                    self.gaps.append((after, resume))
                    shown.append({"gap": [after, resume]})
                case (text,):
                    shown.append({"trouble": text})
                case event:
                    self.given.append(event.id)
                    shown.append(event.id)
        self.lines += [["taken", shown], ["cursor", self.core.cursor]]

    def _append(self, count: int) -> None:
        self.log += [ulid(len(self.log) + 1 + i) for i in range(count)]

    def _trim(self) -> None:
        if self.log and self.chance.random() < 0.05:
            self.kept_after = cursor_before(
                self.chance.choice([at for at in self.log if at > self.kept_after] or [self.log[-1]])
            )

    def _is_gone(self, cursor: str) -> bool:
        """Whether an event after the cursor is no longer kept."""
        return any(cursor < at <= self.kept_after for at in self.log)

    def _tell(self, word: str, now: float, *told: Any) -> None:
        self.lines.append([word, now, *told])
        call: dict[str, Callable[[], None]] = {
            "answer": lambda: self.core.on_answer(answer_of(told[0]), now),
            "failure": lambda: self.core.on_failure(told[0], now),
            "open": lambda: self.core.on_open(now),
            "frame": lambda: self.core.on_frame(json.dumps(told[0]), now),
            "chunk": lambda: self.core.on_chunk(told[0].encode(), now),
            "close": lambda: self.core.on_close(told[0], told[1], now),
            "refusal": lambda: self.core.on_refusal(answer_of(told[0]), now),
            "probe": lambda: self.core.on_probe(told[0] and answer_of(told[0]), now),
        }
        call[word]()
