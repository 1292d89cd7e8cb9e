"""Limits on posts per hour and per day that hold across restarts."""

import logging
from collections.abc import Mapping
from pathlib import Path

from kilroy_gym._checks import integer
from kilroy_gym.clock import Clock, UnixClock, steady
from kilroy_gym.faces.wrappers.base import FaceWrapper
from kilroy_gym.interfaces import AnyFace, AnyId, Simulated
from kilroy_gym.post import AnyPost
from kilroy_gym.storage.sqlite import Storage

HOUR_S, DAY_S = 3600.0, 86_400.0
CLOCK_IS_OFF_S = 60.0
SHORTEST_WAIT_S = 1e-3  # a shorter one may be lost to rounding, and time would stand still

STORAGE = Storage(
    "rate limit",
    0x4B4C5254,
    (
        "CREATE TABLE IF NOT EXISTS posts (key INTEGER UNIQUE, at REAL NOT NULL)",
        "CREATE INDEX IF NOT EXISTS times ON posts (at)",
    ),
)

log = logging.getLogger(__name__)


class RateLimitedFace(FaceWrapper):
    """Waits before each post until the limits per hour and per day allow it.

    Posts are counted in a small SQLite file, so the limits hold across restarts and across all
    processes that use the file. A post is counted before it is sent, even if it then fails, so
    there may be fewer posts than allowed but never more. A post that is sent again with the same
    key counts once.

    What counts is the time that passes: a clock that is set while a process runs neither frees a
    place nor takes one. Between two processes only the clock can tell: one that was set back counts
    as standing still, one that was set ahead as time that passed.

    Since the file remembers, this Face has no ``restart``.

    Args:
        face: The Face inside.
        path: The file; created if missing.
        per_hour: The most posts in any 3,600 seconds, at least 1, or ``None`` for no such limit.
        per_day: The most posts in any 86,400 seconds, at least 1, or ``None`` for no such limit.
        clock: Tells the time in unix seconds, and sleeps.

    Raises:
        StorageError: The file cannot be written, or is another kind of file.
        ValueError: There is no limit, or it is not an integer of at least 1, or the wrappers are
            in the wrong order.
    """

    hides = frozenset({Simulated})
    passes_key = True

    def __init__(
        self,
        face: AnyFace,
        path: str | Path,
        per_hour: int | None = None,
        per_day: int | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Opens the file."""
        super().__init__(face)
        given = {"per_hour": (per_hour, HOUR_S), "per_day": (per_day, DAY_S)}
        self.limits: Mapping[float, int] = {
            window_s: integer(name, limit, 1)
            for name, (limit, window_s) in given.items()
            if limit is not None
        }
        if not self.limits:
            raise ValueError("per_hour and per_day are both None: give at least one limit")
        self.path = Path(path)
        self.clock = UnixClock() if clock is None else clock
        self._connection = STORAGE.open(self.path)
        self._steady = steady(self.clock)
        self._now, self._measured_at = self.clock.time(), self._steady()
        self._clock_is_off = False

    def post(self, data: AnyPost) -> AnyId:
        """Makes a post once the limits allow it."""
        self._wait_for_place(data.key)
        return self.face.post(data)

    def close(self) -> None:
        """Closes the file and the Face inside."""
        self._connection.close()
        super().close()

    def _wait_for_place(self, key: int | None) -> None:
        while (wait_s := self._claim(key)) > 0:
            log.info("the limits allow the next post in %.0f s", wait_s)
            self.clock.sleep(max(wait_s, SHORTEST_WAIT_S))

    def _claim(self, key: int | None) -> float:
        """Counts the post and returns 0, or returns how long to wait, in seconds."""
        with STORAGE.explained(self.path), self._connection as connection:
            connection.execute("BEGIN IMMEDIATE")
            (latest,) = connection.execute("SELECT MAX(at) FROM posts").fetchone()
            now = self._time_that_passed(latest)
            connection.execute("DELETE FROM posts WHERE at <= ?", (now - DAY_S,))
            if connection.execute("SELECT 1 FROM posts WHERE key = ?", (key,)).fetchone():
                return 0.0
            query = "SELECT at FROM posts ORDER BY at DESC LIMIT 1 OFFSET ?"
            wait_s = 0.0
            for window_s, limit in self.limits.items():
                row = connection.execute(query, (limit - 1,)).fetchone()
                wait_s = wait_s if row is None else max(wait_s, row[0] + window_s - now)
            if wait_s <= 0:
                connection.execute("INSERT INTO posts VALUES (?, ?)", (key, now))
            return wait_s

    def _time_that_passed(self, latest: float | None) -> float:
        """Returns the time by which posts are counted, in seconds; it never goes back.

        Args:
            latest: The time of the latest post in the file, perhaps of another process.
        """
        measured_at = self._steady()
        self._now += max(measured_at - self._measured_at, 0.0)
        self._measured_at = measured_at
        if latest is not None and latest > self._now:
            self._now = latest
        off_s = self.clock.time() - self._now
        if (abs(off_s) > CLOCK_IS_OFF_S) is not self._clock_is_off:
            self._clock_is_off = not self._clock_is_off
            log.warning("the clock is %.0f s away from the time by which posts are counted", off_s)
        return self._now
