"""A rate with a burst: the token bucket. Pure: the clock is an argument."""


class TokenBucket:
    """Lets `burst` through at once and `per_s` a second on average; starts full."""

    __slots__ = ("_burst", "_per_s", "_seen_s", "_tokens")

    def __init__(self, per_s: float, burst: int, now_s: float) -> None:
        self._per_s = per_s
        self._burst = float(burst)
        self._tokens = float(burst)
        self._seen_s = now_s

    def take(self, now_s: float) -> bool:
        """Whether one more may pass at `now_s`; a refused one costs nothing. A clock that goes back refills nothing."""
        passed_s = max(0.0, now_s - self._seen_s)
        self._tokens = min(self._burst, self._tokens + passed_s * self._per_s)
        self._seen_s = now_s
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
