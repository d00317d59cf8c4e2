"""Answers to an Idempotency-Key: found, kept with the step that they answer for, or kept by themselves (design 6)."""

import secrets

from broker.change import Answer
from broker.errors import KeyReused
from broker.idempotency import IdempotencyKey, Kept, check_replay
from broker.sealing import NONCE_BYTES, Sealer
from broker.storage.appender import Retention
from broker.storage.commit_call import Sealed, answer_words
from broker.storage.connect import answered
from broker.storage.engine import Engine
from broker.storage.keys import answer_keys, claim_key
from broker.storage.scripts import KEEP_ANSWER, Keep
from broker.storage.state import Reader


class Answers:
    """The answers that are kept in all partitions. An answer lies where what it is about lives."""

    def __init__(self, engine: Engine, reader: Reader, sealer: Sealer, retention: Retention) -> None:
        self._engine = engine
        self._reader = reader
        self._sealer = sealer
        self._retention = retention

    async def find(self, partition: int, key: IdempotencyKey) -> Kept | None:
        """The answer to give again; raises `KeyReused`, `Conflict` for a secret no longer kept, `Unavailable`."""
        kept = (await self._reader.read(partition, [], key=key)).kept
        return None if kept is None else check_replay(key, kept)

    def keep(self, partition: int, key: IdempotencyKey, answer: Answer) -> Keep:
        """What to give to the script that does what this answers for."""
        sealed = Sealed(key, answer, sealed_body(self._sealer, key, answer), None, "")
        words = answer_words(sealed, self._retention)
        return Keep(answer_keys(partition, key.row), (self._engine.clock_offset_ms, *words))

    async def put(self, partition: int, key: IdempotencyKey, answer: Answer) -> None:
        """Keep an answer by itself; raises `Answered` when the key has one already, and `Unavailable`."""
        await KEEP_ANSWER.once(self._engine.client, [], [], self.keep(partition, key, answer))

    async def claim(self, key: IdempotencyKey) -> None:
        """Bind a key to its body, where only the body says whose partition the answer will lie in.

        Raises `KeyReused` when it is bound to another one, and `Unavailable`.
        """
        claim = claim_key(self._engine.partition(key.row), key.row)
        lifetime_ms = self._retention.idempotency_ttl_s * 1000
        known = await answered(self._engine.client.set(claim, key.body, nx=True, get=True, px=lifetime_ms))
        if known is not None and known != key.body.encode():
            raise KeyReused("This Idempotency-Key came with another body before")


def sealed_body(sealer: Sealer, key: IdempotencyKey, answer: Answer) -> bytes:
    """The body of an answer as it is kept."""
    if not answer.is_secret:
        return answer.body
    return sealer.seal(key, answer.body, secrets.token_bytes(NONCE_BYTES))
