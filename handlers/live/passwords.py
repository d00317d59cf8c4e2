"""Passwords of events: argon2id, with its parameters in what is kept (RFC 9106, by argon2-cffi). Pure.

Slow on purpose (257 ms at the median on two busy cores): to be called in a thread, few at a time.
"""

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

MOST_CHARS = 200
SALT_BYTES = 16
# RFC 9106, section 4, second choice (64 MiB, 3 passes) in one lane, as a thread is what it has.
_HASHER = PasswordHasher(time_cost=3, memory_cost=65_536, parallelism=1)


def hash_password(password: str, salt: bytes) -> str:
    """What is kept of a password; `salt` are 16 random bytes."""
    return _HASHER.hash(password, salt=salt)


def is_password(password: str, kept: str) -> bool:
    """Whether it is the password, compared in constant time."""
    try:
        return _HASHER.verify(kept, password)
    except VerificationError:
        return False
