"""Keys of posts."""

from kilroy_gym.clock import Clock

KEY_LIMIT = 2**53
"""Keys are below this: platforms pack one into 64 bits, and floats hold it exactly."""


def fresh_key(clock: Clock, last: int | None) -> int:
    """Returns the time in unix microseconds, or the number after ``last`` where that is greater.

    Args:
        clock: Tells unix seconds.
        last: The greatest key so far, or ``None``.
    """
    now = int(clock.time() * 1e6)
    return now if last is None else max(now, last + 1)


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
