"""One socket: who speaks on it, what it follows, and what its commands do (docs/multiplex.md).

Commands are executed in the order in which they came, and answered in that order; publishes that come one behind the
other are under way together. A command that is refused has changed nothing.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from functools import partial

from broker.channels import ChannelRecord
from broker.closing import RESTART, CloseReason
from broker.errors import Forbidden, NotFound, Refusal, Unauthorized, Unavailable
from broker.scopes import Grant
from handlers.auth import NO_RIGHT
from handlers.broker import Broker
from handlers.channels.door import age_s, expires_in_s, judge, whom
from handlers.channels.multiplex.commands import Asked, Authenticate, Publish, Ref, Subscribe, Unsubscribe
from handlers.channels.multiplex.followed import Followed
from handlers.channels.multiplex.messages import (
    render_authenticated,
    render_defect,
    render_error,
    render_published,
    render_subscribed,
    render_unsubscribed,
)
from handlers.channels.multiplex.outgoing import Outgoing, Turn
from handlers.channels.multiplex.publishes import NO_LONGER_GOOD, publish_all
from handlers.channels.publishing import Published, published_frames
from handlers.serving.unblock import Unblock

NOT_FOLLOWED = "Not subscribed to this channel"
PRIVATE = "Subscribe token required for private channel"

logger = logging.getLogger(__name__)


@asynccontextmanager
async def open_session(broker: Broker, grant: Grant | None, unblock: Unblock) -> AsyncIterator["Session"]:
    """The state of a socket while it is open. Raises `TooMany` past the connections of one token."""
    session = Session(broker, unblock)
    try:
        session.speak_as(grant)
        broker.ended_by_drain.add(session.end)
        yield session
    finally:
        broker.ended_by_drain.discard(session.end)
        await session.aclose()


class Session:
    """The state of one socket. `execute` is called by one task, `next_turn` by another."""

    def __init__(self, broker: Broker, unblock: Unblock) -> None:
        limits = broker.limits.multiplex
        self._broker = broker
        self._grant: Grant | None = None
        self._held = ExitStack()
        self._outgoing = Outgoing(step_events=limits.step_events, position_s=limits.position_s, unblock=unblock)
        self._followed = Followed(broker, self._outgoing.rotation, self._judge)
        self._age_timer = asyncio.get_running_loop().call_later(age_s(broker), self.end, RESTART)
        self._expiry_timer: asyncio.TimerHandle | None = None

    def speak_as(self, grant: Grant | None) -> None:
        """From now on the socket is this grant's: what it may not read ends. Raises `TooMany`, then nothing changed."""
        if grant is not None and (self._grant is None or self._grant.principal != grant.principal):
            with ExitStack() as held:
                held.enter_context(self._broker.open_connections.hold(grant.principal))
                self._held.close()
                self._held = held.pop_all()
        self._grant = grant
        self._watch_expiry()
        self._followed.read_as(whom(self._broker, grant))
        self._followed.judge_all()

    def end(self, reason: CloseReason) -> None:
        """Close the socket, with its last words."""
        self._outgoing.end(reason)

    async def next_turn(self) -> Turn:
        """What to write next; calling again says that it was written."""
        return await self._outgoing.next(self._followed)

    async def execute(self, asked: Sequence[Asked]) -> None:
        """Execute commands that were taken together, and answer each."""
        await self._outgoing.taken()
        if self._outgoing.is_ending:
            return
        self._outgoing.expect(len(asked))
        publishes = [each.command for each in asked if isinstance(each.command, Publish)]
        if publishes:
            await self._publish([each.ref for each in asked], publishes)
        for each in asked[len(publishes) :]:
            await self._execute(each)

    async def aclose(self) -> None:
        """Let go of everything."""
        self._age_timer.cancel()
        if self._expiry_timer is not None:
            self._expiry_timer.cancel()
        self._followed.drop_all()
        self._held.close()
        await self._outgoing.aclose()

    async def _execute(self, asked: Asked) -> None:
        ref, command = asked
        try:
            match command:
                case Subscribe():
                    await self._subscribe(ref, command)
                case Unsubscribe():
                    self._unsubscribe(ref, command)
                case Authenticate():
                    await self._authenticate(ref, command)
                case Refusal():
                    raise command
        except Refusal as refusal:
            self._outgoing.answer(partial(render_error, ref, refusal))
        except Exception:
            logger.exception("a command failed")
            self._outgoing.answer(partial(render_defect, ref))

    async def _subscribe(self, ref: Ref, command: Subscribe) -> None:
        if self._broker.is_draining():
            raise Unavailable("The server is restarting", retry_after_s=1)
        channel, beginning = await self._followed.follow(command, self._admit)
        self._outgoing.answer(partial(render_subscribed, ref, channel.record.id, beginning))
        self._followed.serve(channel)

    def _unsubscribe(self, ref: Ref, command: Unsubscribe) -> None:
        subscription = self._followed.drop(command.channel_id)
        if subscription is None:
            raise NotFound(NOT_FOLLOWED)
        # Its events may be on their way this moment; the cursor is asked for when they are written.
        self._outgoing.answer(lambda: render_unsubscribed(ref, command.channel_id, subscription.cursor))

    async def _authenticate(self, ref: Ref, command: Authenticate) -> None:
        await self._broker.auth.learn(command.token)
        grant = self._broker.verifier.grant_of(command.token)
        self.speak_as(grant)
        self._outgoing.answer(partial(render_authenticated, ref, grant))

    async def _publish(self, refs: list[Ref], commands: list[Publish]) -> None:
        try:
            outcomes = await publish_all(self._broker, self._grant, commands)
        except Exception:
            logger.exception("publishing failed")
            for ref in refs:
                self._outgoing.answer(partial(render_defect, ref))
            return
        for ref, command, outcome in zip(refs, commands, outcomes, strict=True):
            self._outgoing.answer(partial(_render_outcome, ref, command, outcome))

    def _admit(self, channel: ChannelRecord) -> None:
        """Whether the channel may be followed, in the order of reads: credential, then scope (contract section 1)."""
        if channel.is_public:
            return
        if self._grant is None:
            raise Unauthorized(PRIVATE)
        if not self._broker.verifier.still_good(self._grant, self._broker.now_s()):
            raise Unauthorized(NO_LONGER_GOOD)
        if not self._grant.may_subscribe(channel.id):
            raise Forbidden(NO_RIGHT)

    def _judge(self, channel: ChannelRecord) -> CloseReason | None:
        return judge(self._broker, self._grant, channel)

    def _watch_expiry(self) -> None:
        if self._expiry_timer is not None:
            self._expiry_timer.cancel()
        left_s = expires_in_s(self._broker, self._grant)
        if left_s is not None:
            self._expiry_timer = asyncio.get_running_loop().call_later(left_s, self._followed.judge_all)


def _render_outcome(ref: Ref, command: Publish, outcome: Published | Refusal) -> bytes:
    if isinstance(outcome, Refusal):
        return render_error(ref, outcome)
    ids = [event.id for event in published_frames(outcome)]
    return render_published(ref, command.channel_id, ids, replayed=outcome.replayed)
