"""What becomes of one connection that passes a proxy: nothing, a cut within an answer, silence, or a loss. Pure."""

from dataclasses import dataclass


@dataclass(eq=False, slots=True)
class Fate:
    """Changed while the connection is open.

    After `left_bytes` of answers it is cut, wherever that is. While `is_stalled` nothing passes in either direction
    and nobody is told (half-open). While `is_deaf` questions are passed on and their answers lost.
    """

    left_bytes: int | None = None
    is_stalled: bool = False
    is_deaf: bool = False

    def take(self, data: bytes) -> bytes:
        """What of an answer's bytes is passed on."""
        if self.is_stalled or self.is_deaf:
            return b""
        if self.left_bytes is None:
            return data
        passed = data[: self.left_bytes]
        self.left_bytes -= len(passed)
        return passed

    @property
    def is_over(self) -> bool:
        """Whether the connection is to be cut now."""
        return self.left_bytes == 0
