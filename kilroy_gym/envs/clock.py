"""Time, as an environment sees it."""

import time
from typing import Protocol


class Clock(Protocol):
    """What an environment asks of time; hand in one of your own and tests need not sleep."""

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
