"""What a codec must do."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, Generic

import numpy as np
from gymnasium import Space

from kilroy_gym.interfaces import Action, AnyArray
from kilroy_gym.post import X


class UnencodablePost(ValueError):
    """The codec has no action for the content of a post."""


class Codec(ABC, Generic[X]):
    """Turns the content of posts into actions, and back.

    Attributes:
        space: The action space.
    """

    space: Space[Any]

    @abstractmethod
    def encode(self, x: X) -> Action:
        """Returns the action that stands for ``x``: an element of ``space``.

        Raises:
            UnencodablePost: There is no such action; the message says what is allowed.
        """

    @abstractmethod
    def decode(self, action: Action) -> X:
        """Returns the content that ``action`` stands for.

        Raises:
            gymnasium.error.InvalidAction: ``action`` is not in the action space.
        """

    @abstractmethod
    def check_actions(self, actions: Action) -> AnyArray:
        """Returns a batch of actions as an array of shape ``(n, *space.shape)``.

        Raises:
            gymnasium.error.InvalidAction: An action is not in the action space.
        """

    def check_action(self, action: Action) -> Action:
        """Returns a single action, checked as :meth:`check_actions` checks a batch.

        Raises:
            gymnasium.error.InvalidAction: ``action`` is not in the action space.
        """
        return self.check_actions(as_array(action)[None])[0]

    def encode_many(self, xs: Iterable[X]) -> AnyArray:
        """Returns the actions for ``xs``: an array of shape ``(n, *space.shape)``."""
        actions = np.array([self.encode(x) for x in xs], dtype=self.space.dtype)
        return actions.reshape(-1, *(self.space.shape or ()))  # an empty batch keeps its shape

    def decode_many(self, actions: Action) -> list[X]:
        """Returns the contents that a batch of actions stands for."""
        return [self.decode(action) for action in self.check_actions(actions)]


AnyCodec = Codec[Any]


def as_array(values: object) -> AnyArray:
    """Returns values as an array; ragged ones as an array of shape ``()`` that fits no space."""
    try:
        return np.asarray(values)
    except (ValueError, TypeError, RuntimeError):  # or a tensor elsewhere, or with a gradient
        return np.asarray(None)


def short(value: object, limit: int = 200) -> str:
    """Returns a value's repr, shortened for an error message."""
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 3] + "..."
