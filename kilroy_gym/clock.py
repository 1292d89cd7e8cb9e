"""Time, as an environment or a Face sees it."""

import time
from typing import Protocol


class Clock(Protocol):
    """What is asked of time; hand in one of your own and tests need not sleep."""

    def time(self) -> float:
        """Returns the time in seconds, from any start, never going back."""

    def sleep(self, seconds: float) -> None:
        """Lets ``seconds`` pass."""


class SystemClock:
    """The machine's own clock."""

    def time(self) -> float:
        """Returns monotonic seconds."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Sleeps."""
        time.sleep(seconds)


class UnixClock(SystemClock):
    """The time of day, for what outlives a process; it can go back when somebody sets it."""

    def time(self) -> float:
        """Returns seconds since 1970-01-01 00:00 UTC."""
        return time.time()
