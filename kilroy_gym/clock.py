"""Time, as an environment or a Face sees it."""

import time
from typing import Protocol


class Clock(Protocol):
    """A source of time; pass one of your own and tests need not sleep."""

    def time(self) -> float:
        """Returns the time in seconds since any fixed moment; it must not go back."""

    def sleep(self, seconds: float) -> None:
        """Waits for ``seconds``."""


class SystemClock:
    """The machine's own clock."""

    def time(self) -> float:
        """Returns the monotonic time in seconds."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Sleeps."""
        time.sleep(seconds)


class UnixClock(SystemClock):
    """The time of day, for what outlives a process; it goes back if the clock is set back."""

    def time(self) -> float:
        """Returns seconds since 1970-01-01 00:00 UTC."""
        return time.time()
