"""Time, as an environment or a Face sees it."""

import sys
import time
from collections.abc import Callable
from typing import Protocol, runtime_checkable


class Clock(Protocol):
    """A source of time; pass one of your own and tests need not sleep.

    One without ``monotonic`` is taken for one that never jumps.
    """

    def time(self) -> float:
        """Returns the time in seconds since any fixed moment."""

    def sleep(self, seconds: float) -> None:
        """Waits for ``seconds``."""


@runtime_checkable
class Steady(Protocol):
    """A clock that also measures durations, whatever happens to the time of day."""

    def monotonic(self) -> float:
        """Returns seconds since any fixed moment; nobody can set them."""


class SystemClock:
    """The machine's own clock."""

    def time(self) -> float:
        """Returns the monotonic time in seconds."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Sleeps."""
        time.sleep(seconds)


class UnixClock(SystemClock):
    """The time of day, for what outlives a process; it jumps if the clock is set."""

    def time(self) -> float:
        """Returns seconds since 1970-01-01 00:00 UTC."""
        return time.time()

    def monotonic(self) -> float:
        """Returns seconds since the machine was started, those that it slept included."""
        if sys.platform == "linux":
            return time.clock_gettime(time.CLOCK_BOOTTIME)
        return time.monotonic()


def steady(clock: Clock) -> Callable[[], float]:
    """Returns what measures durations by a clock: a function that returns seconds."""
    return clock.monotonic if isinstance(clock, Steady) else clock.time
