"""Continuous posts."""

from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium.error import InvalidAction
from gymnasium.spaces import Box

from kilroy_gym.codecs.base import Codec, UnencodablePost, as_array, short
from kilroy_gym.interfaces import Action, AnyArray


class BoxCodec(Codec[Any]):
    """Numbers or vectors within a range, as actions in ``Box(-1, 1, float32)``.

    Stable-Baselines3 wants every continuous action in [-1, 1]; the codec does the scaling, so a
    Face keeps its own units. A round trip is exact to the precision of float32.

    Args:
        low: Smallest value: a number if posts are numbers, else a vector of shape ``(k,)``.
        high: Largest value, above ``low`` everywhere; same shape as ``low``, or a number.

    Attributes:
        low: float64 of shape ``()`` for numbers, else ``(k,)``.
        high: The same.

    Raises:
        ValueError: The bounds are not finite, not in order, or of different shapes.

    Example:
        >>> codec = BoxCodec(0.0, 10.0)
        >>> codec.encode(7.5), codec.decode(codec.encode(7.5))
        (array([0.5], dtype=float32), 7.5)
    """

    space: Box

    def __init__(self, low: npt.ArrayLike, high: npt.ArrayLike) -> None:
        """Checks the bounds."""
        try:
            self.low, self.high = np.broadcast_arrays(
                np.asarray(low, np.float64), np.asarray(high, np.float64)
            )
        except (TypeError, ValueError) as error:
            raise ValueError(f"low and high must be numbers or vectors that fit: {error}") from None
        if self.low.ndim > 1 or self.low.size == 0:
            raise ValueError(f"low and high must be numbers or vectors, got shape {self.low.shape}")
        if not (np.isfinite(self.low).all() and np.isfinite(self.high).all()):
            raise ValueError(f"low and high must be finite, got {low!r} and {high!r}")
        # Halved first, since high - low itself may overflow.
        self._centre, self._half = self.low / 2 + self.high / 2, self.high / 2 - self.low / 2
        if not (self._half > 0).all():
            raise ValueError(f"low must be below high everywhere, got {low!r} and {high!r}")
        self.space = Box(-1.0, 1.0, (self.low.size,), np.float32)

    def encode(self, x: Any) -> npt.NDArray[np.float32]:
        """Scales ``x`` to [-1, 1]; returns float32 of shape ``(k,)``."""
        value = as_array(x)
        fits = value.shape == self.low.shape and value.dtype.kind in "fiub"
        if not (fits and ((value >= self.low) & (value <= self.high)).all()):
            raise UnencodablePost(
                f"BoxCodec cannot encode {short(x)}; it must be of shape {self.low.shape} "
                f"and from {self.low.tolist()} to {self.high.tolist()}"
            )
        # In a narrow range far from zero, rounding alone may go beyond [-1, 1].
        action = np.clip((value - self._centre) / self._half, -1, 1)
        return np.reshape(action, -1).astype(np.float32)

    def decode(self, action: Action) -> Any:
        """Scales ``action``, of shape ``(k,)``, back to the range: a float, or a float64 vector."""
        x = self._scale(self.check_action(action))
        return x if self.low.ndim else float(x[0])

    def check_actions(self, actions: Action) -> npt.NDArray[np.float32]:
        """Returns a batch of actions as a float32 array of shape ``(n, k)``."""
        array = as_array(actions)
        if array.ndim != 2 or array.shape[1] != self.low.size or array.dtype.kind not in "fiu":
            raise InvalidAction(
                f"an action must be an array of {self.low.size} numbers in [-1, 1], got "
                f"{short(actions)}"
            )
        inside = ((array >= -1) & (array <= 1)).all(axis=1)
        if not inside.all():
            raise InvalidAction(f"action {array[~inside][0].tolist()} is not in {self.space}")
        return array.astype(np.float32, copy=False)

    def decode_many(self, actions: Action) -> list[Any]:
        """Scales a batch of actions, of shape ``(n, k)``, back to the range."""
        values = self._scale(self.check_actions(actions))
        return list(values) if self.low.ndim else values[:, 0].tolist()

    def _scale(self, actions: AnyArray) -> npt.NDArray[np.float64]:
        share = (1 + actions.astype(np.float64)) / 2
        # A mix of the bounds: centre + half * action may overflow, or miss them by rounding.
        mixed = self.low * (1 - share) + self.high * share
        values: npt.NDArray[np.float64] = np.clip(mixed, self.low, self.high)
        return values

    def __repr__(self) -> str:
        """Shows the bounds."""
        return f"BoxCodec({self.low.tolist()}, {self.high.tolist()})"
