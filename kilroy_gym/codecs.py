"""Post <-> action.

A codec owns the action space of an environment: ``encode`` turns the content of a post into an
action, ``decode`` an action into content. The batch versions work on arrays of actions.
"""

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterable, Sequence
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt
from gymnasium import Space
from gymnasium.error import InvalidAction
from gymnasium.spaces import Box, Discrete

from kilroy_gym.post import X

Choice = TypeVar("Choice", bound=Hashable)


class UnencodablePost(ValueError):
    """A post has content that the codec of the environment has no action for."""


class Codec(ABC, Generic[X]):
    """Turns the content of posts into actions and back.

    Attributes:
        space: The action space.
    """

    space: Space[Any]

    @abstractmethod
    def encode(self, x: X) -> Any:
        """Returns the action that stands for ``x``.

        Raises:
            UnencodablePost: There is none; the message says what is allowed.
        """

    @abstractmethod
    def decode(self, action: Any) -> X:
        """Returns the content that ``action`` stands for.

        Raises:
            gymnasium.error.InvalidAction: It is not in the action space.
        """

    @abstractmethod
    def check_actions(self, actions: Any) -> npt.NDArray[Any]:
        """Returns a batch of actions as an array of shape ``(n, *space.shape)``.

        Raises:
            gymnasium.error.InvalidAction: One of them is not in the action space.
        """

    def check_action(self, action: Any) -> Any:
        """Returns one action as :meth:`check_actions` does a batch.

        Raises:
            gymnasium.error.InvalidAction: It is not in the action space.
        """
        return self.check_actions(_array(action)[None])[0]

    def encode_many(self, xs: Iterable[X]) -> npt.NDArray[Any]:
        """Returns the actions for ``xs``: an array of shape ``(n, *space.shape)``."""
        actions = np.array([self.encode(x) for x in xs], dtype=self.space.dtype)
        return actions.reshape(-1, *(self.space.shape or ()))  # where there are none, too

    def decode_many(self, actions: Any) -> list[X]:
        """Returns the contents that a batch of actions stands for."""
        return [self.decode(action) for action in self.check_actions(actions)]


class CategoricalCodec(Codec[Choice]):
    """One action for each of a list of possible contents.

    Args:
        choices: The contents, hashable and all different. Action ``i`` is the ``i``-th.

    Raises:
        ValueError: There are no choices, or two are equal, or one is not hashable.

    Example:
        >>> codec = CategoricalCodec(["cats", "dogs"])
        >>> codec.space, codec.encode("dogs"), codec.decode(0)
        (Discrete(2), 1, 'cats')
    """

    space: Discrete

    def __init__(self, choices: Sequence[Choice]) -> None:
        """Numbers the choices."""
        self.choices = tuple(choices)
        try:
            self._actions = {x: action for action, x in enumerate(self.choices)}
        except TypeError as error:
            raise ValueError(f"choices must be hashable: {error}") from None
        if not self.choices:
            raise ValueError("choices must hold at least one content, got none")
        if len(self._actions) != len(self.choices):
            raise ValueError(f"choices must all be different, got {_short(self.choices)}")
        self.space = Discrete(len(self.choices))
        self._table = np.empty(len(self.choices), dtype=object)
        self._table[:] = self.choices

    def encode(self, x: Choice) -> int:
        """Returns the number of the choice ``x``."""
        try:
            return self._actions[x]
        except (KeyError, TypeError):
            raise UnencodablePost(
                f"{type(self).__name__} cannot encode {_short(x)}; "
                f"it must be one of {_short(self.choices)}"
            ) from None

    def decode(self, action: Any) -> Choice:
        """Returns the choice with the number ``action``, an integer in [0, n)."""
        if type(action) is int and 0 <= action < len(self.choices):  # the usual one, at once
            return self.choices[action]
        return self.choices[self.check_action(action)]

    def check_action(self, action: Any) -> int:
        """Returns a number in [0, n) as a Python integer."""
        if isinstance(action, (int, np.integer, np.bool_)) and 0 <= action < len(self.choices):
            return int(action)
        if isinstance(action, np.ndarray) and action.ndim == 0 and action.dtype.kind in "iub":
            return self.check_action(int(action))
        raise InvalidAction(
            f"action {_short(action)} is not in {self.space}: it must be an integer "
            f"from 0 to {len(self.choices) - 1}"
        )

    def check_actions(self, actions: Any) -> npt.NDArray[np.int64]:
        """Returns a batch of actions as an int64 array of shape ``(n,)``."""
        array = _array(actions)
        if array.ndim != 1 or array.dtype.kind not in "iub":
            raise InvalidAction(
                f"actions must be a one-dimensional array of integers, got shape {array.shape} "
                f"and dtype {array.dtype}"
            )
        if array.size and (array.min() < 0 or array.max() >= len(self.choices)):
            wrong = array[(array < 0) | (array >= len(self.choices))][0]
            raise InvalidAction(
                f"action {wrong} is not in {self.space}: it must be an integer "
                f"from 0 to {len(self.choices) - 1}"
            )
        return array.astype(np.int64, copy=False)

    def decode_many(self, actions: Any) -> list[Choice]:
        """Returns the choices with these numbers."""
        choices: list[Choice] = self._table[self.check_actions(actions)].tolist()
        return choices

    def __repr__(self) -> str:
        """Shows the choices."""
        return f"CategoricalCodec({_short(list(self.choices))})"


class BinaryCodec(CategoricalCodec[bool]):
    """Action 0 posts ``False``, action 1 posts ``True``.

    Example:
        >>> BinaryCodec().decode(1)
        True
    """

    def __init__(self) -> None:
        """Takes no arguments."""
        super().__init__((False, True))

    def __repr__(self) -> str:
        """Shows the class."""
        return "BinaryCodec()"


class BoxCodec(Codec[Any]):
    """Numbers or vectors within a range, as actions in ``Box(-1, 1, float32)``.

    Stable-Baselines3 wants every continuous action in [-1, 1]; the codec does the scaling, so a
    Face keeps its own units. A round trip is exact to float32 of the range.

    Args:
        low: Least value: a number for posts that are numbers, else a vector.
        high: Greatest value, above ``low`` everywhere; same shape, or a number.

    Raises:
        ValueError: The bounds are not finite, not in order or do not fit each other.

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
        # The halves are taken first: high - low itself may overflow.
        self._centre, self._half = self.low / 2 + self.high / 2, self.high / 2 - self.low / 2
        if not (self._half > 0).all():
            raise ValueError(f"low must be below high everywhere, got {low!r} and {high!r}")
        self.space = Box(-1.0, 1.0, (self.low.size,), np.float32)

    def encode(self, x: Any) -> npt.NDArray[np.float32]:
        """Scales ``x`` to [-1, 1]; shape ``(k,)``."""
        value = _array(x)
        fits = value.shape == self.low.shape and value.dtype.kind in "fiub"
        if not (fits and ((value >= self.low) & (value <= self.high)).all()):
            raise UnencodablePost(
                f"BoxCodec cannot encode {_short(x)}; it must be of shape {self.low.shape} "
                f"and from {self.low.tolist()} to {self.high.tolist()}"
            )
        # In a narrow range far from zero, rounding alone may leave [-1, 1].
        action = np.clip((value - self._centre) / self._half, -1, 1)
        return np.reshape(action, -1).astype(np.float32)

    def decode(self, action: Any) -> Any:
        """Scales ``action``, of shape ``(k,)``, back to the range: a float, or a float64 vector."""
        x = self._scale(self.check_action(action))
        return x if self.low.ndim else float(x[0])

    def check_actions(self, actions: Any) -> npt.NDArray[np.floating[Any]]:
        """Returns a batch of actions as a float array of shape ``(n, k)``."""
        array = _array(actions)
        if array.ndim != 2 or array.shape[1] != self.low.size or array.dtype.kind not in "fiu":
            raise InvalidAction(
                f"an action must be an array of {self.low.size} numbers in [-1, 1], got "
                f"{_short(actions)}"
            )
        inside = ((array >= -1) & (array <= 1)).all(axis=1)
        if not inside.all():
            raise InvalidAction(f"action {array[~inside][0].tolist()} is not in {self.space}")
        return array

    def decode_many(self, actions: Any) -> list[Any]:
        """Scales a batch of actions back to the range."""
        values = self._scale(self.check_actions(actions))
        return list(values) if self.low.ndim else values[:, 0].tolist()

    def _scale(self, actions: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        share = (1 + actions.astype(np.float64)) / 2
        # As shares of the bounds: centre + half * action may overflow, and miss them by rounding.
        mixed = self.low * (1 - share) + self.high * share
        values: npt.NDArray[np.float64] = np.clip(mixed, self.low, self.high)
        return values

    def __repr__(self) -> str:
        """Shows the bounds."""
        return f"BoxCodec({self.low.tolist()}, {self.high.tolist()})"


def _array(values: Any) -> npt.NDArray[Any]:
    """Returns an array, of objects where ``values`` are no rectangle of one type."""
    try:
        return np.asarray(values)
    except ValueError:
        return np.asarray(None)


def _short(value: Any, limit: int = 200) -> str:
    """Shows a value in an error message without flooding it."""
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 3] + "..."
