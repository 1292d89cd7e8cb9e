"""One action for each possible content."""

from collections.abc import Hashable, Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from gymnasium.error import InvalidAction
from gymnasium.spaces import Discrete

from kilroy_gym.codecs.base import Codec, UnencodablePost, as_array, short
from kilroy_gym.interfaces import Action

Choice = TypeVar("Choice", bound=Hashable)


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
            raise ValueError(f"choices must all be different, got {short(self.choices)}")
        self.space = Discrete(len(self.choices))
        self._table = np.empty(len(self.choices), dtype=object)
        self._table[:] = self.choices

    def encode(self, x: Choice) -> int:
        """Returns the number of the choice ``x``, in [0, n)."""
        try:
            return self._actions[x]
        except (KeyError, TypeError):
            raise UnencodablePost(
                f"{type(self).__name__} cannot encode {short(x)}; "
                f"it must be one of {short(self.choices)}"
            ) from None

    def decode(self, action: Action) -> Choice:
        """Returns the choice with the number ``action``, an integer in [0, n)."""
        return self.choices[self.check_action(action)]

    def check_action(self, action: Action) -> int:
        """Returns an integer in [0, n), also from an array or tensor of one, as an ``int``."""
        if not isinstance(action, int):  # fast path otherwise
            array = as_array(action)
            if array.ndim == 0 and array.dtype.kind in "iub":
                action = array.item()
        if isinstance(action, int) and 0 <= action < len(self.choices):
            return int(action)
        raise InvalidAction(
            f"action {short(action)} is not in {self.space}: it must be an integer "
            f"from 0 to {len(self.choices) - 1}"
        )

    def check_actions(self, actions: Action) -> npt.NDArray[np.int64]:
        """Returns a batch of actions as an int64 array of shape ``(n,)``."""
        array = as_array(actions)
        if array.ndim != 1 or array.dtype.kind not in "iub":
            raise InvalidAction(
                f"actions must be a one-dimensional array of integers, got shape {array.shape} "
                f"and dtype {array.dtype}"
            )
        numbers = array.astype(np.int64, copy=False)
        # As unsigned ones the negative are the greatest, so one look is enough.
        if numbers.size and numbers.view(np.uint64).max() >= len(self.choices):
            wrong = array[(array < 0) | (array >= len(self.choices))][0]
            raise InvalidAction(
                f"action {wrong} is not in {self.space}: it must be an integer "
                f"from 0 to {len(self.choices) - 1}"
            )
        return numbers

    def decode_many(self, actions: Action) -> list[Choice]:
        """Returns the choices with these numbers."""
        choices: list[Choice] = self._table[self.check_actions(actions)].tolist()
        return choices

    def __repr__(self) -> str:
        """Shows the choices."""
        return f"CategoricalCodec({short(list(self.choices))})"


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
