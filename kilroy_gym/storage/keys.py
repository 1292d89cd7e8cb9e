"""Keys of posts: the microsecond in which a post was first sent, and a name for it."""

from collections import deque
from collections.abc import Callable

from kilroy_gym.clock import Clock

KEY_LIMIT = 2**53
"""Keys are below this: platforms pack one into 64 bits, and floats hold it exactly."""
APART = 1000
"""Keys differ by at least so many microseconds: platforms show times in milliseconds."""
REMEMBERED_KEYS = 1000


def fresh_key(clock: Clock, latest_between: Callable[[int, int], int | None]) -> int:
    """Returns the time in unix microseconds, moved on where another post is within a millisecond.

    It follows the clock also where that was set back.

    Args:
        clock: Tells unix seconds.
        latest_between: The greatest key that is taken above one number and below another, or
            ``None``.
    """
    key = int(clock.time() * 1e6)
    while (taken := latest_between(key - APART, key + APART)) is not None:
        key = taken + APART
    return key


class Keys:
    """Makes keys for posts that no journal knows.

    Args:
        clock: Tells unix seconds.
    """

    def __init__(self, clock: Clock) -> None:
        """Has made none."""
        self._clock = clock
        self._recent: deque[int] = deque(maxlen=REMEMBERED_KEYS)

    def fresh(self) -> int:
        """Returns a new key."""

        def latest_between(low: int, high: int) -> int | None:
            return max((key for key in self._recent if low < key < high), default=None)

        self._recent.append(fresh_key(self._clock, latest_between))
        return self._recent[-1]


def check_key(key: int) -> int:
    """Returns a key that a caller gives.

    Raises:
        ValueError: It is not an integer from 0 to below 2**53.
    """
    if type(key) is not int or not 0 <= key < KEY_LIMIT:
        raise ValueError(
            f"key must be an integer of unix microseconds, from 0 to below 2**53, got {key!r}"
        )
    return key
