"""Keys of posts: unique, and the microsecond in which a post was first sent."""

from collections import deque
from collections.abc import Callable

from kilroy_gym.clock import Clock

KEY_LIMIT = 2**53
"""Keys are below this: platforms pack them into 64 bits, and floats hold them exactly."""
KEY_DISTANCE = 1000
"""Keys differ by at least this many microseconds: platforms show times in milliseconds."""
REMEMBERED_KEYS = 1000


def fresh_key(clock: Clock, latest_between: Callable[[int, int], int | None]) -> int:
    """Returns the time in unix microseconds, moved on if it is within 1 ms of another key.

    It follows the clock even when that was set back.

    Args:
        clock: Tells the time in unix seconds.
        latest_between: Returns the largest existing key strictly between two numbers, or ``None``.
    """
    key = int(clock.time() * 1e6)
    while (taken := latest_between(key - KEY_DISTANCE, key + KEY_DISTANCE)) is not None:
        key = taken + KEY_DISTANCE
    return key


class Keys:
    """Makes keys for posts without a journal.

    Args:
        clock: Tells the time in unix seconds.
    """

    def __init__(self, clock: Clock) -> None:
        """Starts without keys."""
        self._clock = clock
        self._recent: deque[int] = deque(maxlen=REMEMBERED_KEYS)

    def fresh(self) -> int:
        """Returns a new key."""

        def latest_between(low: int, high: int) -> int | None:
            return max((key for key in self._recent if low < key < high), default=None)

        self._recent.append(fresh_key(self._clock, latest_between))
        return self._recent[-1]


def check_key(key: int) -> int:
    """Returns the key that a caller gave.

    Raises:
        ValueError: It is not an integer from 0 to below 2**53.
    """
    if type(key) is not int or not 0 <= key < KEY_LIMIT:
        raise ValueError(
            f"key must be an integer of unix microseconds, from 0 to below 2**53, got {key!r}"
        )
    return key
